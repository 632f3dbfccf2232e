"""A publisher that ends in every way, over sockets: one unpublish, players are told, the name is
free."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from rtmp_channels import push
from rtmp_channels.client import NetConnection, NetStream
from rtmp_channels.consumers import AsyncRtmpConsumer, remote
from rtmp_channels.permissions import ANYONE
from rtmp_channels.testing import LiveRtmpServer
from tests.media import flv

ENDED = ["NetStream.Play.UnpublishNotify", "NetStream.Play.Stop"]
RESET = b"\1\0\0\0\0\0\0\0"
PINGS = {"PING_INTERVAL": 0.1, "PING_TIMEOUT": 0.3}


class Studio(AsyncRtmpConsumer):
    may_connect = may_call = may_play = ANYONE
    heard: asyncio.Queue[str]
    """Names of streams that were unpublished."""
    loop: asyncio.AbstractEventLoop
    """The test's."""

    async def on_publish(self, message: dict[str, Any]) -> dict[str, str]:
        return {"policy": "take_over" if message["query_string"] else "refuse"}

    async def on_unpublish(self, message: dict[str, Any]) -> None:
        self.loop.call_soon_threadsafe(self.heard.put_nowait, message["stream_name"])

    @remote
    async def id(self) -> str:
        return self.connection_id

    @remote
    async def leave(self) -> None:
        await self.close()

    @remote
    async def fail(self) -> None:
        raise asyncio.CancelledError


@pytest.fixture
async def studio(settings: Any, monkeypatch: Any) -> None:
    settings.RTMP_CHANNELS = {**settings.RTMP_CHANNELS, **PINGS}
    monkeypatch.setattr(Studio, "heard", asyncio.Queue(), raising=False)
    monkeypatch.setattr(Studio, "loop", asyncio.get_running_loop(), raising=False)


@pytest.fixture
async def server(studio: None) -> AsyncIterator[LiveRtmpServer]:
    server = LiveRtmpServer(Studio.as_asgi())
    await asyncio.to_thread(server.__enter__)
    yield server
    await asyncio.to_thread(server.__exit__)


Publisher = tuple[NetConnection, NetStream]


async def fc_unpublish(connection: NetConnection, stream: NetStream) -> None:
    connection.send("FCUnpublish", "show")


async def delete_stream(connection: NetConnection, stream: NetStream) -> None:
    connection.send("deleteStream", stream.id)


async def close_stream(connection: NetConnection, stream: NetStream) -> None:
    connection._connection().send_call("closeStream", message_stream_id=stream.id)
    connection.flush()


async def publish_false(connection: NetConnection, stream: NetStream) -> None:
    connection._connection().send_call("publish", [False], message_stream_id=stream.id)
    connection.flush()


async def all_of_them(connection: NetConnection, stream: NetStream) -> None:
    for way in (fc_unpublish, close_stream, delete_stream, publish_false, close):
        await way(connection, stream)


async def close(connection: NetConnection, stream: NetStream) -> None:
    await connection.close()


async def reset(connection: NetConnection, stream: NetStream) -> None:
    transport = connection._wire._transport  # type: ignore[union-attr]
    linger = (socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    transport.get_extra_info("socket").setsockopt(*linger)  # type: ignore[union-attr]
    transport.abort()  # type: ignore[union-attr]


async def kick(connection: NetConnection, stream: NetStream) -> None:
    await push.akick_client(await connection.call("id"))


async def closed_by_the_application(connection: NetConnection, stream: NetStream) -> None:
    connection.send("leave")


async def cancelled_application(connection: NetConnection, stream: NetStream) -> None:
    connection.send("fail")


async def broken_protocol(connection: NetConnection, stream: NetStream) -> None:
    connection._connection().send_raw(b"\xca" * 20)
    connection.flush()


async def silence(connection: NetConnection, stream: NetStream) -> None:
    connection._wire.pause()  # type: ignore[union-attr]  # nothing answers the pings


WAYS = [
    *(fc_unpublish, delete_stream, close_stream, publish_false, all_of_them, close, reset, kick),
    *(closed_by_the_application, cancelled_application, broken_protocol, silence),
]


async def publish(server: LiveRtmpServer, name: str = "show") -> Publisher:
    connection = NetConnection(server.url("studio"))
    await connection.connect()
    stream = await connection.create_stream()
    await stream.publish(name)
    return connection, stream


async def to_the_end(playing: NetStream) -> list[str]:
    """The status codes of a player from its start on."""
    async with asyncio.timeout(20):
        async for _ in playing:
            pass
        while playing.statuses[-1]["code"] != ENDED[-1]:
            await asyncio.sleep(0.01)
    return [status["code"] for status in playing.statuses][2:]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_of_the_publisher(
    server: LiveRtmpServer, way: Callable[[NetConnection, NetStream], Awaitable[None]]
) -> None:
    connection, stream = await publish(server)
    key = flv.key(0)
    stream.send_video(key.timestamp, key.payload)
    async with NetConnection(server.url("studio")) as player:
        playing = await player.create_stream()
        await playing.play("show")
        await way(connection, stream)
        assert await to_the_end(playing) == ENDED
        assert await asyncio.wait_for(Studio.heard.get(), 20) == "show"
        again, _ = await publish(server)  # the name is free
        await again.close()
        assert await asyncio.wait_for(Studio.heard.get(), 20) == "show"
    await connection.close()
    assert Studio.heard.empty()


async def test_another_publisher_takes_over(server: LiveRtmpServer) -> None:
    first, stream = await publish(server)
    async with NetConnection(server.url("studio")) as player:
        playing = await player.create_stream()
        await playing.play("show")
        second, _ = await publish(server, "show?take_over")
        assert await asyncio.wait_for(Studio.heard.get(), 20) == "show"
        assert [status["code"] for status in stream.statuses][-1] == "NetStream.Publish.BadName"
        await second.close()
        assert await to_the_end(playing) == ENDED
        assert await asyncio.wait_for(Studio.heard.get(), 20) == "show"
    await first.close()
    assert Studio.heard.empty()


async def test_the_server_stops(studio: None) -> None:
    codes: list[str] = []
    server = LiveRtmpServer(Studio.as_asgi())
    await asyncio.to_thread(server.__enter__)
    connection, _ = await publish(server)
    player = NetConnection(server.url("studio"))
    player.on_status = lambda information: codes.append(information["code"])
    await player.connect()
    await (await player.create_stream()).play("show")
    await asyncio.to_thread(server.__exit__)
    assert await connection.wait_closed() == await player.wait_closed() == "closed by the server"
    assert codes == ["NetConnection.Connect.AppShutdown"]
    assert await asyncio.wait_for(Studio.heard.get(), 20) == "show"
    assert Studio.heard.empty()
