"""Hostile and unlucky input: each ends in a clear error or in nothing, and memory stays flat."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from amf_remoting import amf
from rtmp_channels.protocol import Connection, LocalProtocolError, RemoteProtocolError
from rtmp_channels.protocol.events import CallReceived, MediaReceived
from rtmp_channels.protocol.state import ConnectionState

from .chunks import chunk, message, u32
from .peers import PLAIN_HANDSHAKE, call, connected_server, open_server, publishing_server


def peak_bytes(connection: Connection, data: bytes, *, size: int = 65_536) -> int:
    """How much more memory is held at most, and the events thrown away at once."""
    tracemalloc.start()
    try:
        for at in range(0, len(data), size):
            connection.receive_data(data[at : at + size])
    except RemoteProtocolError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return peak


@pytest.mark.parametrize("seed", range(20))
def test_a_garbage_chunk_is_one_clear_error(seed):
    connection, _ = connected_server()
    with pytest.raises(RemoteProtocolError) as caught:
        connection.receive_data(b"\xff" + random.Random(seed).randbytes(65_536))
    assert "\n" not in str(caught.value)
    assert 10 < len(str(caught.value)) < 200
    assert connection.state is ConnectionState.CLOSED
    assert connection.receive_data(call("x", 1)) == []


def test_an_endless_handshake_keeps_3073_bytes():
    connection = Connection()
    data = PLAIN_HANDSHAKE[:-1]
    assert peak_bytes(connection, data, size=1) < 20_000
    assert connection.state is ConnectionState.HANDSHAKE


@pytest.mark.parametrize(
    ("marker", "end"), [(b"\x03\0\x01a", b"\0\0\x09"), (b"\x0a\0\0\0\x01", b"")]
)
def test_amf_nested_200_000_deep(marker, end):
    connection, written = connected_server()
    data = amf.dumps_many(["x", 2, None], 0) + marker * 200_000 + b"\x05" + end * 200_000
    with pytest.raises(RemoteProtocolError, match="undecodable AMF"):
        connection.receive_data(message(data, type=20))
    ((_, status),) = written.commands()
    assert status[3]["code"] == "NetConnection.Call.BadVersion"


def test_amf3_nested_200_000_deep():
    connection, _ = connected_server({"objectEncoding": 3})
    data = b"\0" + amf.dumps_many(["x", 2, None], 0) + b"\x11" + b"\x09\x03\x01" * 200_000 + b"\x01"
    with pytest.raises(RemoteProtocolError, match="undecodable AMF"):
        connection.receive_data(message(data, type=17))


def test_a_shared_object_value_nested_200_000_deep():
    connection, _ = connected_server()
    data = b"\0\x01k" + b"\x0a\0\0\0\x01" * 200_000 + b"\x05"
    body = b"\0\x03foo" + bytes(12) + b"\x03" + u32(len(data)) + data
    with pytest.raises(RemoteProtocolError, match="shared object: "):
        connection.receive_data(message(body, type=19))


def test_a_call_with_too_many_values():
    connection, _ = connected_server(amf_limits=amf.Limits(values=1000))
    assert len(connection.receive_data(call("x", 2, list(range(500))))) == 1
    with pytest.raises(RemoteProtocolError, match="undecodable AMF"):
        connection.receive_data(call("x", 2, list(range(2000))))


def test_an_array_that_claims_two_billion_items():
    connection, _ = connected_server()
    data = amf.dumps_many(["x", 2, None], 0) + b"\x0a\x7f\xff\xff\xff"
    assert peak_bytes(connection, message(data, type=20)) < 100_000


def test_half_messages_on_many_chunk_streams_are_bounded():
    connection, _ = connected_server(max_partial_bytes=100_000)
    data = b"".join(
        chunk(0, 3 + number % 60, bytes(128), length=1_000_000)
        if number < 60
        else chunk(3, 3 + number % 60, bytes(128))
        for number in range(10_000)
    )
    assert peak_bytes(connection, data) < 400_000
    assert connection.state is ConnectionState.CLOSED


def test_who_has_not_connected_leaves_little_unfinished():
    connection, _ = open_server()
    half_messages = [chunk(0, 3 + number, bytes(128), length=65_536) for number in range(60)]
    more = [chunk(3, 3 + number, bytes(128)) for number in range(60)] * 500
    assert peak_bytes(connection, b"".join(half_messages + more)) < 300_000
    assert connection.state is ConnectionState.CLOSED
    connection, _ = open_server()
    connection.receive_data(b"".join(half_messages))
    assert connection.receive_data(b"".join(more[: 65_536 // 128 - 60])) == []
    with pytest.raises(RemoteProtocolError, match="more than 65536 bytes of unfinished messages"):
        connection.receive_data(more[0])


def test_an_aggregate_of_too_many_messages():
    tag = b"\x08" + bytes(10) + bytes(4)
    connection, _ = publishing_server(max_aggregated_messages=100)
    events = connection.receive_data(message(tag * 100, type=22, stream=1))
    assert [type(event) for event in events] == [MediaReceived] * 100
    with pytest.raises(RemoteProtocolError, match="aggregate: more than 100 messages"):
        connection.receive_data(message(tag * 101, type=22, stream=1))


def test_references_do_not_multiply_what_is_written():
    """One text and 4,000 references to it: 70 KB in AMF3, 240 MB in AMF0."""
    connection, _ = connected_server()
    texts = amf.dumps(["x" * 60_000] * 4_000, 3)
    data = amf.dumps_many(["echo.echo", 7, None], 0) + b"\x11" + texts
    assert len(data) < 100_000
    (received,) = connection.receive_data(message(data, type=20))
    tracemalloc.start()
    try:
        with pytest.raises(LocalProtocolError, match="more than 16777215 bytes of output"):
            connection.send_result(7, received.arguments[0])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40_000_000


def test_floods_leave_nothing_behind():
    connection, written = publishing_server()
    flood = (
        message(b"\0\x06" + u32(1), type=4) * 2000
        + message(u32(1), type=3) * 2000
        + message(b"", type=9, stream=1) * 2000
        + message(u32(77), type=2) * 2000
        + message(b"junk", type=99) * 2000
        + message(u32(4096), type=1) * 2000
    )
    connection.receive_data(flood)
    written.messages()
    tracemalloc.start()
    for _ in range(5):
        connection.receive_data(flood)
        written.messages()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 50_000


def test_a_window_of_one_byte_is_acknowledged_once_per_read():
    connection, written = connected_server()
    connection.receive_data(message(u32(1), type=5))
    written.messages()
    connection.receive_data(call("x", 0) * 500)
    assert [one.type for one in written.messages()] == [3]


def test_publishers_that_lie_about_time_are_taken_at_their_word():
    connection, _ = publishing_server()
    times = [5, 0xFFFFFFFF, 0, 0x80000000, 3]
    data = b"".join(message(b"v", type=9, stream=1, time=time) for time in times)
    events = connection.receive_data(data)
    assert [event.timestamp for event in events if isinstance(event, MediaReceived)] == times


def test_writes_of_one_byte_are_no_more_than_slow():
    connection, _ = open_server()
    data = message(amf.dumps_many(["connect", 1, {"app": "x"}], 0), type=20)
    for at in range(len(data) - 1):
        assert connection.receive_data(data[at : at + 1]) == []
    assert len(connection.receive_data(data[-1:])) == 1


def test_a_call_of_4_mib_and_none_of_more():
    connection, _ = connected_server()
    connection.receive_data(message(u32(65_536), type=1))
    text = "x" * (4 * 1024 * 1024 - 100)
    body = amf.dumps_many(["x", 0, None, text], 0)
    (event,) = connection.receive_data(message(body, type=20, chunk_size=65_536))
    assert event == CallReceived(0, 0, "x", None, [text])
    with pytest.raises(RemoteProtocolError, match="4194304 at most"):
        connection.receive_data(message(body + bytes(200), type=20, chunk_size=65_536))
