"""Four daphnes on one port: the kernel spreads the connections, Redis joins them, one may end."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from rtmp_channels.client import NetConnection
from tests.support.demo_server import DemoServer, run_demo_server
from tests.support.process import free_port

pytestmark = [pytest.mark.redis, pytest.mark.timeout(180)]

PROCESSES = 4
CLIENTS = 60
"""Enough that each process has some, but for one run in ten million."""


class Listener:
    """A client in the room, and what it hears."""

    def __init__(self, port: int) -> None:
        self.heard: list[str] = []
        self.codes: list[str] = []
        self.connection = NetConnection(f"rtmp://127.0.0.1:{port}/lobby/all", timeout=60)
        self.connection.method("onSay")(self.heard.append)
        self.connection.on_status = lambda information: self.codes.append(information["code"])


async def hears(listeners: list[Listener], text: str) -> None:
    """Waits until all of them have heard it."""
    async with asyncio.timeout(60):
        while not all(text in listener.heard for listener in listeners):
            await asyncio.sleep(0.02)  # what other processes do offers no event to wait for


async def test_four_processes_share_a_port(
    redis_url: str, tmp_path: Path, migrated_database: Path
) -> None:
    port = free_port()
    endpoints = [f"rtmp:port={port}:interface=127.0.0.1:reuseport=1"]
    environment = {"REDIS_URL": redis_url}
    running = [
        run_demo_server(
            tmp_path, database=migrated_database, endpoints=endpoints, environment=environment
        )
        for _ in range(PROCESSES)
    ]
    async with AsyncExitStack() as stack:
        servers: list[DemoServer] = await asyncio.gather(
            *(asyncio.to_thread(each.__enter__) for each in running)
        )
        leaving, *staying = running
        for each in staying:
            stack.push_async_callback(asyncio.to_thread, each.__exit__, None, None, None)
        listeners = [Listener(port) for _ in range(CLIENTS)]
        for listener in listeners:
            await stack.enter_async_context(listener.connection)

        await listeners[0].connection.call("lobby.say", "hello")
        await hears(listeners[1:], "hello")
        assert Counter(listener.heard.count("hello") for listener in listeners[1:]) == {
            1: CLIENTS - 1
        }

        await asyncio.to_thread(leaving.__exit__, None, None, None)  # SIGTERM, and exit code 0
        ended = [listener for listener in listeners if "AppShutdown" in str(listener.codes)]
        for listener in ended:
            await listener.connection.wait_closed()
        rest = [listener for listener in listeners if listener.connection.is_connected]
        assert 0 < len(ended) == CLIENTS - len(rest) < CLIENTS
        assert not any(listener.codes for listener in rest)

        newcomers = [Listener(port) for _ in range(10)]
        for listener in newcomers:
            await stack.enter_async_context(listener.connection)
        await rest[0].connection.call("lobby.say", "still here")
        await hears([*rest[1:], *newcomers], "still here")
        assert all(server.process.poll() is None for server in servers[1:])
