"""The running loop's shared objects."""

from __future__ import annotations

from channels.layers import get_channel_layer

from rtmp_channels.conf import rtmp_settings
from rtmp_channels.loop_local import LoopLocal
from rtmp_channels.shared_objects.hub import SharedObjectHub
from rtmp_channels.shared_objects.persistence import Keeper
from rtmp_channels.shared_objects.sequencers.memory import MemorySequencer


def make_hub() -> SharedObjectHub:
    """A hub as the settings say, for the running loop."""
    settings = rtmp_settings()
    rules = settings.shared_objects
    keeper = None
    if settings.persistence == "database":
        from rtmp_channels.shared_objects.database import DatabaseStore  # needs loaded apps

        keeper = Keeper(DatabaseStore(), rules, delay=settings.persist_delay)
    if settings.sequencer == "memory":
        return SharedObjectHub(MemorySequencer(rules), rules, keeper=keeper)
    from rtmp_channels.shared_objects.sequencers.redis import RedisSequencer  # the redis extra

    sequencer = RedisSequencer(settings.redis_url, rules)
    return SharedObjectHub(sequencer, rules, layer=get_channel_layer(), keeper=keeper)


shared_object_hubs: LoopLocal[SharedObjectHub] = LoopLocal(make_hub)
"""`shared_object_hubs.get()` in a session; `await shared_object_hubs.close()` at shutdown."""
