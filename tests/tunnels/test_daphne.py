"""Both tunnels on a real daphne that opens no RTMP endpoint: calls, stalls, the end."""

import asyncio

import pytest

from rtmp_channels.protocol.events import ConnectAccepted, StatusReceived
from tests.server.client import connection
from tests.server.conftest import HTTP
from tests.server.daphne import Daphne, daphne_command

from .peers import HttpClient, WebSocketClient

WINDOW = 16_384
ALLOWED = 10_000_000
"""Bytes that one who does not read may cost."""


@pytest.fixture
def server():
    server = Daphne(daphne_command(HTTP))
    server.wait_for_log("Listening on")
    yield server
    server.stop()


def http_port(server):
    (port,) = server.ports_of("Listening on TCP address")
    return port


async def test_rtmpt_on_daphne(server):
    client = await asyncio.to_thread(HttpClient, http_port(server))
    assert isinstance(await client.connect("lobby"), ConnectAccepted)
    value = "x" * 300_000
    assert await client.call("echo.echo", value) == value
    server.process.terminate()
    # daphne cancels requests, even one whose application has not begun: that one has no answer.
    await asyncio.to_thread(server.wait_for_log, "Killed . pending application")
    status = await client.wait_for(StatusReceived)
    assert status.information["code"] == "NetConnection.Connect.AppShutdown"
    assert await asyncio.to_thread(server.process.wait, 20) == 0
    client.http.close()
    assert "Traceback" not in server.log


async def test_rtmpt_with_a_connection_for_each_request(server):
    """As behind a proxy, which may spread them over as many as it likes."""
    client = await asyncio.to_thread(HttpClient, http_port(server), is_kept=False)
    await client.connect("lobby")
    for number in range(20):
        assert await client.call("echo.echo", number) == number


async def test_websocket_on_daphne(server):
    async with connection(http_port(server)) as (reader, writer):
        client = await WebSocketClient(reader, writer).open()
        assert isinstance(await client.connect("lobby"), ConnectAccepted)
        value = "x" * 300_000
        assert await client.call("echo.echo", value) == value
        server.process.terminate()
        status = await client.wait_for(StatusReceived)
        assert status.information["code"] == "NetConnection.Connect.AppShutdown"
        assert await client.frame() == (8, b"\x03\xe8")
    assert await asyncio.to_thread(server.process.wait, 20) == 0
    assert "Traceback" not in server.log


async def test_one_who_does_not_read_costs_little(server):
    port = http_port(server)
    async with connection(port) as (reader, writer):
        client = await WebSocketClient(reader, writer).open()
        await client.connect("lobby")
        await client.call("echo.echo", "x" * 300_000)
    async with connection(port, window=WINDOW) as (reader, writer):
        client = await WebSocketClient(reader, writer).open()
        before = server.rss
        await client.connect("flood")
        await asyncio.to_thread(server.wait_for_log, "stalled after .* over rtmp")
        assert server.rss - before < ALLOWED


async def test_one_who_asks_and_does_not_read_costs_little(server):
    """Polls are sent ahead on one connection, and no answer is read."""
    port = http_port(server)
    client = await asyncio.to_thread(HttpClient, port)
    await client.connect("lobby")
    await client.call("echo.echo", "x" * 300_000)
    async with connection(port, window=WINDOW) as (_, writer):
        flooded = await asyncio.to_thread(HttpClient, port)
        await flooded.connect("flood")
        before = server.rss
        for _ in range(50):
            target = f"/idle/{flooded.id}/{flooded.number}"
            flooded.number += 1
            writer.write(
                f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-fcs\r\n"
                "Content-Length: 1\r\n\r\n0".encode()
            )
        await asyncio.to_thread(server.wait_for_log, "stalled after .* over rtmp")
        assert server.rss - before < ALLOWED
        flooded.http.close()
    client.http.close()
