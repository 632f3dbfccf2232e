"""A process with a hub over Redis and one client that writes without pause; for killing.

Its client adds to its own slot as fast as it is acknowledged; every acknowledged number is printed.
"""

from __future__ import annotations

import asyncio
import sys

from channels_redis.pubsub import RedisPubSubChannelLayer

from rtmp_channels.shared_objects.hub import SharedObjectHub
from rtmp_channels.shared_objects.rules import SharedObjectRules
from rtmp_channels.shared_objects.sequencers.redis import RedisSequencer
from tests.shared_objects.clients import Client, until


async def main(redis_url, name):
    rules = SharedObjectRules()
    layer = RedisPubSubChannelLayer(hosts=[redis_url])
    hub = SharedObjectHub(RedisSequencer(redis_url, rules), rules, layer=layer)
    client = Client(hub, name)
    client.say_use()
    await until(lambda: client.messages)
    for number in range(1_000_000):
        client.events()
        client.set(name, number)
        await until(client.events)
        print(number, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
