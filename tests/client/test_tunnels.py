"""`NetConnection` through RTMPT and a WebSocket, on the demo site."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rtmp_channels.client import CallFailed, ConnectFailed, NetConnection
from rtmp_channels.protocol.events import MediaReceived
from tests.media import flv
from tests.support.demo_server import DemoServer


def tunnelled(server: DemoServer, way: str, path: str, **options: Any) -> NetConnection:
    """A client that goes that way."""
    if way == "rtmpt":
        return NetConnection(f"rtmpt://127.0.0.1:{server.http_port}/{path}", **options)
    tunnel = server.websocket_url("/ws/tunnel/")
    return NetConnection(f"rtmp://127.0.0.1/{path}", tunnel=tunnel, **options)


@pytest.fixture(params=["rtmpt", "websocket"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_rooms_and_calls_both_ways(demo_server: DemoServer, way: str):
    ann = tunnelled(demo_server, way, "lobby/tunnel")
    bob = NetConnection(demo_server.rtmp_url("lobby/tunnel"))
    heard: asyncio.Queue[str] = asyncio.Queue()
    ann.method("onSay")(heard.put_nowait)
    ann.method("ping2")(lambda text: f"{text}? yes")
    async with ann, bob:
        value = {"text": "Grüße, 世界 🎈", "long": "x" * 2_000_000}
        assert await ann.call("echo.echo", value) == value
        sums = await asyncio.gather(*(ann.call("math.add", n, 1) for n in range(50)))
        assert sums == [n + 1 for n in range(50)]
        assert await ann.call("lobby.callme") == "are you there? yes"
        await bob.call("lobby.say", "hello")
        async with asyncio.timeout(10):
            assert await heard.get() == "hello"
        with pytest.raises(CallFailed):
            await ann.call("echo.missing")
    assert await ann.wait_closed() == "closed by us"
    async with ann:
        assert await ann.call("math.add", 2, 3) == 5


async def test_publish_and_play(demo_server: DemoServer, way: str):
    publisher = tunnelled(demo_server, way, "open")
    player = tunnelled(demo_server, way, "open")
    async with publisher, player:
        stream, playing = await publisher.create_stream(), await player.create_stream()
        await stream.publish(f"own-{way}")
        await playing.play(f"own-{way}")
        frames = [flv.key(0, 40_000).payload, *(flv.inter(0, 40_000).payload for _ in range(49))]
        for number, frame in enumerate(frames):
            stream.send_video(40 * number, frame)
            await stream.drain()
        played = []
        async with asyncio.timeout(20):
            async for packet in playing:
                if isinstance(packet, MediaReceived):
                    played.append(packet.payload)
                if len(played) == len(frames):
                    break
        assert played == frames


async def test_one_who_reads_slower_than_it_is_sent(demo_server: DemoServer, way: str):
    """Reading pauses at the limit, and everything comes all the same."""
    publisher = NetConnection(demo_server.rtmp_url("open"))
    player = tunnelled(demo_server, way, "open")
    async with publisher, player:
        stream, playing = await publisher.create_stream(), await player.create_stream()
        await stream.publish(f"slow-{way}")
        await playing.play(f"slow-{way}")
        playing.max_waiting = 5
        for number in range(100):
            stream.send_audio(20 * number, bytes((0xAF, 1, number)))
        await publisher.call("echo.echo", "all arrived")
        last = []
        async with asyncio.timeout(20):
            async for packet in playing:
                if isinstance(packet, MediaReceived):
                    last.append(packet.payload[-1])
                if len(last) == 100:
                    break
        assert last == list(range(100))


async def test_the_server_stops(start_demo_server, way: str):
    server = start_demo_server(may_be_killed=True)
    connection = tunnelled(server, way, "lobby/stop")
    statuses: list[Any] = []
    connection.on_status = statuses.append
    await connection.connect()
    server.process.terminate()
    async with asyncio.timeout(20):
        reason = await connection.wait_closed()
    assert [status["code"] for status in statuses] == ["NetConnection.Connect.AppShutdown"]
    assert reason
    assert await asyncio.to_thread(server.process.wait, 20) == 0


async def test_a_site_that_refuses(demo_server: DemoServer):
    url = demo_server.websocket_url("/ws/elsewhere/")
    with pytest.raises(ConnectFailed, match="403"):
        await NetConnection("rtmp://127.0.0.1/lobby", tunnel=url).connect()
    for url in ("http://127.0.0.1/", "ws:///x", "ws://h/a b\n"):
        with pytest.raises(ValueError, match="ws://"):
            NetConnection("rtmp://127.0.0.1/lobby", tunnel=url)


async def test_nobody_listens(unused_port: int):
    for connection in (
        NetConnection(f"rtmpt://127.0.0.1:{unused_port}/x"),
        NetConnection("rtmp://h/x", tunnel=f"ws://127.0.0.1:{unused_port}/"),
    ):
        with pytest.raises(OSError, match=r"[Cc]onnect"):
            await connection.connect()
