"""Clients that take all files which the process may open."""

import asyncio
import socket
from contextlib import ExitStack

import pytest

from tests.server.client import connection, rtmp_client
from tests.server.conftest import HTTP, RTMP
from tests.server.daphne import Daphne, daphne_command

FILES = 200


@pytest.fixture
def start_limited():
    """Starts daphne with a limit (`ulimit`'s options and number) on its files."""
    with ExitStack() as servers:

        def start(limit):
            command = ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh", *daphne_command(RTMP, HTTP)]
            server = Daphne(command)
            servers.callback(server.stop)
            server.wait_for_log("Serving rtmp on")
            return server

        yield start


@pytest.fixture
def crowd():
    """Opens so many connections, each with the first byte of a handshake."""
    with ExitStack() as sockets:

        def gather(port, count):
            for _ in range(count):
                sock = sockets.enter_context(socket.create_connection(("127.0.0.1", port), 20))
                sock.sendall(b"\3")

        yield gather
        sockets.close()


async def test_what_is_left_of_the_files_is_for_others(start_limited, crowd):
    server = start_limited(f"-n {FILES}")
    await asyncio.to_thread(crowd, server.port(), 2 * FILES)
    async with connection(server.port("http")) as (reader, writer):
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        assert (await reader.read()).endswith(b"hello")
    await asyncio.to_thread(server.wait_for_log, "no complete handshake", count=FILES // 2)
    async with rtmp_client(server.port()) as client:
        await client.connect()
        assert await client.call("echo.echo", 1) == 1
    server.wait_for_log("refused: 100 connections are open, of as many files as may be")
    assert "Traceback" not in server.log
    assert "out of system resource" not in server.log


async def test_the_soft_limit_is_raised_to_what_the_settings_allow(start_limited, crowd):
    server = start_limited(f"-Sn {FILES}")
    await asyncio.to_thread(crowd, server.port(), FILES)
    await asyncio.to_thread(server.wait_for_log, "no complete handshake", count=FILES)
    assert "refused" not in server.log
