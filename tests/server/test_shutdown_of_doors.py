"""SIGTERM: whichever way a client came in, it is told, and its application ends by itself."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from rtmp_channels.protocol.events import StatusReceived
from tests.server.doors import SCHEMES, enter, server_with_doors, shake_hands


async def test_everyone_is_told_nobody_new_is_taken_and_the_end_is_clean(tmp_path):
    with server_with_doors(tmp_path) as doors:
        server = doors.server
        async with AsyncExitStack() as stack:
            clients = [await doors.enter(scheme, stack) for scheme in SCHEMES]
            for client in clients:
                assert await enter(client, "tidy")
            for scheme in SCHEMES:  # who is not in yet holds nothing up
                await doors.enter(scheme, stack)
                await shake_hands(await doors.enter(scheme, stack))
            waiting = [asyncio.create_task(client.wait_for(StatusReceived)) for client in clients]
            server.process.terminate()
            codes = [(await told).information["code"] for told in waiting]
            assert codes == ["NetConnection.Connect.AppShutdown"] * len(SCHEMES)
            for port in (doors.rtmp, doors.rtmps):
                with pytest.raises(ConnectionRefusedError):
                    await asyncio.open_connection("127.0.0.1", port)
            told = "tidy: rtmp.disconnect NetConnection.Connect.AppShutdown"
            await asyncio.to_thread(server.wait_for_log, told, count=len(SCHEMES))
            assert await asyncio.to_thread(server.process.wait, 20) == 0
