"""A client that is gone without a word, on a real server."""

import asyncio

import pytest

from rtmp_channels.client import NetConnection
from tests.server.client import rtmp_client
from tests.server.conftest import RTMP


@pytest.fixture
def impatient(start_daphne):
    server = start_daphne(RTMP, TEST_PING_INTERVAL="0.3", TEST_PING_TIMEOUT="1.5")
    return server, server.port()


async def test_one_who_answers_no_ping_is_ended_and_one_who_does_is_not(impatient):
    server, port = impatient
    async with (
        NetConnection(f"rtmp://127.0.0.1:{port}/lobby/alive") as alive,
        rtmp_client(port) as dead,
    ):
        await dead.connect("lobby/dead")
        [line] = await asyncio.to_thread(server.wait_for_log, "nothing received for 1.5 s")
        assert "/lobby/dead" in line
        async with asyncio.timeout(10):
            while await dead.reader.read(65536):
                pass
        assert alive.is_connected
        assert await alive.call("echo.echo", 1) == 1
