"""The running loop's rooms, over the project's channel layer if it has one."""

from __future__ import annotations

from channels.layers import get_channel_layer

from rtmp_channels.conf import rtmp_settings
from rtmp_channels.loop_local import LoopLocal
from rtmp_channels.rooms.hub import RoomHub


def _make_hub() -> RoomHub:
    return RoomHub(layer=get_channel_layer(), limits=rtmp_settings().rooms)


room_hubs: LoopLocal[RoomHub] = LoopLocal(_make_hub)
"""`room_hubs.get()` in a consumer; `await room_hubs.close()` at shutdown."""
