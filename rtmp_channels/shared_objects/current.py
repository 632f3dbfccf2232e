"""The running loop's shared objects."""

from __future__ import annotations

from rtmp_channels.conf import rtmp_settings
from rtmp_channels.loop_local import LoopLocal
from rtmp_channels.shared_objects.hub import SharedObjectHub
from rtmp_channels.shared_objects.sequencers.memory import MemorySequencer


def _make_hub() -> SharedObjectHub:
    rules = rtmp_settings().shared_objects
    return SharedObjectHub(MemorySequencer(rules), rules)


shared_object_hubs: LoopLocal[SharedObjectHub] = LoopLocal(_make_hub)
"""`shared_object_hubs.get()` in a session; `await shared_object_hubs.close()` at shutdown."""
