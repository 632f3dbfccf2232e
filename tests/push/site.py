"""An application whose clients learn their connection's id, and views that push to them."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.push.settings")

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from rtmp_channels.auth import RtmpAuthMiddleware  # noqa: E402
from rtmp_channels.consumers import AsyncRtmpConsumer, remote  # noqa: E402
from rtmp_channels.permissions import ANYONE  # noqa: E402
from rtmp_channels.routing import RtmpRouter  # noqa: E402


class Notified(AsyncRtmpConsumer):
    may_connect = may_call = ANYONE

    @remote
    async def id(self) -> str:
        return self.connection_id


class News(Notified):
    """Hears a group of the channel layer, as any consumer of Channels."""

    async def connect(self) -> None:
        await self.group_add("news")
        await self.accept()

    async def news_flash(self, message: dict[str, str]) -> None:
        await self.notify("onNotice", message["text"])


application = ProtocolTypeRouter(
    {
        "http": django_application,
        "rtmp": RtmpAuthMiddleware(
            RtmpRouter({"lobby": Notified.as_asgi(), "news": News.as_asgi()})
        ),
    }
)
