"""An application for everyone's streams, and one that says what is known of them."""

import os
from dataclasses import asdict

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.streams.settings")
django.setup()

from channels.routing import ProtocolTypeRouter  # noqa: E402

from rtmp_channels.consumers import AsyncRtmpConsumer, remote  # noqa: E402
from rtmp_channels.live.current import stream_hubs  # noqa: E402
from rtmp_channels.permissions import ANYONE  # noqa: E402
from rtmp_channels.routing import RtmpRouter  # noqa: E402


class OpenConsumer(AsyncRtmpConsumer):
    may_connect = may_call = ANYONE

    async def on_publish(self, message):
        return True

    async def on_play(self, message):
        return True


class WatchConsumer(AsyncRtmpConsumer):
    may_connect = may_call = ANYONE

    @remote
    async def stats(self):
        return [asdict(stats) for stats in stream_hubs.get().stats()]


application = ProtocolTypeRouter(
    {
        "rtmp": RtmpRouter({"open": OpenConsumer.as_asgi(), "watch": WatchConsumer.as_asgi()}),
    }
)
