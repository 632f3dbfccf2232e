"""The running loop's rooms, over the project's channel layer if that joins processes."""

from __future__ import annotations

from rtmp_channels.conf import rtmp_settings
from rtmp_channels.layer import joining_layer
from rtmp_channels.loop_local import LoopLocal
from rtmp_channels.rooms.hub import RoomHub


def _make_hub() -> RoomHub:
    return RoomHub(layer=joining_layer(), limits=rtmp_settings().rooms)


room_hubs: LoopLocal[RoomHub] = LoopLocal(_make_hub)
"""`room_hubs.get()` in a consumer; `await room_hubs.close()` at shutdown."""
