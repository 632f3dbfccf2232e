"""A Redis that takes connections and does not answer any more: closing does not wait for it."""

import asyncio
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest

from rtmp_channels.protocol.shared_object import RequestChange
from rtmp_channels.shared_objects import hub as hub_module
from rtmp_channels.shared_objects.hub import SharedObjectHub
from rtmp_channels.shared_objects.rules import SharedObjectRules
from rtmp_channels.shared_objects.sequencers import redis as redis_module
from rtmp_channels.shared_objects.sequencers.redis import RedisSequencer
from tests.shared_objects.clients import Client, until

pytestmark = pytest.mark.redis


class SilencingProxy:
    """Passes bytes on, both ways, until it is told to keep them."""

    def __init__(self, host, port):
        self._target = host, port
        self._speaks = asyncio.Event()
        self._speaks.set()
        self._tasks = []

    def silence(self):
        self._speaks.clear()

    async def serve(self, reader, writer):
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._tasks += [
            asyncio.create_task(self._pass_on(reader, far_writer)),
            asyncio.create_task(self._pass_on(far_reader, writer)),
        ]

    async def close(self):
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pass_on(self, reader, writer):
        try:
            while data := await reader.read(65_536):
                await self._speaks.wait()
                writer.write(data)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


@asynccontextmanager
async def proxy_to(redis_url):
    address = urlsplit(redis_url)
    proxy = SilencingProxy(address.hostname, address.port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    try:
        yield proxy, f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    finally:
        server.close()
        await proxy.close()


async def test_a_hub_closes_although_redis_is_silent(redis_url, monkeypatch):
    for module in (hub_module, redis_module):
        monkeypatch.setattr(module, "FAREWELL", 0.05)
    async with proxy_to(redis_url) as (proxy, url):
        rules = SharedObjectRules()
        hub = SharedObjectHub(RedisSequencer(url, rules), rules)
        clients = [Client(hub, f"ann{number}", instance=f"lobby/{number}") for number in range(3)]
        for client in clients:
            client.say_use()
        await until(lambda: all(client.messages for client in clients))
        proxy.silence()
        for client in clients:
            client.say(RequestChange((("key", 1),)))
        async with asyncio.timeout(2):  # Redis would have 5 s for each attempt
            await hub.close()
