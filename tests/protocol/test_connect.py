"""`connect`, its answers, and what may come before it (RTMP 1.0 §7.2.1.1)."""

from __future__ import annotations

import pytest

from amf_remoting import amf
from rtmp_channels.protocol import Connection, LocalProtocolError, RemoteProtocolError
from rtmp_channels.protocol.events import CallReceived, ConnectRequested, StreamCreated
from rtmp_channels.protocol.shared_object import SharedObjectMessage, Use
from rtmp_channels.protocol.state import ConnectionState
from rtmp_channels.protocol.user_control import UserControlType

from .chunks import message, u32
from .peers import PLAIN_HANDSHAKE, call, command, connect, connected_server, open_server, values_of


def test_the_order_everyone_accepts_in_one_write():
    connection, written = open_server()
    connection.receive_data(connect())
    written.messages()
    connection.accept_connect()
    found = written.messages()
    assert [(one.type, one.message_stream_id, one.timestamp) for one in found] == [
        (5, 0, 0),
        (6, 0, 0),
        (1, 0, 0),
        (4, 0, 0),
        (20, 0, 0),
    ]
    assert found[0].payload == u32(2_500_000)
    assert found[1].payload == u32(2_500_000) + b"\x02"  # dynamic
    assert found[2].payload == u32(65_536)
    assert found[3].payload == bytes(6)  # StreamBegin 0
    assert values_of(found[4]) == [
        "_result",
        1,
        {"fmsVer": "FMS/5,0,17,0", "capabilities": 31, "mode": 1},
        {
            "level": "status",
            "code": "NetConnection.Connect.Success",
            "description": "Connection succeeded.",
            "objectEncoding": 0,
        },
    ]
    assert connection.state is ConnectionState.CONNECTED


def test_the_answer_to_connect_is_in_chunks_of_the_size_announced_before_it():
    connection, written = open_server()
    connection.receive_data(connect())
    connection.accept_connect(information={"filler": "x" * 60_000})
    answer = written.messages()[-1]
    assert values_of(answer)[3]["filler"] == "x" * 60_000


def test_properties_and_information_override_what_the_answer_says_by_itself():
    connection, written = open_server()
    connection.receive_data(connect())
    connection.accept_connect(properties={"fmsVer": "X/1"}, information={"secureToken": "t"})
    ((_, values),) = written.commands()
    assert values[2]["fmsVer"] == "X/1"
    assert values[2]["capabilities"] == 31
    assert values[3]["secureToken"] == "t"
    connection, written = open_server()
    connection.receive_data(connect())
    connection.accept_connect(properties={"fmsVer": "X/2"})
    ((_, values),) = written.commands()
    assert values[2]["fmsVer"] == "X/2"
    connection, written = open_server()
    connection.receive_data(connect())
    connection.accept_connect(information={"description": "Welcome."})
    ((_, values),) = written.commands()
    assert values[3]["description"] == "Welcome."


@pytest.mark.parametrize("answer", ["accept_connect", "reject_connect"])
def test_connect_may_have_another_transaction_id(answer):
    connection, written = open_server()
    connection.receive_data(command("connect", 5, {"app": "x"}))
    getattr(connection, answer)()
    ((_, values),) = written.commands()
    assert values[1] == 5


def test_connect_request_has_app_query_arguments_and_encoding():
    connection, _ = open_server()
    options = {"app": "lobby/room?a=1", "tcUrl": "rtmp://h/lobby/room", "objectEncoding": 3}
    (event,) = connection.receive_data(command("connect", 1, options, "extra", 7.5, [True]))
    assert event == ConnectRequested(
        transaction_id=1,
        command_object=options,
        arguments=["extra", 7.5, [True]],
        object_encoding=3,
        app="lobby/room",
        query_string="a=1",
        tc_url="rtmp://h/lobby/room",
    )
    assert connection.object_encoding == 3


def test_connect_without_the_usual_properties():
    connection, _ = open_server()
    (event,) = connection.receive_data(command("connect", 1, {"app": None, "objectEncoding": 7}))
    assert isinstance(event, ConnectRequested)
    assert (event.app, event.query_string, event.tc_url) == ("", "", "")
    assert event.object_encoding == 0
    assert event.arguments == []


def test_the_command_object_may_be_an_ecma_array():
    connection, _ = open_server()
    (event,) = connection.receive_data(command("connect", 1, amf.MixedArray([], {"app": "live"})))
    assert isinstance(event, ConnectRequested)
    assert (event.app, event.command_object) == ("live", {"app": "live"})


def test_control_messages_may_come_before_connect():
    connection, _ = open_server()
    early = message(u32(4096), type=1) + message(u32(5_000_000), type=5)
    early += message(b"\0\x03" + u32(0, 300), type=4)
    assert len(connection.receive_data(early)) == 1  # the buffer length
    (event,) = connection.receive_data(connect())
    assert isinstance(event, ConnectRequested)


def test_what_follows_connect_is_held_until_it_is_answered():
    connection, written = open_server()
    (requested,) = connection.receive_data(connect() + call("createStream", 2))
    assert isinstance(requested, ConnectRequested)
    assert connection.receive_data(call("hello", 3)) == []
    written.messages()
    events = connection.accept_connect()
    assert events == [StreamCreated(1, 2), CallReceived(0, 3, "hello", None, [])]
    names = [values[:2] for _, values in written.commands()]
    assert names == [["_result", 1], ["_result", 2]]


def test_held_bytes_are_limited():
    connection, _ = open_server(max_held_bytes=1000)
    connection.receive_data(connect())
    assert connection.receive_data(bytes(1000)) == []
    with pytest.raises(RemoteProtocolError, match="more than 1000 bytes behind an unanswered"):
        connection.receive_data(b"\0")


def test_held_garbage_fails_when_it_is_read():
    connection, _ = open_server()
    connection.receive_data(connect())
    connection.receive_data(call("hello", 2) + b"\xff" * 20)
    with pytest.raises(RemoteProtocolError) as caught:
        connection.accept_connect()
    assert caught.value.events == [CallReceived(0, 2, "hello", None, [])]
    assert connection.state is ConnectionState.CLOSED


def test_reject_answers_error_and_closes():
    connection, written = open_server()
    connection.receive_data(connect() + call("hello", 2))
    connection.reject_connect(
        "NetConnection.Connect.InvalidApp", "No such application.", information={"application": "x"}
    )
    assert written.commands() == [
        (
            0,
            [
                "_error",
                1,
                None,
                {
                    "level": "error",
                    "code": "NetConnection.Connect.InvalidApp",
                    "description": "No such application.",
                    "application": "x",
                },
            ],
        )
    ]
    assert connection.state is ConnectionState.CLOSED
    assert connection.receive_data(call("hello", 3)) == []
    assert connection.data_to_send() == b""


def test_the_first_rejection_may_hold_a_challenge():
    connection, written = open_server()
    connection.receive_data(connect())
    challenge = "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : "
    connection.reject_connect(description=challenge)
    ((_, values),) = written.commands()
    assert values[3]["description"] == challenge
    assert values[3]["code"] == "NetConnection.Connect.Rejected"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (call("createStream", 2), "command 'createStream' before connect"),
        (call("x" * 1_000, 2), "command 'x{64}' before connect"),
        (command("connect", 1), "not an object"),
        (command("connect", 1, [1]), "not an object"),
        (message(b"x", type=9, stream=1), "media in state OPEN"),
        (message(b"x", type=18, stream=1), "data in state OPEN"),
        (message(b"x", type=19), "a shared object in state OPEN"),
    ],
    ids=["call", "long call", "no object", "array", "video", "data", "shared object"],
)
def test_nothing_but_control_messages_and_connect_comes_first(data, why):
    connection, _ = open_server()
    with pytest.raises(RemoteProtocolError, match=why):
        connection.receive_data(data)
    assert connection.state is ConnectionState.CLOSED


def test_connect_comes_once():
    connection, _ = connected_server()
    with pytest.raises(RemoteProtocolError, match="connect in state CONNECTED"):
        connection.receive_data(connect())


def test_messages_before_connect_are_short():
    connection, _ = open_server(max_connect_length=2000)
    with pytest.raises(RemoteProtocolError, match=r"a message of .* bytes \(2000 at most\)"):
        connection.receive_data(connect(swfUrl="x" * 3000))
    connection, _ = connected_server(max_connect_length=2000)
    (event,) = connection.receive_data(call("hello", 2, "x" * 3000))
    assert isinstance(event, CallReceived)


@pytest.mark.parametrize("what", ["accept_connect", "reject_connect"])
def test_connect_is_answered_once_and_only_when_asked(what):
    connection, _ = open_server()
    with pytest.raises(LocalProtocolError, match=f"{what} in state OPEN"):
        getattr(connection, what)()
    connection, _ = connected_server()
    with pytest.raises(LocalProtocolError, match=f"{what} in state CONNECTED"):
        getattr(connection, what)()


def test_calls_need_an_accepted_connection():
    connection, _ = open_server()
    for send in (
        lambda: connection.send_call("x"),
        lambda: connection.send_result(1),
        lambda: connection.send_error(1, {}),
        lambda: connection.send_status(0, {}),
        lambda: connection.send_ping(0),
        lambda: connection.send_message(1, 9, 0, b"x"),
        lambda: connection.send_shared_object(SharedObjectMessage("so", events=(Use(),))),
        lambda: connection.send_stream_event(UserControlType.STREAM_BEGIN, 1),
        lambda: connection.send_buffer_length(1, 300),
        lambda: connection.send_raw(b"x"),
        lambda: connection.pass_on(b"x"),
        lambda: connection.accept_publish(1),
    ):
        with pytest.raises(LocalProtocolError, match="in state OPEN"):
            send()
    assert connection.data_to_send()[3073:] == b""


def test_a_value_that_amf_cannot_hold_leaves_nothing_behind():
    connection, written = open_server()
    connection.receive_data(connect())
    written.messages()
    with pytest.raises(LocalProtocolError, match="AMF"):
        connection.accept_connect(information={"odd": object()})
    with pytest.raises(LocalProtocolError, match="AMF"):
        connection.reject_connect(information={"odd": object()})
    assert connection.state is ConnectionState.CONNECTING
    assert written.messages() == []
    connection.accept_connect()
    written.messages()
    with pytest.raises(LocalProtocolError, match="AMF"):
        connection.send_call("x", [object()], expect_result=True)
    assert written.messages() == []
    assert connection.send_call("x", [], expect_result=True) == 2


def test_half_a_handshake_says_nothing():
    connection = Connection()
    assert connection.receive_data(PLAIN_HANDSHAKE[:1000]) == []
    assert connection.data_to_send() == b""
    assert connection.state is ConnectionState.HANDSHAKE


def test_answer_in_type_20_unless_object_encoding_3_was_asked():
    connection, written = connected_server({"objectEncoding": 0})
    connection.send_call("x", [1])
    assert [one.type for one in written.messages()] == [20]
    connection, written = connected_server({"objectEncoding": 3})
    connection.send_call("x", [1, None, "s", [1], {"a": 1}])
    (found,) = written.messages()
    assert found.type == 17
    assert found.payload.startswith(b"\0" + amf.dumps("x", 0))
    assert values_of(found) == ["x", 0, None, 1, None, "s", [1], {"a": 1}]


def test_connect_itself_is_answered_in_type_20():
    connection, written = open_server()
    connection.receive_data(connect(objectEncoding=3))
    connection.accept_connect()
    answer = written.messages()[-1]
    assert answer.type == 20
    assert values_of(answer)[3]["objectEncoding"] == 3
