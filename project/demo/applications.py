"""The demo site's RTMP applications, by the name in `rtmp://host/<application>/<instance>`."""

from typing import Any

from rtmp_channels.consumers import AsyncRtmpConsumer
from rtmp_channels.permissions import ANYONE
from rtmp_channels.shared_objects.grants import Grant, UseRequest


class Lobby(AsyncRtmpConsumer):
    """Any instance is a room, and its shared objects are open to everyone in it."""

    may_connect = may_call = ANYONE

    async def on_shared_object(self, request: UseRequest) -> Grant:
        return Grant()


class Live(AsyncRtmpConsumer):
    """Answers calls; refuses to publish and to play, as consumers do unless told otherwise."""

    may_connect = may_call = ANYONE


class Open(AsyncRtmpConsumer):
    """Anyone may publish and play: for a demonstration, never for a public address."""

    may_connect = may_call = ANYONE

    async def on_publish(self, message: dict[str, Any]) -> bool:
        return True

    async def on_play(self, message: dict[str, Any]) -> bool:
        return True
