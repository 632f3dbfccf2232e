"""Clients that take all files which the process may open."""

import asyncio
import socket
from contextlib import ExitStack, suppress

import pytest

from tests.server.client import Closed, connection, rtmp_client
from tests.server.conftest import HTTP, RTMP
from tests.server.daphne import Daphne, daphne_command

FILES = 200
FOR_LONG = {"TEST_HANDSHAKE_TIMEOUT": "60"}
"""On a machine that is busy a crowd takes its time to come together."""


@pytest.fixture
def start_limited():
    """Starts daphne with a limit (`ulimit`'s options and number) on its files."""
    with ExitStack() as servers:

        def start(limit, **environment):
            command = ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh", *daphne_command(RTMP, HTTP)]
            server = Daphne(command, environment)
            servers.callback(server.stop)
            server.wait_for_log("Serving rtmp on")
            return server

        yield start


@pytest.fixture
def crowd():
    """Opens so many connections, each with a first byte; returns what ends them."""
    with ExitStack() as sockets:

        def gather(port, count):
            for _ in range(count):
                sock = sockets.enter_context(socket.create_connection(("127.0.0.1", port), 20))
                sock.sendall(b"\3")
            return sockets.close

        yield gather


async def connected_once_more(port):
    """When the server has seen that there is room again."""
    async with asyncio.timeout(20):
        while True:
            with suppress(Closed, ConnectionError):
                async with rtmp_client(port) as client:
                    await client.connect()
                    assert await client.call("echo.echo", 1) == 1
                    return


async def test_what_is_left_of_the_files_is_for_others(start_limited, crowd):
    server = start_limited(f"-n {FILES}", **FOR_LONG)
    disperse = await asyncio.to_thread(crowd, server.port(), 2 * FILES)
    refused = "refused: 100 connections are open, of as many files as may be"
    await asyncio.to_thread(server.wait_for_log, refused)
    async with connection(server.port("http")) as (reader, writer):
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        assert (await reader.read()).endswith(b"hello")
    disperse()
    await connected_once_more(server.port())
    assert "Traceback" not in server.log
    assert "out of system resource" not in server.log


async def test_the_soft_limit_is_raised_to_what_the_settings_allow(start_limited, crowd):
    server = start_limited(f"-Sn {FILES}")
    await asyncio.to_thread(crowd, server.port(), FILES)
    await asyncio.to_thread(server.wait_for_log, "no complete handshake", count=FILES)
    assert "refused" not in server.log
