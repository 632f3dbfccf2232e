"""`self.call` of consumers, async and sync, over sockets: results, errors, time-outs, ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from amf_remoting.exceptions import Fault
from rtmp_channels.client import CallFailed, ConnectionClosed, NetConnection
from rtmp_channels.consumers import AsyncRtmpConsumer, concurrent, remote
from rtmp_channels.permissions import ANYONE
from rtmp_channels.routing import RtmpRouter
from rtmp_channels.sync_consumers import RtmpConsumer
from rtmp_channels.testing import LiveRtmpServer

NEVER = object()
"""Not to be written as AMF."""


class Asking(AsyncRtmpConsumer):
    may_connect = may_call = ANYONE
    ends: list[str]
    """What calls raised when the connection had ended."""

    @remote
    async def ask(self, method: str, seconds: float) -> Any:
        return await self.call(method, timeout=seconds)

    @remote
    async def ask_nonsense(self) -> Any:
        return await self.call("answer", NEVER)

    @remote
    @concurrent
    async def ask_in_turn(self, depth: float) -> Any:
        return await self.call("turn", depth - 1) if depth else "the bottom"

    @remote
    async def ask_after_the_end(self) -> None:
        await self.close()
        await self.ask_and_note()

    async def disconnect(self, code: str) -> None:
        await self.ask_and_note()

    async def ask_and_note(self) -> None:
        try:
            await self.call("answer")
        except ConnectionClosed as error:
            self.ends.append(type(error).__name__)


class AskingInThreads(RtmpConsumer):
    may_connect = may_call = ANYONE
    ends: list[str]
    """What calls raised when the connection had ended."""

    @remote
    def ask(self, method: str, seconds: float) -> Any:
        return self.call(method, timeout=seconds)

    @remote
    def ask_nonsense(self) -> Any:
        return self.call("answer", NEVER)

    @remote
    @concurrent
    def ask_in_turn(self, depth: float) -> Any:
        return self.call("turn", depth - 1) if depth else "the bottom"

    @remote
    def ask_after_the_end(self) -> None:
        self.close()
        self.ask_and_note()

    def disconnect(self, code: str) -> None:
        self.ask_and_note()

    def ask_and_note(self) -> None:
        try:
            self.call("answer")
        except ConnectionClosed as error:
            self.ends.append(type(error).__name__)


@pytest.fixture(scope="module")
def server() -> Iterator[LiveRtmpServer]:
    router = RtmpRouter({"async": Asking.as_asgi(), "sync": AskingInThreads.as_asgi()})
    with LiveRtmpServer(router) as server:
        yield server


@pytest.fixture(params=["async", "sync"])
async def client(server: LiveRtmpServer, request: pytest.FixtureRequest, monkeypatch: Any) -> Any:
    ends: list[str] = []
    for consumer in (Asking, AskingInThreads):
        monkeypatch.setattr(consumer, "ends", ends, raising=False)
    connection = NetConnection(server.url(request.param), timeout=20)
    connection.method("answer")(lambda *values: "an answer")
    connection.method("turn")(lambda depth: connection.call("ask_in_turn", depth))

    @connection.method("refuse")
    def refuse() -> None:
        raise Fault("Client.Busy", "Not now.")

    @connection.method("wait")
    async def wait() -> None:
        await asyncio.Event().wait()

    await connection.connect()
    yield connection
    await connection.close()
    wanted = ["ConnectionClosed"] * (2 if request.node.name.startswith("test_calls_after") else 1)
    async with asyncio.timeout(20):
        while ends != wanted:
            await asyncio.sleep(0.01)


async def test_answers_errors_and_silence(client: NetConnection) -> None:
    for _ in range(2):  # what went wrong the first time leaves nothing behind
        assert await client.call("ask", "answer", 20) == "an answer"
        with pytest.raises(CallFailed, match=r"Client\.Busy: Not now\."):
            await client.call("ask", "refuse", 20)
        with pytest.raises(CallFailed, match="No method unknown"):
            await client.call("ask", "unknown", 20)
        for seconds in (0, 0.05):
            with pytest.raises(CallFailed, match=r"NetConnection\.Call\.TimedOut"):
                await client.call("ask", "wait", seconds)
        with pytest.raises(CallFailed, match=r"Server\.Processing"):
            await client.call("ask_nonsense")


async def test_calls_within_calls(client: NetConnection) -> None:
    assert await client.call("ask_in_turn", 5) == "the bottom"


async def test_calls_after_the_end(client: NetConnection) -> None:
    with pytest.raises(ConnectionClosed):
        await client.call("ask_after_the_end")
