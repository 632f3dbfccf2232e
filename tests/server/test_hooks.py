"""Hooks that raise, through the real server: what was asked is refused, everything else goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from rtmp_channels.client import (
    ConnectFailed,
    ConnectionClosed,
    NetConnection,
    SharedObjectFailed,
    StreamFailed,
)
from rtmp_channels.consumers import AsyncRtmpConsumer, remote
from rtmp_channels.instances import ApplicationInstance
from rtmp_channels.permissions import ANYONE
from rtmp_channels.protocol.commands import serialize_values
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.shared_objects.grants import Grant
from rtmp_channels.testing import LiveRtmpServer

ERRORS = [RuntimeError, SystemExit, KeyboardInterrupt]
FAILED = "NetConnection.Connect.Failed"


def fail(where: str) -> None:
    if where == Fragile.broken:
        raise Fragile.error("a bug")


class FragileInstance(ApplicationInstance):
    async def on_start(self) -> None:
        fail("on_start")

    async def on_stop(self) -> None:
        fail("on_stop of the instance")


class Fragile(AsyncRtmpConsumer):
    may_connect = may_call = ANYONE
    instance_class = FragileInstance
    broken = ""
    error: type[BaseException] = RuntimeError
    codes: list[str] = []  # noqa: RUF012

    async def connect(self) -> None:
        fail("connect")
        await self.accept()

    async def disconnect(self, code: str) -> None:
        Fragile.codes.append(code)
        fail("disconnect")

    async def on_publish(self, message: dict[str, Any]) -> bool:
        fail("on_publish")
        return True

    async def on_play(self, message: dict[str, Any]) -> bool:
        fail("on_play")
        return True

    async def on_unpublish(self, message: dict[str, Any]) -> None:
        fail("on_unpublish")

    async def on_stop(self, message: dict[str, Any]) -> None:
        fail("on_stop")

    async def on_shared_object(self, request: Any) -> Grant:
        fail("on_shared_object")
        return Grant()

    async def on_data(self, values: Any) -> None:
        fail("on_data")

    async def table_turned(self, message: dict[str, Any]) -> None:
        fail("table_turned")

    @remote
    async def turn(self) -> None:
        await self.channel_layer.send(self.channel_name, {"type": "table.turned"})

    @remote
    async def wait(self) -> None:
        await asyncio.Event().wait()

    @remote
    async def double(self, value: float) -> float:
        return value * 2


@pytest.fixture(params=ERRORS, ids=lambda error: error.__name__)
def server(request: pytest.FixtureRequest, monkeypatch: Any) -> Iterator[LiveRtmpServer]:
    monkeypatch.setattr(Fragile, "error", request.param)
    monkeypatch.setattr(Fragile, "codes", [])
    with LiveRtmpServer(Fragile.as_asgi()) as server:
        yield server
        monkeypatch.setattr(Fragile, "broken", "")
        assert asyncio.run(doubled(server)) == 4


async def doubled(server: LiveRtmpServer) -> Any:
    async with NetConnection(server.url("fragile/another")) as connection:
        return await connection.call("double", 2)


async def use_everything(connection: NetConnection) -> list[str]:
    """What is refused."""
    refused = []
    for use in ("publish", "play"):
        stream = await connection.create_stream()
        try:
            await getattr(stream, use)("show")
        except StreamFailed:
            refused.append(f"on_{use}")
        stream.close()
    try:
        await connection.shared_object("board").use()
    except SharedObjectFailed:
        refused.append("on_shared_object")
    data = serialize_values(["onData"])
    connection._connection().send_message(0, MessageType.DATA_AMF0, 0, data)
    return refused


async def test_hooks_that_are_asked(server, monkeypatch):
    for hook in ("on_publish", "on_play", "on_shared_object"):
        monkeypatch.setattr(Fragile, "broken", hook)
        async with NetConnection(server.url("fragile")) as connection:
            assert await use_everything(connection) == [hook]
            assert await connection.call("double", 4) == 8


async def test_hooks_that_are_told(server, monkeypatch, caplog):
    for hook in ("on_unpublish", "on_stop", "on_data", "disconnect", "on_stop of the instance"):
        monkeypatch.setattr(Fragile, "broken", hook)
        async with NetConnection(server.url("fragile")) as connection:
            assert await use_everything(connection) == []
            assert await connection.call("double", 4) == 8
    assert "rtmp.unpublish of 'show' failed" in caplog.messages
    assert "rtmp.stop of 'show' failed" in caplog.messages


async def test_who_connects_is_refused(server, monkeypatch):
    for hook in ("on_start", "connect"):  # the first one comes before: no `disconnect`
        monkeypatch.setattr(Fragile, "broken", hook)
        with pytest.raises(ConnectFailed, match=FAILED):
            await NetConnection(server.url("fragile")).connect()
    assert Fragile.codes == [FAILED]


async def test_handlers_of_the_channel_layer_end_the_connection(server, monkeypatch):
    monkeypatch.setattr(Fragile, "broken", "table_turned")
    connection = NetConnection(server.url("fragile"))
    statuses: list[Any] = []
    connection.on_status = statuses.append
    await connection.connect()
    connection.send("turn")
    assert await connection.wait_closed() == "closed by the server"
    assert [status["code"] for status in statuses] == [FAILED]
    assert Fragile.codes == [FAILED]
    with pytest.raises(ConnectionClosed):
        connection.send("turn")


async def test_who_waits_beyond_the_end_is_told_of_that_end(settings, monkeypatch):
    settings.RTMP_CHANNELS = {**settings.RTMP_CHANNELS, "DISCONNECT_TIMEOUT": 0.1}
    monkeypatch.setattr(Fragile, "codes", [])
    with LiveRtmpServer(Fragile.as_asgi()) as server:
        connection = NetConnection(server.url("fragile"))
        await connection.connect()
        await (await connection.create_stream()).publish("show")
        connection.send("wait")
        await connection.close()
        async with asyncio.timeout(20):
            while not Fragile.codes:
                await asyncio.sleep(0.01)
    assert Fragile.codes == ["NetConnection.Connect.Closed"]
