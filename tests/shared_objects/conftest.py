"""Hubs over one Redis, and their channel layers, closed in that order."""

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer
from redis.asyncio import Redis

from rtmp_channels.shared_objects.hub import SharedObjectHub
from rtmp_channels.shared_objects.rules import SharedObjectRules
from rtmp_channels.shared_objects.sequencers.redis import RedisSequencer


@pytest.fixture
async def layers(redis_url):
    """Layers of two processes, with connections of their own."""
    layers = [RedisPubSubChannelLayer(hosts=[redis_url]) for _ in range(2)]
    yield layers
    for layer in layers:
        await layer.flush()


@pytest.fixture
async def make_redis_hub(redis_url, layers):
    """Makes hubs, each one a process; rules by keyword."""
    hubs = []

    def make(*, layer=None, url=redis_url, **rules):
        rules = SharedObjectRules(**rules)
        hubs.append(SharedObjectHub(RedisSequencer(url, rules), rules, layer=layer))
        return hubs[-1]

    yield make
    for hub in hubs:  # before the layers: leaving a group would connect a flushed one anew
        await hub.close()
    async with Redis.from_url(redis_url) as redis:
        await redis.flushall()
