"""The limits on clients hold on every way in, and each way leaves its line and its count."""

import asyncio
import re
from contextlib import AsyncExitStack, suppress

import pytest

from rtmp_channels.protocol.events import ResultReceived
from tests.server.client import Closed, RtmpClient
from tests.server.doors import SCHEMES, ended, enter, say, send, server_with_doors, shake_hands
from tests.server.test_limits import begun
from tests.tunnels.peers import Refused

WINDOW = 4_096

LIMITS = {
    "HANDSHAKE_TIMEOUT": 3.0,
    "CONNECT_TIMEOUT": 3.0,
    "PING_TIMEOUT": 4.0,
    "MAX_CALLS_IN_FLIGHT": 3,
    "MAX_CALLS_PER_SECOND": 20,
    "MAX_QUEUED_EVENTS": 8,
    "MAX_UNSENT_BYTES": 500_000,
    "MAX_MESSAGE_LENGTH": 150_000,
    "MAX_PARTIAL_BYTES": 250_000,
    "MAX_CHUNK_STREAMS": 6,
}


@pytest.fixture(scope="module")
def doors(tmp_path_factory):
    with server_with_doors(tmp_path_factory.mktemp("doors"), **LIMITS) as doors:
        yield doors


async def says_nothing(client):
    await ended(client)


async def shakes_hands(client):
    await shake_hands(client)
    await ended(client)


async def enters_and_says_nothing(client):
    assert await enter(client)
    await ended(client)


def breaks(*pieces):
    async def sends(client):
        assert await enter(client)
        with suppress(Refused, ConnectionError):  # it may be over before all is said
            for piece in pieces:
                await send(client, piece)
        await ended(client)

    return sends


def calls(method, *arguments, count, answered, code):
    """So many calls at once; one more, which wants an answer, is refused."""

    async def call(client):
        assert await enter(client, "lobby/doors")
        for _ in range(count):
            client.connection.send_call(method, arguments, expect_result=answered)
        number = client.connection.send_call(method, arguments, expect_result=True)
        await say(client)
        answer = await client.wait_for(ResultReceived, transaction_id=number)
        assert answer.values[0]["code"] == code

    return call


async def calls_without_end(client):
    assert await enter(client, "stuck")
    for _ in range(20):
        client.connection.send_call("anything")
    await say(client)


CASES = {
    "handshake_time": (says_nothing, "no complete handshake within 3 s"),
    "connect_time": (shakes_hands, "no connect command within 3 s"),
    "idle_time": (enters_and_says_nothing, "nothing received for 4 s"),
    "message_length": (breaks(begun(150_001, 3)), "a message of 150001 bytes"),
    "chunk_streams": (
        breaks(*(begun(9, number) for number in range(10, 17))),  # of a number each
        "more than 6 chunk streams",
    ),
    "partial_bytes": (
        breaks(*(begun(140_000, number) for number in range(10, 15))),
        "more than 250000 bytes of unfinished messages",
    ),
    "calls_in_flight": (
        calls("hang", count=3, answered=True, code="Server.Busy"),
        "3 calls are not answered yet",
    ),
    "calls_per_second": (
        calls("length", "x", count=25, answered=False, code="Client.Throttled"),
        "more than 20 calls in a second",
    ),
    "queued": (calls_without_end, "is not read until the application has caught up"),
}


@pytest.mark.parametrize("limit", CASES)
async def test_each_limit_on_each_door(doors, limit):
    life, reason = CASES[limit]
    before = await doors.counters()
    async with AsyncExitStack() as stack:
        clients = [await doors.enter(scheme, stack) for scheme in SCHEMES]
        await asyncio.gather(*map(life, clients))
        for scheme in SCHEMES:
            pattern = rf"{scheme} 127\.0\.0\.1:\d+.*: {re.escape(reason)}"
            await asyncio.to_thread(doors.server.wait_for_log, pattern)
        after = await doors.counters()
    assert after[limit] - before.get(limit, 0) >= len(SCHEMES)


async def test_one_who_does_not_read_on_each_door(doors):
    before = await doors.counters()
    async with AsyncExitStack() as stack:
        for scheme in SCHEMES:
            assert await enter(await doors.enter(scheme, stack, window=WINDOW), "lobby/loud")
        speaker = await doors.enter("rtmp", stack)
        assert await enter(speaker, "lobby/loud")
        await speaker.call("shout", 60)
        for scheme in SCHEMES:
            pattern = rf"{scheme} 127\.0\.0\.1:\d+ /lobby/loud: cut: it reads too slowly"
            await asyncio.to_thread(doors.server.wait_for_log, pattern)
        after = await doors.counters()
    assert after["unsent_bytes"] - before.get("unsent_bytes", 0) == len(SCHEMES)


async def is_let_in(doors, scheme):
    """Whether the server takes one more."""
    try:
        async with AsyncExitStack() as stack:
            await shake_hands(await doors.enter(scheme, stack))
    except (Closed, Refused, ConnectionError, asyncio.IncompleteReadError, AssertionError):
        return False
    return True


async def test_limits_of_connections_on_each_door(tmp_path):
    """Those who are in are of all doors, and so are those who are not let in."""
    limits = {"MAX_CONNECTIONS": 6, "MAX_CONNECTIONS_PER_ADDRESS": 4, "TUNNEL_TIMEOUT": 60.0}
    async with AsyncExitStack() as stack:
        doors = stack.enter_context(server_with_doors(tmp_path, **limits))
        clients = [await doors.enter(scheme, stack) for scheme in SCHEMES]
        assert await asyncio.gather(*map(enter, clients)) == [True] * 4
        assert [await is_let_in(doors, scheme) for scheme in SCHEMES] == [False] * 4
        line = "refused: 4 connections from that address are open"
        await asyncio.to_thread(doors.server.wait_for_log, line)
        for _ in range(2):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", doors.rtmp, local_addr=("127.0.0.2", 0)
            )
            stack.callback(writer.close)
            assert await enter(RtmpClient(reader, writer))
        assert [await is_let_in(doors, scheme) for scheme in SCHEMES] == [False] * 4
        await asyncio.to_thread(doors.server.wait_for_log, "refused: 6 connections are open")
        asks, *_ = clients
        counted = await asks.call("counters")
    assert (counted["connections_per_address"], counted["connections"]) == (4, 4)
