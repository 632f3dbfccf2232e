"""Commands: what is answered inside, what is reported, and how (RTMP 1.0 §7.1.1, §7.2)."""

from __future__ import annotations

import math

import pytest

from amf_remoting import amf
from rtmp_channels.protocol import LocalProtocolError, RemoteProtocolError
from rtmp_channels.protocol.chunk import Message
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.events import (
    CallReceived,
    PauseRequested,
    PlayRequested,
    PublishRequested,
    ReceiveSwitched,
    ResultReceived,
    SeekRequested,
    StatusReceived,
    StreamClosed,
    StreamCreated,
    StreamDeleted,
)
from rtmp_channels.protocol.outbound import encode_call, encode_message, encode_shared_object
from rtmp_channels.protocol.shared_object import SharedObjectMessage, Use
from rtmp_channels.protocol.user_control import UserControlType

from .chunks import message
from .peers import call, command, connected_server, publishing_server, receive_one, values_of


def with_stream():
    """A connected server with message stream 1, idle."""
    connection, written = connected_server()
    connection.receive_data(call("createStream", 2))
    written.messages()
    return connection, written


# calls both ways


def test_a_call_is_reported_and_its_result_echoes_the_transaction_id():
    connection, written = connected_server()
    event = receive_one(connection, command("math.add", 7, {"o": 1}, 2, 3))
    assert event == CallReceived(0, 7, "math.add", {"o": 1}, [2, 3])
    connection.send_result(7, 5)
    connection.send_error(8, {"code": "X"})
    assert written.commands() == [
        (0, ["_result", 7, None, 5]),
        (0, ["_error", 8, None, {"code": "X"}]),
    ]


def test_with_transaction_id_0_nothing_is_answered():
    connection, written = connected_server()
    assert receive_one(connection, call("note", 0)) == CallReceived(0, 0, "note", None, [])
    connection.send_result(0, 5)
    connection.send_error(0, {})
    assert written.commands() == []


def test_a_call_of_ours_and_its_answers():
    connection, written = connected_server()
    assert connection.send_call("onSay", ["hi"]) == 0
    first = connection.send_call("ping2", ["are you there"], expect_result=True)
    connection.send_call("onSay", ["in between"])
    second = connection.send_call("ping2", expect_result=True)
    assert 0 < first < second
    assert written.commands() == [
        (0, ["onSay", 0, None, "hi"]),
        (0, ["ping2", first, None, "are you there"]),
        (0, ["onSay", 0, None, "in between"]),
        (0, ["ping2", second, None]),
    ]
    result = receive_one(connection, call("_result", first, "yes", 2))
    assert result == ResultReceived(first, ["yes", 2], is_error=False)
    error = receive_one(connection, call("_error", second, {"code": "NetConnection.Call.Failed"}))
    assert error == ResultReceived(second, [{"code": "NetConnection.Call.Failed"}], is_error=True)


def test_command_object_and_transaction_id_may_be_missing():
    connection, _ = connected_server()
    data = message(amf.dumps_many(["a"], 0), type=20) + message(
        amf.dumps_many(["b", 5], 0), type=20
    )
    assert connection.receive_data(data) == [
        CallReceived(0, 0, "a", None, []),
        CallReceived(0, 5, "b", None, []),
    ]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([], "does not begin with its name"),
        ([5], "does not begin with its name"),
        (["a", "b"], "transaction id is not a number"),
        (["a", True], "transaction id is not a number"),
        (["a", math.nan], "transaction id is not a number"),
    ],
    ids=["empty", "number", "text id", "boolean id", "nan id"],
)
def test_commands_that_make_no_sense(values, why):
    connection, written = connected_server()
    with pytest.raises(RemoteProtocolError, match=why):
        connection.receive_data(message(amf.dumps_many(values, 0), type=20))
    ((_, status),) = written.commands()
    assert status[0] == "onStatus"
    assert status[3]["code"] == "NetConnection.Call.BadVersion"


def test_undecodable_amf_is_answered_and_ends_the_connection():
    connection, written = connected_server()
    with pytest.raises(RemoteProtocolError, match="undecodable AMF") as caught:
        connection.receive_data(call("fine", 2) + message(b"\x02\xff\xffshort", type=20))
    assert caught.value.events == [CallReceived(0, 2, "fine", None, [])]
    ((stream, status),) = written.commands()
    assert stream == 0
    assert status[3]["level"] == "error"
    assert connection.receive_data(call("late", 3)) == []


# AMF3


@pytest.mark.parametrize("lead", [b"\0", b""], ids=["with its byte", "without"])
def test_type_17_is_one_byte_00_then_amf0_values_each_amf3_value_behind_its_own_11(lead):
    connection, _ = connected_server({"objectEncoding": 3})
    values = amf.dumps_many(["echo", 5, None], 0)
    values += b"\x11" + amf.dumps({"a": 1}, 3) + b"\x11" + amf.dumps([1, 2], 3)
    event = receive_one(connection, message(lead + values, type=17))
    assert event == CallReceived(0, 5, "echo", None, [{"a": 1}, [1, 2]])


def test_amf3_tables_are_read_fresh_per_value():
    connection, _ = connected_server({"objectEncoding": 3})
    values = amf.dumps_many(["echo", 5, None], 0)
    values += (b"\x11" + amf.dumps("twice", 3)) + b"\x11" + b"\x06\x0btwice"
    event = receive_one(connection, message(b"\0" + values, type=17))
    assert event == CallReceived(0, 5, "echo", None, ["twice", "twice"])


def test_amf3_is_written_so_that_readers_with_fresh_and_with_shared_tables_agree():
    connection, written = connected_server({"objectEncoding": 3})
    first = {"key": "value", "again": "value"}
    second = [{"key": "other", "value": "other"}, {"key": "value"}, b"bytes"]
    arguments = [first, second, first, ["x", "x"], amf.TypedObject("demo.Thing", {"key": "x"})] * 2
    connection.send_call("x", arguments)
    (found,) = written.messages()
    assert values_of(found)[3:] == arguments
    assert amf.loads_many(found.payload[1:], 0, avmplus_tables="shared")[3:] == arguments


def test_a_cycle_in_a_second_amf3_value_is_our_mistake():
    connection, written = connected_server({"objectEncoding": 3})
    cycle: list[object] = []
    cycle.append(cycle)
    connection.send_call("x", [cycle])
    with pytest.raises(LocalProtocolError, match="nested deeper"):
        connection.send_call("x", [[1], cycle])
    assert [one.type for one in written.messages()] == [17]


def test_an_amf0_client_is_answered_in_type_20_even_to_a_type_17():
    connection, written = connected_server()
    values = amf.dumps_many(["echo", 5, None], 0)
    receive_one(connection, message(b"\0" + values, type=17))
    connection.send_result(5, 1)
    assert [one.type for one in written.messages()] == [20]


# message streams


def test_a_second_create_stream_gives_a_new_id():
    connection, written = connected_server()
    events = connection.receive_data(call("createStream", 2) + call("createStream", 3))
    assert events == [StreamCreated(1, 2), StreamCreated(2, 3)]
    assert written.commands() == [
        (0, ["_result", 2, None, 1]),
        (0, ["_result", 3, None, 2]),
    ]


def test_a_create_stream_loop_ends_in_errors():
    connection, written = connected_server(max_message_streams=3)
    data = b"".join(call("createStream", number) for number in range(2, 8))
    assert len(connection.receive_data(data)) == 3
    answers = [values[0] for _, values in written.commands()]
    assert answers == ["_result"] * 3 + ["_error"] * 3
    # Deleting one makes room; its id is not used again.
    events = connection.receive_data(call("deleteStream", 0, 2) + call("createStream", 9))
    assert events == [StreamDeleted(2), StreamCreated(4, 9)]


@pytest.mark.parametrize(
    "arguments", [[], [9], [None], [math.nan], [math.inf], ["nobody"], [{}]], ids=repr
)
def test_delete_stream_of_what_is_not_there_means_nothing(arguments):
    connection, written = with_stream()
    assert connection.receive_data(call("deleteStream", 5, *arguments)) == []
    assert written.commands() == []


def test_gstreamers_delete_stream_carries_the_streams_name():
    connection, _ = publishing_server()
    assert connection.receive_data(call("deleteStream", 0, "a")) == [StreamDeleted(1)]


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("releaseStream", []),
        ("FCPublish", ["onFCPublish"]),
        ("FCUnpublish", ["onFCUnpublish"]),
        ("FCSubscribe", ["onFCSubscribe"]),
        ("FCUnsubscribe", []),
    ],
)
@pytest.mark.parametrize("transaction_id", [0, 4], ids=["GStreamer", "others"])
@pytest.mark.parametrize("arguments", [["a"], [], [5]], ids=["name", "nothing", "number"])
def test_never_an_error_to_release_stream_or_fc_publish(name, calls, transaction_id, arguments):
    connection, written = connected_server()
    assert connection.receive_data(call(name, transaction_id, *arguments)) == []
    commands = written.commands()
    if transaction_id:
        assert commands.pop(0) == (0, ["_result", 4, None, None])
    assert [values[0] for _, values in commands] == calls
    for _, values in commands:
        assert values[1] == 0
        assert values[3]["level"] == "status"


def test_get_stream_length_comes_on_stream_0_before_play():
    connection, written = connected_server()
    assert connection.receive_data(call("getStreamLength", 3, "feed")) == []
    assert written.commands() == [(0, ["_result", 3, None, 0])]


@pytest.mark.parametrize(
    ("command", "check", "done"),
    [("_checkbw", "_onbwcheck", "_onbwdone"), ("checkBandwidth", "onBWCheck", "onBWDone")],
)
def test_a_bandwidth_check_is_measured_by_the_server(command, check, done):
    """The latency alone, then 16 and 48 KB that take 0.1 and 0.3 s beyond it."""
    connection, written = connected_server()
    assert connection.receive_data(call(command, 6), now=10.0) == []
    answered, called = written.commands()
    assert answered == (0, ["_result", 6, None, None])
    now = 10.0
    for size, seconds in ((0, 0.05), (16_384, 0.15), (49_152, 0.35)):
        _, (name, transaction_id, _, payload) = called
        assert (name, len(payload)) == (check, size)
        now += seconds
        answer = call("_result", transaction_id, 1)
        assert connection.receive_data(answer, now=now) == []
        (called,) = written.commands()
    stream, (name, transaction_id, _, rate, kilobits, seconds, latency) = called
    assert (stream, name, transaction_id) == (0, done, 0)
    assert kilobits == pytest.approx(65_536 * 8 / 1000)
    assert seconds == pytest.approx(0.4)
    assert rate == pytest.approx(kilobits / 0.4, abs=1)
    assert latency == 50


def test_bandwidth_checks_do_not_pile_up():
    connection, written = connected_server()
    for number in range(50):
        connection.receive_data(call("_checkbw", 6 + number))
    names = [values[0] for _, values in written.commands()]
    assert names.count("_onbwcheck") == 1
    assert len(names) == 51
    other = receive_one(connection, call("_result", 7, "an answer to the application"))
    assert isinstance(other, ResultReceived)


# publish


@pytest.mark.parametrize(
    ("arguments", "publish_type"),
    [
        (["a"], "live"),
        (["a", "live"], "live"),
        (["a", "record"], "record"),
        (["a", None], "live"),
        (["a", 5], "live"),
    ],
    ids=repr,
)
def test_publish_type_may_be_missing(arguments, publish_type):
    connection, _ = with_stream()
    event = receive_one(connection, call("publish", 5, *arguments, stream=1))
    assert event == PublishRequested(1, 5, "a", publish_type)


def test_publish_with_prefix_query_and_transaction_0():
    connection, _ = with_stream()
    event = receive_one(connection, call("publish", 0, "mp4:a/b?key=s", "append", stream=1))
    assert event == PublishRequested(1, 0, "a/b", "append", query_string="key=s", prefix="mp4")


def test_publish_is_accepted_by_on_status_on_its_stream():
    connection, written = publishing_server()
    connection.accept_publish(1)
    assert written.commands() == [
        (
            1,
            [
                "onStatus",
                0,
                None,
                {
                    "level": "status",
                    "code": "NetStream.Publish.Start",
                    "description": "a is now published.",
                },
            ],
        )
    ]


def test_long_names_are_not_repeated_in_full():
    connection, written = with_stream()
    name = "n" * 100_000
    connection.receive_data(call("FCPublish", 4, name) + call("publish", 5, name, stream=1))
    connection.accept_publish(1)
    assert sum(len(one.payload) for one in written.messages()) < 1500


def test_a_refused_publisher_is_idle_again_and_its_media_dropped():
    connection, written = publishing_server()
    connection.reject_publish(1, "NetStream.Publish.Denied", "No key.")
    ((stream, values),) = written.commands()
    assert (stream, values[3]["level"], values[3]["code"]) == (
        1,
        "error",
        "NetStream.Publish.Denied",
    )
    assert connection.receive_data(message(b"x", type=9, stream=1)) == []
    event = receive_one(connection, call("publish", 6, "b", stream=1))
    assert isinstance(event, PublishRequested)


def test_a_stream_is_published_once_at_a_time():
    connection, written = publishing_server()
    assert connection.receive_data(call("publish", 6, "b", stream=1)) == []
    assert connection.receive_data(call("play", 7, "b", stream=1)) == []
    codes = [values[3]["code"] for _, values in written.commands()]
    assert codes == ["NetStream.Publish.BadName", "NetStream.Play.Failed"]
    assert connection.receive_data(message(b"x", type=9, stream=1)) != []


@pytest.mark.parametrize("name", [5, {}, True], ids=repr)
def test_names_that_are_not_text_are_refused(name):
    connection, written = with_stream()
    assert connection.receive_data(call("publish", 6, name, stream=1)) == []
    assert connection.receive_data(call("play", 6, name, stream=1)) == []
    codes = [values[3]["code"] for _, values in written.commands()]
    assert codes == ["NetStream.Publish.BadName", "NetStream.Play.Failed"]


def test_commands_on_a_stream_that_was_never_created():
    connection, written = connected_server()
    assert connection.receive_data(call("publish", 5, "a", stream=7)) == []
    assert connection.receive_data(call("play", 0, "a", stream=7)) == []
    ((stream, values),) = written.commands()
    assert (stream, values[:2]) == (7, ["_error", 5])
    assert values[3]["description"] == "No message stream 7."


def test_stream_commands_on_stream_0_belong_to_the_application():
    connection, _ = connected_server()
    assert receive_one(connection, call("play", 5, "x")) == CallReceived(0, 5, "play", None, ["x"])


@pytest.mark.parametrize(
    ("data", "event"),
    [
        (call("FCUnpublish", 6, "a"), StreamClosed(1)),
        (call("closeStream", 0, stream=1), StreamClosed(1)),
        (call("publish", 0, False, stream=1), StreamClosed(1)),
        (call("publish", 0, None, stream=1), StreamClosed(1)),
        (call("deleteStream", 0, 1), StreamDeleted(1)),
    ],
    ids=["FCUnpublish", "closeStream", "publish(false)", "publish(null)", "deleteStream"],
)
def test_every_ending_is_one_idempotent_unpublish(data, event):
    connection, _ = publishing_server()
    assert connection.receive_data(data) == [event]
    assert connection.receive_data(data) == []
    assert connection.receive_data(message(b"x", type=9, stream=1)) == []


def test_fc_unpublish_then_delete_stream_are_two_events_and_no_third():
    connection, _ = publishing_server()
    data = (
        call("FCUnpublish", 6, "a") + call("deleteStream", 0, 1) + call("closeStream", 0, stream=1)
    )
    assert connection.receive_data(data) == [StreamClosed(1), StreamDeleted(1)]


def test_close_stream_leaves_the_stream_usable_and_is_confirmed():
    connection, written = publishing_server()
    connection.receive_data(call("closeStream", 0, stream=1))
    ((stream, values),) = written.commands()
    assert (stream, values[3]["code"]) == (1, "NetStream.Unpublish.Success")
    event = receive_one(connection, call("play", 5, "b", stream=1))
    assert isinstance(event, PlayRequested)


def test_fc_unpublish_of_a_name_that_only_plays_closes_nothing():
    connection, _ = with_stream()
    connection.receive_data(call("play", 5, "b", stream=1))
    assert connection.receive_data(call("FCUnpublish", 6, "b")) == []


# play


@pytest.mark.parametrize(
    ("arguments", "start", "duration", "reset"),
    [
        (["feed"], -2, -1, True),
        (["feed", -2], -2, -1, True),
        (["feed", -2000], -2, -1, True),
        (["feed", -1000], -1, -1, True),
        (["feed", -1], -1, -1, True),
        (["feed", -1000, 3000], -1, 3000, True),
        (["feed", -2000, -1000], -2, -1, True),
        (["feed", 5000, 2500.5, False], 5000, 2500.5, False),
        (["feed", 0, 0, 0], 0, 0, False),
        (["feed", -5, None, 1], -2, -1, True),
        (["feed", math.nan, math.inf, True], -2, -1, True),
        (["feed", "0", True], -2, -1, True),
    ],
    ids=[
        *("missing", "GStreamer", "ffmpeg", "librtmp", "live", "rtmpdump stop", "nginx"),
        *("recorded", "number as reset", "other negative", "not finite", "not numbers"),
    ],
)
def test_play_start_and_duration(arguments, start, duration, reset):
    connection, _ = with_stream()
    event = receive_one(connection, call("play", 4, *arguments, stream=1))
    assert event == PlayRequested(1, 4, "feed", start, duration, reset)


def test_play_is_accepted_with_all_that_precedes_metadata():
    connection, written = with_stream()
    connection.receive_data(call("play", 4, "feed?t=1", -2000, stream=1))
    connection.accept_play(1)
    found = written.messages()
    assert [one.type for one in found] == [4, 20, 20, 18]
    assert found[0].payload == b"\0\0\0\0\0\x01"
    statuses = [values_of(one) for one in found[1:3]]
    assert [values[3]["code"] for values in statuses] == [
        "NetStream.Play.Reset",
        "NetStream.Play.Start",
    ]
    assert all(values[:3] == ["onStatus", 0, None] for values in statuses)
    assert [one.message_stream_id for one in found] == [0, 1, 1, 1]
    assert values_of(found[3]) == ["|RtmpSampleAccess", True, True]


def test_play_without_reset_and_recorded():
    connection, written = with_stream()
    connection.receive_data(call("play", 4, "feed", 0, -1, False, stream=1))
    connection.accept_play(1, is_recorded=True)
    found = written.messages()
    assert [one.payload[:2] for one in found[:2]] == [b"\0\x04", b"\0\0"]
    assert [values_of(one)[3]["code"] for one in found[2:3]] == ["NetStream.Play.Start"]


def test_the_end_of_a_play():
    connection, written = with_stream()
    connection.receive_data(call("play", 4, "feed", stream=1))
    connection.accept_play(1)
    written.messages()
    connection.finish_play(1, complete=True)
    found = written.messages()
    assert [one.type for one in found] == [18, 4, 20]
    assert values_of(found[0])[0] == "onPlayStatus"
    assert values_of(found[0])[1]["code"] == "NetStream.Play.Complete"
    assert found[1].payload == b"\0\x01\0\0\0\x01"
    assert values_of(found[2])[3]["code"] == "NetStream.Play.Stop"
    connection.receive_data(call("play", 5, "feed", stream=1))
    connection.finish_play(1)
    assert [one.type for one in written.messages()] == [4, 20]
    with pytest.raises(LocalProtocolError, match="finish_play: stream 1 is not PLAYING"):
        connection.finish_play(1)


def test_a_refused_player_may_ask_again():
    connection, written = with_stream()
    connection.receive_data(call("play", 4, "feed", stream=1))
    connection.reject_play(1)
    ((_, values),) = written.commands()
    assert values[3]["code"] == "NetStream.Play.StreamNotFound"
    with pytest.raises(LocalProtocolError, match="accept_play: stream 1 is not PLAYING"):
        connection.accept_play(1)
    assert receive_one(connection, call("play", 4, "feed", stream=1))


def test_a_player_may_switch_and_stop():
    connection, written = with_stream()
    data = call("play", 4, "a", stream=1) + call("play", 5, "b", -2, -1, False, stream=1)
    _, second = connection.receive_data(data)
    assert isinstance(second, PlayRequested)
    assert (second.stream_name, second.reset) == ("b", False)
    assert connection.receive_data(call("play", 0, False, stream=1)) == [StreamClosed(1)]
    connection.receive_data(call("play", 6, "c", stream=1))
    assert connection.receive_data(call("play", 0, None, stream=1)) == [StreamClosed(1)]
    assert written.messages() == []  # whoever publishes is told of the end, and nobody else


def test_pause_seek_and_receive():
    connection, _ = with_stream()
    data = (
        call("pause", 0, True, 1500, stream=1)
        + call("pauseRaw", 0, False, stream=1)
        + call("pause", 0, 1, "soon", stream=1)
        + call("seek", 6, 2500, stream=1)
        + call("seek", 7, "the end", stream=1)
        + call("receiveAudio", 0, False, stream=1)
        + call("receiveVideo", 0, True, stream=1)
    )
    events = connection.receive_data(data)
    assert events == [
        PauseRequested(1, 0, paused=True, position=1500),
        PauseRequested(1, 0, paused=False, position=0),
        PauseRequested(1, 0, paused=True, position=0),
        SeekRequested(1, 6, 2500),
        SeekRequested(1, 7, 0),
        ReceiveSwitched(1, MessageType.AUDIO, enabled=False),
        ReceiveSwitched(1, MessageType.VIDEO, enabled=True),
    ]
    assert [event.paused for event in events if isinstance(event, PauseRequested)][2] is True


def test_status_from_a_client_is_reported():
    connection, _ = connected_server()
    data = call("onStatus", 0, {"code": "X"}) + call("onStatus", 0)
    assert connection.receive_data(data) == [
        StatusReceived(0, {"code": "X"}),
        StatusReceived(0, None),
    ]


# what we write otherwise


def test_status_goes_to_its_stream_or_to_the_connection():
    connection, written = connected_server()
    connection.send_status(0, {"code": "NetConnection.Connect.AppShutdown"})
    connection.send_status(3, {"code": "NetStream.Data"})
    assert written.commands() == [
        (0, ["onStatus", 0, None, {"code": "NetConnection.Connect.AppShutdown"}]),
        (3, ["onStatus", 0, None, {"code": "NetStream.Data"}]),
    ]


def test_stream_events_and_buffer_length():
    connection, written = connected_server()
    connection.send_stream_event(UserControlType.STREAM_DRY, 1)
    connection.send_buffer_length(1, 3000)
    payloads = [one.payload.hex() for one in written.messages()]
    assert payloads == ["000200000001", "00030000000100000bb8"]


def test_shared_bytes_are_what_the_connection_would_have_written():
    connection, written = connected_server()
    connection.send_call("onSay", ["hi"])
    assert connection.data_to_send() == encode_call("onSay", ["hi"])
    shared = SharedObjectMessage("so", events=(Use(),))
    connection.send_shared_object(shared)
    assert connection.data_to_send() == encode_shared_object(shared)
    connection.send_message(1, 9, 77, b"frame")
    video = connection.data_to_send()
    assert written.messages() == []
    connection.send_raw(video)
    (found,) = written.messages()
    assert (found.type, found.message_stream_id, found.timestamp) == (9, 1, 77)
    assert video == encode_message(found)


def test_passing_on_keeps_the_order_of_what_is_queued():
    connection, _ = connected_server()
    video = encode_message(Message(9, 1, 77, b"frame"))
    assert connection.pass_on(video) is video
    connection.send_call("onSay", ["hi"])
    assert connection.pass_on(video) == encode_call("onSay", ["hi"]) + video
    assert connection.data_to_send() == b""


def test_shared_calls_in_amf3():
    connection, _ = connected_server({"objectEncoding": 3})
    connection.send_call("onSay", [{"a": 1}])
    assert connection.data_to_send() == encode_call("onSay", [{"a": 1}], object_encoding=3)


@pytest.mark.parametrize("what", ["accept_publish", "reject_publish", "finish_play"])
def test_answers_to_nothing_are_our_mistake(what):
    connection, _ = with_stream()
    with pytest.raises(LocalProtocolError, match=f"{what}: stream 1 is not"):
        getattr(connection, what)(1)
    with pytest.raises(LocalProtocolError, match=f"{what}: stream 5 is not"):
        getattr(connection, what)(5)
