"""The clients against the demo site: rooms, calls both ways, and its gateway through daphne."""

from __future__ import annotations

import asyncio

import pytest

from amf_remoting.client import AsyncRemotingClient, RemotingClient
from amf_remoting.exceptions import RemoteFault
from rtmp_channels.client import CallFailed, NetConnection


async def test_rooms_and_calls_both_ways(demo_server):
    url = demo_server.rtmp_url("lobby/client")
    ann, bob = NetConnection(url), NetConnection(url, object_encoding=3)
    heard: asyncio.Queue[str] = asyncio.Queue()
    bob.method("onSay")(heard.put_nowait)
    bob.method("ping2")(lambda text: f"{text}? yes")
    async with ann, bob:
        assert await bob.call("math.add", 2, 3) == 5
        assert await ann.call("echo.echo", {"a": [1, "é"]}) == {"a": [1, "é"]}
        assert await bob.call("lobby.callme") == "are you there? yes"
        await ann.call("lobby.say", "hello")
        async with asyncio.timeout(10):
            assert await heard.get() == "hello"
        with pytest.raises(CallFailed):
            await ann.call("echo.missing")


@pytest.mark.parametrize("version", [0, 3])
async def test_the_gateway_through_daphne(demo_server, version):
    async_client = AsyncRemotingClient(demo_server.url("/gateway/"), version=version)
    client = RemotingClient(demo_server.url("/gateway/"), version=version)

    def batch():
        with client.batch() as calls:
            return [calls.call("echo.fail", "x"), calls.call("math.add", 2, 3)]

    failed, added = await asyncio.to_thread(batch)
    assert added.result() == 5
    with pytest.raises(RemoteFault, match=r"echo\.fail|x"):
        failed.result()
    assert await async_client.call("echo.args", 1, "é", None) == [1, "é", None]
    with pytest.raises(RemoteFault, match="needs a login"):
        await async_client.call("staff.whoami")
