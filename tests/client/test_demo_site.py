"""The client against the demo site: rooms, calls both ways."""

from __future__ import annotations

import asyncio

import pytest

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
