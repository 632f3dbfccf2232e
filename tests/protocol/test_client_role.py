"""The client's role, and both roles against each other in memory."""

from __future__ import annotations

import pytest

from rtmp_channels.protocol import (
    Connection,
    ConnectionConfig,
    LocalProtocolError,
    RemoteProtocolError,
    Role,
)
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.events import (
    BufferLengthSet,
    CallReceived,
    ConnectAccepted,
    ConnectRejected,
    ConnectRequested,
    DataReceived,
    Event,
    HandshakeCompleted,
    MediaReceived,
    PingAnswered,
    PlayRequested,
    PublishRequested,
    ResultReceived,
    SharedObjectReceived,
    StatusReceived,
    StreamCreated,
    StreamEventReceived,
)
from rtmp_channels.protocol.shared_object import Change, SharedObjectMessage, Use
from rtmp_channels.protocol.state import ConnectionState
from rtmp_channels.protocol.user_control import UserControlType

from .chunks import message, u32
from .peers import call

OPTIONS = {"app": "lobby", "tcUrl": "rtmp://127.0.0.1/lobby"}


class Pair:
    """A client and a server that agree to everything, joined without a network."""

    def __init__(self, *, size: int = 1 << 20, client: ConnectionConfig | None = None) -> None:
        self.client = Connection(Role.CLIENT, client)
        self.server = Connection(Role.SERVER)
        self.client_events: list[Event] = []
        self.server_events: list[Event] = []
        self._size = size

    def exchange(self) -> None:
        """Moves bytes both ways until both are silent."""
        while True:
            up, down = self.client.data_to_send(), self.server.data_to_send()
            if not up and not down:
                return
            for at in range(0, len(up), self._size):
                self.server_events += self.server.receive_data(up[at : at + self._size])
            for at in range(0, len(down), self._size):
                self.client_events += self.client.receive_data(down[at : at + self._size])

    def take(self) -> tuple[list[Event], list[Event]]:
        """Exchanges, and returns what client and server saw since the last call."""
        self.exchange()
        seen = self.client_events, self.server_events
        self.client_events, self.server_events = [], []
        return seen


def connected(object_encoding: int = 0, **options: int) -> Pair:
    pair = Pair(**options)
    pair.exchange()
    pair.client.send_connect(OPTIONS | {"objectEncoding": object_encoding})
    pair.exchange()
    pair.server_events += pair.server.accept_connect()
    pair.take()
    return pair


@pytest.mark.parametrize("size", [1, 100, 1 << 20])
@pytest.mark.parametrize("digest", [False, True], ids=["plain", "digest"])
def test_handshake_and_connect(digest, size):
    pair = Pair(size=size, client=ConnectionConfig(digest_handshake=digest))
    completed = HandshakeCompleted(0 if digest else None)
    assert pair.take() == ([completed], [completed])
    pair.client.send_connect(OPTIONS, ["token", 5])
    client_events, server_events = pair.take()
    assert client_events == []
    assert server_events == [
        ConnectRequested(1, OPTIONS, ["token", 5], 0, "lobby", "", "rtmp://127.0.0.1/lobby")
    ]
    pair.server.accept_connect(information={"hello": "you"})
    client_events, server_events = pair.take()
    begin, accepted = client_events
    assert begin == StreamEventReceived(UserControlType.STREAM_BEGIN, 0)
    assert isinstance(accepted, ConnectAccepted)
    assert accepted.properties["capabilities"] == 31
    assert accepted.information["code"] == "NetConnection.Connect.Success"
    assert accepted.information["hello"] == "you"
    assert server_events == []
    assert pair.client.state is pair.server.state is ConnectionState.CONNECTED


def test_the_client_says_how_it_will_write():
    """Its chunk size before `connect`, as publishers do; AMF3 only if it asks for just that."""
    for asked, object_encoding in ((3, 3), (0, 0), (7, 0)):
        pair = Pair()
        pair.exchange()
        pair.client.send_connect(OPTIONS | {"objectEncoding": asked})
        data = pair.client.data_to_send()
        assert data.startswith(message(u32(65_536), type=1))
        (requested,) = pair.server.receive_data(data)
        assert isinstance(requested, ConnectRequested)
        pair.server.accept_connect()
        pair.exchange()
        assert pair.client.object_encoding == pair.server.object_encoding == object_encoding


def test_a_connect_that_amf_cannot_hold_may_be_sent_again():
    pair = Pair()
    pair.exchange()
    with pytest.raises(LocalProtocolError, match="AMF"):
        pair.client.send_connect(OPTIONS | {"odd": object()})
    assert pair.client.data_to_send() == b""
    pair.client.send_connect(OPTIONS)
    assert pair.client.data_to_send()


def test_a_rejected_client_is_closed():
    pair = Pair()
    pair.exchange()
    pair.client.send_connect(OPTIONS)
    pair.exchange()
    pair.server.reject_connect(description="No.")
    client_events, _ = pair.take()
    (rejected,) = client_events[1:]
    assert rejected == ConnectRejected(
        {"level": "error", "code": "NetConnection.Connect.Rejected", "description": "No."}
    )
    assert pair.client.state is ConnectionState.CLOSED


@pytest.mark.parametrize("object_encoding", [0, 3])
def test_calls_both_ways(object_encoding):
    pair = connected(object_encoding)
    value = {"list": [1, 2.5, "x"], "none": None}
    for caller, answerer in ((pair.client, pair.server), (pair.server, pair.client)):
        transaction_id = caller.send_call("echo", [value, value], expect_result=True)
        caller.send_call("note", ["x"])
        pair.exchange()
        events = pair.server_events if answerer is pair.server else pair.client_events
        assert events == [
            CallReceived(0, transaction_id, "echo", None, [value, value]),
            CallReceived(0, 0, "note", None, ["x"]),
        ]
        answerer.send_result(transaction_id, value)
        answerer.send_error(transaction_id, {"code": "X"})
        pair.exchange()
        events = pair.client_events if caller is pair.client else pair.server_events
        assert events == [
            ResultReceived(transaction_id, [value], is_error=False),
            ResultReceived(transaction_id, [{"code": "X"}], is_error=True),
        ]
        pair.take()


def test_publish_and_play():
    pair = connected()
    client, server = pair.client, pair.server
    transaction_id = client.send_create_stream()
    assert pair.take() == (
        [StreamCreated(1, transaction_id)],
        [StreamCreated(1, transaction_id)],
    )
    client.send_call("publish", ["feed?key=1", "live"], message_stream_id=1)
    _, events = pair.take()
    assert events == [PublishRequested(1, 0, "feed", "live", query_string="key=1")]
    server.accept_publish(1)
    events, _ = pair.take()
    (started,) = events
    assert isinstance(started, StatusReceived)
    assert (started.message_stream_id, started.information["code"]) == (
        1,
        "NetStream.Publish.Start",
    )
    client.send_message(1, MessageType.VIDEO, 40, b"v" * 100_000)
    _, events = pair.take()
    assert events == [MediaReceived(1, MessageType.VIDEO, 40, b"v" * 100_000)]

    client.send_create_stream()
    client.send_call("play", ["feed", -2], message_stream_id=2)
    client.send_buffer_length(2, 3000)
    _, events = pair.take()
    assert events[1:] == [
        PlayRequested(2, 0, "feed", start=-2, duration=-1, reset=True),
        BufferLengthSet(2, 3000),
    ]
    server.accept_play(2)
    server.send_message(2, MessageType.AUDIO, 7, b"a")
    server.finish_play(2)
    events, _ = pair.take()
    codes = [event.information["code"] for event in events if isinstance(event, StatusReceived)]
    assert codes == ["NetStream.Play.Reset", "NetStream.Play.Start", "NetStream.Play.Stop"]
    assert MediaReceived(2, MessageType.AUDIO, 7, b"a") in events
    assert StreamEventReceived(UserControlType.STREAM_EOF, 2) in events
    (access,) = [event for event in events if isinstance(event, DataReceived)]
    assert access.values == ["|RtmpSampleAccess", True, True]


@pytest.mark.parametrize("object_encoding", [0, 3])
def test_shared_objects(object_encoding):
    pair = connected()
    use = SharedObjectMessage("so", 0, 2, (Use(),), object_encoding)
    change = SharedObjectMessage("so", 1, 2, (Change((("k", [1, {"a": "ü"}]),)),), object_encoding)
    pair.client.send_shared_object(use)
    pair.server.send_shared_object(change)
    assert pair.take() == ([SharedObjectReceived(change)], [SharedObjectReceived(use)])


def test_pings_both_ways():
    pair = connected()
    pair.client.send_ping(1.0)
    pair.server.send_ping(2.0)
    client_events, server_events = pair.take()
    assert client_events == [PingAnswered(1000, (0 - 1000) % (1 << 32))]
    assert server_events == [PingAnswered(2000, (0 - 2000) % (1 << 32))]


def test_both_acknowledge_what_they_receive():
    pair = connected()
    pair.client.send_call("x", ["y" * 2_000_000])
    pair.server.send_call("x", ["y" * 2_000_000])
    client_events, server_events = pair.take()
    for events in (client_events, server_events):
        assert [type(event).__name__ for event in events] == [
            "CallReceived",
            "AcknowledgementReceived",
        ]


def test_create_stream_that_fails_is_a_result():
    pair = connected()
    for _ in range(64):
        pair.client.send_create_stream()
    pair.take()
    transaction_id = pair.client.send_create_stream()
    client_events, _ = pair.take()
    (failed,) = client_events
    assert isinstance(failed, ResultReceived)
    assert (failed.transaction_id, failed.is_error) == (transaction_id, True)
    assert failed.values[0]["code"] == "NetConnection.Call.Failed"


@pytest.mark.parametrize("answer", [None, "1", 0, 1 << 32], ids=repr)
def test_create_stream_answered_with_nonsense_is_a_result(answer):
    pair = connected()
    transaction_id = pair.client.send_create_stream()
    events = pair.client.receive_data(call("_result", transaction_id, answer))
    assert events == [ResultReceived(transaction_id, [answer], is_error=False)]


def test_a_server_may_call_before_it_answers_connect():
    pair = Pair()
    pair.exchange()
    pair.client.send_connect(OPTIONS)
    events = pair.client.receive_data(call("onBWDone", 0) + call("_result", 9))
    assert events == [
        CallReceived(0, 0, "onBWDone", None, []),
        ResultReceived(9, [], is_error=False),
    ]
    (accepted,) = pair.client.receive_data(call("_result", 1))
    assert accepted == ConnectAccepted(None, None)


def test_a_server_may_not_call_before_connect():
    pair = Pair()
    pair.exchange()
    with pytest.raises(RemoteProtocolError, match="command 'x' in state OPEN"):
        pair.client.receive_data(call("x", 0))


def test_the_client_announces_a_window_once():
    pair = Pair()
    pair.exchange()
    pair.client.send_connect(OPTIONS)
    pair.client.data_to_send()
    pair.client.receive_data(message(u32(7_000) + b"\2", type=6) + call("_result", 1))
    data = pair.client.data_to_send()
    assert data == message(u32(7_000), type=5)


def test_each_role_has_its_methods():
    client, server = Connection(Role.CLIENT), Connection(Role.SERVER)
    with pytest.raises(LocalProtocolError, match="accept_connect is for the server"):
        client.accept_connect()
    with pytest.raises(LocalProtocolError, match="reject_connect is for the server"):
        client.reject_connect()
    with pytest.raises(LocalProtocolError, match="send_connect is for the client"):
        server.send_connect(OPTIONS)
    with pytest.raises(LocalProtocolError, match="send_create_stream is for the client"):
        server.send_create_stream()
    with pytest.raises(LocalProtocolError, match="connect in state HANDSHAKE"):
        client.send_connect(OPTIONS)
