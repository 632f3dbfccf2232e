"""The application that the tests of the server run: small, and hostile where a test asks for it."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.server.settings")
django.setup()

from channels.routing import ProtocolTypeRouter  # noqa: E402

from rtmp_channels.consumers import AsyncRtmpConsumer, concurrent, remote  # noqa: E402
from rtmp_channels.routing import RtmpRouter  # noqa: E402
from rtmp_channels.shared_objects.grants import Grant  # noqa: E402


class LobbyConsumer(AsyncRtmpConsumer):
    @remote
    async def length(self, value):
        return len(value)

    @remote
    async def fail(self, message):
        raise RuntimeError(message)

    @remote
    async def callme(self):
        return await self.call("ping2", "are you there")

    @remote
    async def say(self, text):
        await self.broadcast("onSay", text)

    @remote
    @concurrent
    async def slow(self):
        return await self.call("ping2", "slowly")

    async def on_shared_object(self, request):
        return Grant()


application = ProtocolTypeRouter({"rtmp": RtmpRouter({"lobby": LobbyConsumer.as_asgi()})})
