"""The site of the shared objects' benchmark: an RTMP application, and plain Channels beside it.

Environment: REDIS_URL (the redis sequencer and channel layer), TICK_MS.
"""

import os
from typing import Any

import django
from django.conf import settings

REDIS_URL = os.environ.get("REDIS_URL", "")
REDIS_LAYER = "channels_redis.pubsub.RedisPubSubChannelLayer"
MEMORY_LAYER = "channels.layers.InMemoryChannelLayer"

settings.configure(
    ALLOWED_HOSTS=["*"],
    CHANNEL_LAYERS={
        "default": {"BACKEND": REDIS_LAYER, "CONFIG": {"hosts": [REDIS_URL]}}
        if REDIS_URL
        else {"BACKEND": MEMORY_LAYER}
    },
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        "rtmp_channels",
        "daphne",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "channels",
    ],
    RTMP_CHANNELS={
        "SEQUENCER": "redis" if REDIS_URL else "memory",
        "REDIS_URL": REDIS_URL,
        "PERSISTENCE": "none",
        # The load's readers only read: they would not answer.
        "PING_INTERVAL": 0,
        "PING_TIMEOUT": 0,
        "SHARED_OBJECTS": {"TICK_MS": int(os.environ.get("TICK_MS", "0"))},
    },
    SECRET_KEY="benchmark",
)
django.setup()

from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter  # noqa: E402

from rtmp_channels.consumers import AsyncRtmpConsumer  # noqa: E402
from rtmp_channels.permissions import ANYONE  # noqa: E402
from rtmp_channels.routing import RtmpRouter  # noqa: E402
from rtmp_channels.shared_objects.grants import Grant, UseRequest  # noqa: E402


class Objects(AsyncRtmpConsumer):
    """Everything is open."""

    may_connect = may_call = ANYONE

    async def on_shared_object(self, request: UseRequest) -> Grant:
        return Grant()


class Board(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """What one would write without shared objects: a dict, and group_send for each change."""

    slots: dict[str, Any] = {}  # noqa: RUF012  # shared by all on purpose
    versions = 0

    async def connect(self) -> None:
        await self.channel_layer.group_add("board", self.channel_name)
        await self.accept()

    async def receive_json(self, content: dict[str, Any]) -> None:
        Board.slots[content["key"]] = content["value"]
        Board.versions += 1
        change = {"key": content["key"], "value": content["value"], "version": Board.versions}
        await self.channel_layer.group_send("board", {"type": "board.changed", **change})

    async def board_changed(self, event: dict[str, Any]) -> None:
        await self.send_json({key: event[key] for key in ("key", "value", "version")})

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard("board", self.channel_name)


async def http(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


application = ProtocolTypeRouter(
    {
        "http": http,
        "rtmp": RtmpRouter({"objects": Objects.as_asgi()}),
        "websocket": Board.as_asgi(),
    }
)
