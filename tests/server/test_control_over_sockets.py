"""Control messages, aggregates and handshakes by hand-made bytes, through the real server."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from rtmp_channels.connections.current import rosters
from rtmp_channels.consumers import AsyncRtmpConsumer, remote
from rtmp_channels.permissions import ANYONE
from rtmp_channels.protocol import digest
from rtmp_channels.protocol.commands import serialize_values
from rtmp_channels.protocol.events import (
    AcknowledgementReceived,
    MediaReceived,
    StatusReceived,
    StreamCreated,
)
from rtmp_channels.protocol.handshake import ClientHandshake
from rtmp_channels.testing import LiveRtmpServer
from tests.protocol.chunks import chunk, message, u32
from tests.protocol.test_aggregate import tag
from tests.support.rtmp_client import RtmpClient

SET_CHUNK_SIZE, ABORT, WINDOW, CALL, AGGREGATE = 1, 2, 5, 20, 22


class Echo(AsyncRtmpConsumer):
    may_connect = may_call = may_publish = may_play = ANYONE

    @remote
    async def echo(self, value: Any) -> Any:
        return value

    @remote
    async def id(self) -> str:
        return self.connection_id


@pytest.fixture
def server(settings: Any) -> Iterator[LiveRtmpServer]:
    settings.RTMP_CHANNELS = {**settings.RTMP_CHANNELS, "PING_INTERVAL": 0.1}
    with LiveRtmpServer(Echo.as_asgi()) as server:
        yield server


@pytest.fixture
def client(server: LiveRtmpServer) -> Iterator[RtmpClient]:
    with RtmpClient(server.port, "echo") as client:
        client.socket.sendall(message(u32(128), type=SET_CHUNK_SIZE, chunk_size=4))
        yield client


def echo(value: Any, transaction_id: int) -> bytes:
    return serialize_values(["echo", transaction_id, None, value])


def stream_command(client: RtmpClient, stream: int, name: str, *arguments: Any) -> None:
    client.connection.send_call(name, arguments, message_stream_id=stream)
    command = client.connection.data_to_send()
    client.socket.sendall(command)
    client.wait_for(
        lambda event: (
            isinstance(event, StatusReceived) and event.information["code"][-5:] == "Start"
        )
    )


def create_stream(client: RtmpClient) -> int:
    client.connection.send_create_stream()
    client.flush()
    created = client.wait_for(lambda event: isinstance(event, StreamCreated))
    return int(created.message_stream_id)


def test_abort_drops_half_a_message(client: RtmpClient) -> None:
    body = echo("a" * 200, 50)
    half = chunk(0, 7, body[:128], length=len(body), type=CALL, stream=0)
    client.socket.sendall(half + message(u32(7), type=ABORT))
    whole = chunk(0, 7, echo("whole", 51), type=CALL, stream=0)
    client.socket.sendall(whole)
    assert client.result(51) == "whole"


def test_chunk_sizes_change_in_the_middle_of_a_message(client: RtmpClient) -> None:
    body = echo("b" * 900, 50)
    first = chunk(0, 7, body[:128], length=len(body), type=CALL, stream=0)
    rest = chunk(3, 7, body[128:])
    client.socket.sendall(first + message(u32(4_096), type=SET_CHUNK_SIZE) + rest)
    assert client.result(50) == "b" * 900


def test_the_server_acknowledges_at_half_the_window(client: RtmpClient) -> None:
    client.socket.sendall(message(u32(20_000), type=WINDOW))
    client.socket.sendall(message(echo("c" * 30_000, 50), type=CALL))
    acknowledged = client.wait_for(lambda event: isinstance(event, AcknowledgementReceived))
    assert 10_000 <= acknowledged.sequence_number < 40_000
    assert len(client.result(50)) == 30_000


def test_the_server_stalls_for_no_acknowledgement(client: RtmpClient) -> None:
    """Three windows of answers to one who acknowledges nothing."""
    client.flush = client.connection.data_to_send  # type: ignore[method-assign,assignment]
    client.socket.sendall(message(u32(1_000_000), type=SET_CHUNK_SIZE))
    for number in range(50, 66):
        call = message(echo("d" * 500_000, number), type=CALL, chunk_size=1_000_000)
        client.socket.sendall(call)
        assert len(client.result(number)) == 500_000


def test_an_aggregate_reaches_players_taken_apart(server: LiveRtmpServer, client: RtmpClient):
    publishing = create_stream(client)
    stream_command(client, publishing, "publish", "show")
    with RtmpClient(server.port, "echo") as player:
        playing = create_stream(player)
        stream_command(player, playing, "play", "show")
        tags = tag(8, 40, b"\xaf\1sound") + tag(8, 63, b"\xaf\1more")
        aggregate = message(tags, type=AGGREGATE, stream=publishing, time=1_000)
        client.socket.sendall(aggregate)
        media = [player.wait_for(lambda event: isinstance(event, MediaReceived)) for _ in range(2)]
    assert [(m.timestamp, m.payload) for m in media] == [
        (1_000, b"\xaf\1sound"),
        (1_023, b"\xaf\1more"),
    ]


def test_round_trips_are_measured(server: LiveRtmpServer, client: RtmpClient) -> None:
    connection_id = client.call("id")

    async def round_trip() -> int | None:
        return rosters.get()._by_id[connection_id].round_trip  # type: ignore[attr-defined]

    def measured() -> int | None:
        return asyncio.run_coroutine_threadsafe(round_trip(), server._loop).result(20)

    while measured() is None:
        client.call("echo", 1)  # and answers pings meanwhile
    assert 0 <= measured() < 10_000  # type: ignore[operator]


@pytest.mark.parametrize("scheme", [0, 1])
def test_digests_are_answered_in_their_scheme(server: LiveRtmpServer, scheme: int) -> None:
    client = ClientHandshake(random.Random(3).randbytes, scheme=scheme)
    with socket.create_connection(("127.0.0.1", server.port), 20) as sock:
        c0_c1 = client.data_to_send()
        sock.sendall(c0_c1)
        answer = b""
        while len(answer) < 3_073:
            answer += sock.recv(3_073)
    found = digest.find_digest(answer[1:1537], digest.SERVER)
    offered = digest.find_digest(c0_c1[1:], digest.CLIENT)
    assert found is not None
    assert offered is not None
    assert found[0] == offered[0] == scheme
    assert digest.is_signed(answer[1537:], offered[1], digest.SERVER)
