"""What a connection keeps of what it received: turns, unfinished bytes, what precedes an error."""

from __future__ import annotations

import pytest

from rtmp_channels.protocol import LocalProtocolError, RemoteProtocolError
from rtmp_channels.protocol.events import CallReceived, MediaReceived
from rtmp_channels.protocol.state import ConnectionState

from .chunks import chunk, message, u32
from .peers import call, connect, connected_server, open_server, publishing_server

PING = message(b"\0\x06" + u32(1), type=4)
NONSENSE = b"\xff"
"""Format 3 on a chunk stream that nobody has used."""


def called(name: str) -> CallReceived:
    return CallReceived(0, 0, name, None, [])


def test_so_many_messages_a_turn():
    connection, _ = connected_server(messages_per_turn=2)
    assert connection.receive_data(b"".join(call(name, 0) for name in "abcde")) == [
        called("a"),
        called("b"),
    ]
    assert connection.has_more
    assert connection.receive_more() == [called("c"), called("d")]
    assert connection.receive_more() == [called("e")]
    assert not connection.has_more
    assert connection.receive_more() == []


def test_an_error_in_a_later_turn_ends_the_connection_behind_what_precedes_it():
    connection, _ = connected_server(messages_per_turn=2)
    connection.receive_data(b"".join(call(name, 0) for name in "abc") + NONSENSE)
    with pytest.raises(RemoteProtocolError) as caught:
        connection.receive_more()
    assert caught.value.events == [called("c")]
    assert connection.state is ConnectionState.CLOSED
    assert not connection.has_more


def test_nothing_is_read_behind_an_unanswered_connect():
    connection, _ = open_server()
    assert len(connection.receive_data(connect() + call("early", 0))) == 1
    assert connection.receive_more() == []
    assert connection.accept_connect() == [called("early")]


def test_unfinished_bytes_are_half_messages_and_what_waits_behind_connect():
    connection, _ = open_server()
    connection.receive_data(connect())
    connection.receive_data(chunk(0, 6, bytes(100), length=300, type=20, stream=0))
    assert connection.unfinished_bytes == 112
    connection.accept_connect()
    assert connection.unfinished_bytes == 100
    connection.receive_data(bytes(28) + chunk(3, 6, bytes(128)))
    assert connection.unfinished_bytes == 256


def test_what_is_unfinished_can_be_dropped():
    connection, _ = connected_server(messages_per_turn=1)
    connection.receive_data(call("a", 0) + call("b", 0) + chunk(0, 6, bytes(9), length=300))
    connection.drop_unfinished()
    assert (connection.unfinished_bytes, connection.has_more) == (0, False)
    assert connection.receive_more() == []
    connection, _ = publishing_server()
    connection.receive_data(chunk(0, 6, bytes(9), length=300))
    assert connection.unfinished_bytes == 9
    connection.drop_unfinished()
    assert connection.unfinished_bytes == 0
    connection, _ = open_server()
    connection.receive_data(connect())
    connection.receive_data(bytes(50))
    connection.drop_unfinished()
    assert connection.unfinished_bytes == 0


def test_a_rejected_client_leaves_nothing():
    connection, _ = open_server()
    connection.receive_data(connect())
    connection.receive_data(bytes(50))
    connection.reject_connect()
    assert connection.unfinished_bytes == 0


def test_what_is_received_may_be_overwritten_at_once():
    """As a buffer that all connections share is, by the next read."""
    connection, _ = publishing_server()
    data = message(b"abcdefgh", type=9, stream=1)
    for cut in (5, 15, len(data)):
        shared = bytearray(data)
        events = connection.receive_data(memoryview(shared)[:cut])
        shared[:cut] = bytes(cut)
        events += connection.receive_data(shared[cut:])
        assert events == [MediaReceived(1, 9, 0, b"abcdefgh")]
        assert [type(event.payload) for event in events if isinstance(event, MediaReceived)] == [
            bytes
        ]


def test_what_is_passed_on_counts_as_sent():
    connection, _ = connected_server()
    sent = connection.sent_bytes
    connection.pass_on(bytes(1_000))
    assert connection.sent_bytes == sent + 1_000
    connection, _ = open_server()
    connection.data_to_send()
    with pytest.raises(LocalProtocolError, match="in state OPEN"):
        connection.pass_on(b"x")


def test_the_acknowledgement_of_exactly_two_to_the_32_bytes():
    connection, written = connected_server()
    connection.receive_data(message(u32(20), type=5))
    written.messages()
    window = connection._receiver.window
    window.receive((1 << 32) - window.received - len(PING))
    connection.receive_data(PING)
    assert [(one.type, one.payload) for one in written.messages()][-1] == (3, u32(0))
