"""The limits on clients hold on every way in, and each way leaves its line and its count."""

import asyncio
import json
import re
from contextlib import AsyncExitStack, closing, suppress

import pytest

from rtmp_channels.protocol.errors import ProtocolError
from rtmp_channels.protocol.events import (
    ConnectAccepted,
    ConnectRejected,
    HandshakeCompleted,
    ResultReceived,
)
from tests.interop.tls import self_signed
from tests.server.client import Closed, RtmpClient, connection, rtmp_client
from tests.server.conftest import HTTP, RTMP, trusting_nobody
from tests.server.daphne import Daphne, daphne_command
from tests.server.test_limits import begun
from tests.tunnels.peers import HttpClient, Refused, WebSocketClient

SCHEMES = ("rtmp", "rtmps", "rtmpt", "ws")
WINDOW = 4_096

LIMITS = {
    "HANDSHAKE_TIMEOUT": 1.0,
    "CONNECT_TIMEOUT": 1.0,
    "PING_TIMEOUT": 2.0,
    "MAX_CALLS_IN_FLIGHT": 3,
    "MAX_CALLS_PER_SECOND": 20,
    "MAX_QUEUED_EVENTS": 8,
    "MAX_UNSENT_BYTES": 500_000,
    "MAX_MESSAGE_LENGTH": 150_000,
    "MAX_PARTIAL_BYTES": 250_000,
    "MAX_CHUNK_STREAMS": 6,
}


class Doors:
    """One server's ways in."""

    def __init__(self, server):
        self.server = server
        self.rtmp, self.rtmps = server.port("rtmp"), server.port("rtmps")
        self.http = server.port("http")

    async def enter(self, scheme, stack, *, window=None):
        """A client that has said nothing yet."""
        match scheme:
            case "rtmp" | "rtmps":
                port, tls = getattr(self, scheme), trusting_nobody() if scheme == "rtmps" else None
                return await stack.enter_async_context(rtmp_client(port, window=window, ssl=tls))
            case "rtmpt":
                client = await asyncio.to_thread(HttpClient, self.http)
                stack.enter_context(closing(client.http))
                return client
            case "ws":
                ends = await stack.enter_async_context(connection(self.http, window=window))
                return await WebSocketClient(*ends).open()

    async def counters(self):
        async with rtmp_client(self.rtmp) as client:
            assert isinstance(await client.connect("counting"), ConnectAccepted)
            return await client.call("counters")


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Starts a server with all four doors and these settings."""
    certificate, key = self_signed(tmp_path_factory.mktemp("doors"))
    rtmps = f"rtmps:port=0:interface=127.0.0.1:privateKey={key}:certKey={certificate}"
    servers = []

    def start(**settings):
        environment = {"TEST_RTMP_SETTINGS": json.dumps(settings)}
        server = Daphne(daphne_command(HTTP, RTMP, rtmps), environment)
        servers.append(server)
        return Doors(server)

    yield start
    for server in servers:
        assert server.stop() == 0
        assert "Traceback" not in server.log


@pytest.fixture(scope="module")
def doors(start):
    return start(**LIMITS)


async def say(client):
    """What the connection has queued leaves, and perhaps something comes."""
    if isinstance(client, RtmpClient):
        await client.flush()
    elif isinstance(client, WebSocketClient):
        client.send(client.connection.data_to_send())
    else:
        await client.exchange()


async def send(client, data):
    """Bytes that the client's own floor would not write."""
    if isinstance(client, RtmpClient):
        client.writer.write(data)
    elif isinstance(client, WebSocketClient):
        client.send(data)
    else:
        client.number += 1
        target = f"/send/{client.id}/{client.number - 1}"
        await asyncio.to_thread(client.post, target, data)


async def ended(client):
    """Takes what comes, answering nothing, until the server ends the connection."""
    client.connection.receive_data = lambda data: []
    client.connection.data_to_send = lambda: b""
    with suppress(Closed, Refused, ConnectionError, ProtocolError, asyncio.IncompleteReadError):
        async with asyncio.timeout(20):
            while True:
                if isinstance(client, RtmpClient):
                    await client.receive()
                elif isinstance(client, WebSocketClient):
                    if (await client.frame())[0] == 8:
                        return
                else:
                    await client.exchange()


async def says_nothing(client):
    await ended(client)


async def shake_hands(client):
    await say(client)
    await client.wait_for(HandshakeCompleted)
    await say(client)


async def shakes_hands(client):
    await shake_hands(client)
    await ended(client)


async def enters(client, app="counting"):
    await shake_hands(client)
    client.connection.send_connect({"app": app, "tcUrl": f"rtmp://127.0.0.1/{app}"})
    await say(client)
    answer = await client.wait_for((ConnectAccepted, ConnectRejected))
    assert isinstance(answer, ConnectAccepted)


async def enters_and_says_nothing(client):
    await enters(client)
    await ended(client)


def breaks(*pieces):
    async def sends(client):
        await enters(client)
        with suppress(Refused, ConnectionError):  # it may be over before all is said
            for piece in pieces:
                await send(client, piece)
        await ended(client)

    return sends


def calls(method, *arguments, count, answered, code):
    """So many calls at once; one more, which wants an answer, is refused."""

    async def call(client):
        await enters(client, "lobby/doors")
        for _ in range(count):
            client.connection.send_call(method, arguments, expect_result=answered)
        number = client.connection.send_call(method, arguments, expect_result=True)
        await say(client)
        answer = await client.wait_for(ResultReceived, transaction_id=number)
        assert answer.values[0]["code"] == code

    return call


async def calls_without_end(client):
    await enters(client, "stuck")
    for _ in range(20):
        client.connection.send_call("anything")
    await say(client)


CASES = {
    "handshake_time": (says_nothing, "no complete handshake within 1 s"),
    "connect_time": (shakes_hands, "no connect command within 1 s"),
    "idle_time": (enters_and_says_nothing, "nothing received for 2 s"),
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
            await enters(await doors.enter(scheme, stack, window=WINDOW), "lobby/loud")
        speaker = await doors.enter("rtmp", stack)
        await enters(speaker, "lobby/loud")
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


async def test_limits_of_connections_on_each_door(start):
    """Those who are in are of all doors, and so are those who are not let in."""
    doors = start(MAX_CONNECTIONS=6, MAX_CONNECTIONS_PER_ADDRESS=4, TUNNEL_TIMEOUT=60.0)
    async with AsyncExitStack() as stack:
        clients = [await doors.enter(scheme, stack) for scheme in SCHEMES]
        await asyncio.gather(*map(enters, clients))
        assert [await is_let_in(doors, scheme) for scheme in SCHEMES] == [False] * 4
        line = "refused: 4 connections from that address are open"
        await asyncio.to_thread(doors.server.wait_for_log, line)
        for _ in range(2):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", doors.rtmp, local_addr=("127.0.0.2", 0)
            )
            stack.callback(writer.close)
            await enters(RtmpClient(reader, writer))
        assert [await is_let_in(doors, scheme) for scheme in SCHEMES] == [False] * 4
        await asyncio.to_thread(doors.server.wait_for_log, "refused: 6 connections are open")
        asks, *_ = clients
        counted = await asks.call("counters")
    assert (counted["connections_per_address"], counted["connections"]) == (4, 4)
