"""The running loop's live streams."""

from __future__ import annotations

from rtmp_channels.conf import rtmp_settings
from rtmp_channels.loop_local import LoopLocal
from rtmp_channels.streams.hub import StreamHub


def _make_hub() -> StreamHub:
    return StreamHub(rtmp_settings().streams)


stream_hubs: LoopLocal[StreamHub] = LoopLocal(_make_hub)
"""`stream_hubs.get()` in a session; `await stream_hubs.close()` at shutdown."""
