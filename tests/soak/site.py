"""The demo's applications, and one that tells what its process holds."""

import asyncio
import gc
import os
import threading
from pathlib import Path
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.soak.settings")
django_application = get_asgi_application()

from project.demo.applications import Lobby, Open  # noqa: E402
from rtmp_channels import push  # noqa: E402
from rtmp_channels.auth import RtmpAuthMiddleware  # noqa: E402
from rtmp_channels.consumers import AsyncRtmpConsumer, remote  # noqa: E402
from rtmp_channels.permissions import ANYONE, USERS  # noqa: E402
from rtmp_channels.routing import RtmpRouter  # noqa: E402
from rtmp_channels.tunnels.rtmpt import RtmptTunnel  # noqa: E402
from rtmp_channels.tunnels.websocket import WebSocketTunnel  # noqa: E402


class Guarded(Lobby):
    """A lobby whose clients may have themselves thrown out."""

    @remote
    async def kick_me(self) -> None:
        await push.akick_client(self.scope["rtmp"]["connection_id"])

    @remote
    async def close_me(self) -> None:
        await self.close()

    @remote
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    @remote
    async def fail(self) -> None:
        raise ValueError("on request")


class Members(Lobby):
    """Lets in users only, of whom there are none."""

    may_connect = USERS


class Inside(AsyncRtmpConsumer):
    """For the soak itself."""

    may_connect = may_call = ANYONE

    @remote
    async def state(self) -> dict[str, Any]:
        """What the process holds, garbage collected."""
        gc.collect()
        resident = int(Path("/proc/self/statm").read_text().split()[1])
        return {
            "tasks": len(asyncio.all_tasks()),
            "threads": threading.active_count(),
            "descriptors": len(os.listdir("/proc/self/fd")),
            "memory": resident * os.sysconf("SC_PAGE_SIZE"),
        }


rtmp = RtmpAuthMiddleware(
    RtmpRouter(
        {
            "lobby": Guarded.as_asgi(),
            "open": Open.as_asgi(),
            "members": Members.as_asgi(),
            "inside": Inside.as_asgi(),
        }
    )
)
application = ProtocolTypeRouter(
    {
        "http": RtmptTunnel(rtmp, django_application),
        "rtmp": rtmp,
        "websocket": URLRouter([path("ws/tunnel/", WebSocketTunnel.as_asgi(rtmp))]),
    }
)
