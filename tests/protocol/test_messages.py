"""Media, data and control messages on a connection (RTMP 1.0 §5.4, §7.1)."""

from __future__ import annotations

import itertools

import pytest

from amf_remoting import amf
from rtmp_channels.protocol import RemoteProtocolError
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.events import (
    AcknowledgementReceived,
    BufferLengthSet,
    CallReceived,
    DataReceived,
    MediaReceived,
    PingAnswered,
    StreamEventReceived,
)
from rtmp_channels.protocol.user_control import UserControlType

from .chunks import chunk, message, u32
from .peers import (
    call,
    connect,
    connected_server,
    open_server,
    publishing_server,
    receive_one,
)
from .test_aggregate import tag

# media


def test_media_of_a_publisher():
    connection, _ = publishing_server()
    data = message(b"a", type=8, stream=1, time=0xFFFFFF) + message(b"v", type=9, stream=1, time=5)
    assert connection.receive_data(data) == [
        MediaReceived(1, MessageType.AUDIO, 0xFFFFFF, b"a"),
        MediaReceived(1, MessageType.VIDEO, 5, b"v"),
    ]


def test_media_may_follow_publish_without_waiting_for_its_answer():
    connection, _ = connected_server()
    data = call("createStream", 2) + call("publish", 0, "pushed", stream=1)
    events = connection.receive_data(data + message(b"v", type=9, stream=1))
    assert events[-1] == MediaReceived(1, MessageType.VIDEO, 0, b"v")


@pytest.mark.parametrize(
    ("type_id", "stream"), [(8, 0), (9, 0), (8, 2), (9, 2), (18, 2), (9, 77), (18, 77)]
)
def test_media_of_a_stream_that_does_not_publish_is_dropped(type_id, stream):
    connection, _ = publishing_server()
    connection.receive_data(call("createStream", 4))
    assert connection.receive_data(message(b"\x02\0\x01x", type=type_id, stream=stream)) == []


def test_data_on_stream_0_is_for_the_application():
    connection, _ = connected_server()
    event = receive_one(connection, message(amf.dumps("note", 0), type=18))
    assert event == DataReceived(0, 0, ["note"], amf.dumps("note", 0), is_data_frame=False)


def test_set_data_frame_is_stripped_and_kept():
    connection, _ = publishing_server()
    values = ["onMetaData", {"width": 320}]
    payload = amf.dumps_many(["@setDataFrame", *values], 0)
    event = receive_one(connection, message(payload, type=18, stream=1, time=7))
    assert event == DataReceived(1, 7, values, amf.dumps_many(values, 0), is_data_frame=True)


def test_nginx_push_sends_a_bare_on_meta_data():
    connection, _ = publishing_server()
    payload = amf.dumps_many(["onMetaData", {"width": 320}], 0)
    event = receive_one(connection, message(payload, type=18, stream=1))
    assert event == DataReceived(1, 0, ["onMetaData", {"width": 320}], payload, is_data_frame=False)


def test_ecma_counts_in_metadata_are_often_wrong():
    connection, _ = publishing_server()
    payload = amf.dumps_many(["onMetaData"], 0) + b"\x08\0\0\0\x63\0\x01w\x05\0\0\x09"
    event = receive_one(connection, message(payload, type=18, stream=1))
    assert isinstance(event, DataReceived)
    assert event.values[1] == amf.MixedArray([], {"w": None})


def test_type_15_becomes_the_body_of_a_type_18():
    connection, _ = publishing_server()
    values = amf.dumps_many(["onTextData"], 0) + b"\x11" + amf.dumps({"text": "é"}, 3)
    event = receive_one(connection, message(b"\0" + values, type=15, stream=1))
    assert event == DataReceived(1, 0, ["onTextData", {"text": "é"}], values, is_data_frame=False)


def test_data_of_nothing():
    connection, _ = publishing_server()
    event = receive_one(connection, message(b"", type=18, stream=1))
    assert event == DataReceived(1, 0, [], b"", is_data_frame=False)


def test_data_with_too_many_values():
    connection, _ = publishing_server(amf_limits=amf.Limits(values=100))
    data = amf.dumps_many(["cue", list(range(200))], 0)
    with pytest.raises(RemoteProtocolError, match="undecodable AMF"):
        connection.receive_data(message(data, type=18, stream=1))


def test_undecodable_data():
    connection, _ = publishing_server()
    with pytest.raises(RemoteProtocolError, match="undecodable AMF"):
        connection.receive_data(message(b"\x02\0", type=18, stream=1))


def test_aggregates_are_taken_apart():
    connection, _ = publishing_server()
    inside = (
        tag(8, 40, b"a") + tag(9, 60, b"v") + tag(18, 60, amf.dumps("cue", 0)) + tag(1, 0, b"x")
    )
    events = connection.receive_data(message(inside, type=22, stream=1, time=1000))
    assert events == [
        MediaReceived(1, MessageType.AUDIO, 1000, b"a"),
        MediaReceived(1, MessageType.VIDEO, 1020, b"v"),
        DataReceived(1, 1020, ["cue"], amf.dumps("cue", 0), is_data_frame=False),
    ]


@pytest.mark.parametrize("type_id", [0, 7, 10, 13, 21, 23, 255])
def test_undocumented_message_types_mean_nothing(type_id):
    connection, written = connected_server()
    assert connection.receive_data(message(b"whatever", type=type_id)) == []
    assert written.messages() == []
    assert receive_one(connection, call("still", 0)) == CallReceived(0, 0, "still", None, [])


# control messages


def test_set_chunk_size_holds_from_the_next_chunk_on_half_read_messages_included():
    connection, _ = publishing_server()
    payload = bytes(range(250)) * 2
    data = chunk(0, 6, payload[:128], length=500)
    data += message(u32(300), type=1)
    data += chunk(3, 6, payload[128:428]) + chunk(3, 6, payload[428:])
    assert receive_one(connection, data) == MediaReceived(1, MessageType.VIDEO, 0, payload)


@pytest.mark.parametrize(("chunk_size", "why"), [(0, "at least 1 byte"), (1, "chunk size of 1 ")])
def test_tiny_chunk_sizes_are_refused(chunk_size, why):
    connection, _ = connected_server()
    with pytest.raises(RemoteProtocolError, match=why):
        connection.receive_data(message(u32(chunk_size), type=1))


def test_the_smallest_chunk_size_is_a_setting():
    connection, _ = connected_server(min_peer_chunk_size=64)
    assert connection.receive_data(message(u32(64), type=1)) == []
    with pytest.raises(RemoteProtocolError, match=r"chunk size of 63 \(64 at least\)"):
        connection.receive_data(message(u32(63), type=1))


def test_a_chunk_size_of_2_gb_is_taken_and_allocates_nothing():
    connection, _ = connected_server()
    connection.receive_data(message(u32(0x7FFFFFFF), type=1))
    data = message(amf.dumps_many(["x", 0, None, "y" * 5000], 0), type=20, chunk_size=1 << 24)
    assert receive_one(connection, data) == CallReceived(0, 0, "x", None, ["y" * 5000])


def test_abort_drops_a_partial_message():
    connection, _ = publishing_server()
    data = chunk(0, 6, bytes(128), length=500) + message(u32(6), type=2) + chunk(0, 6, b"new")
    assert receive_one(connection, data) == MediaReceived(1, MessageType.VIDEO, 0, b"new")


def test_acknowledgements_are_sent_at_half_the_peers_window():
    connection, written = connected_server()
    connection.receive_data(message(u32(10_000), type=5))
    sizes = []
    for _ in range(30):
        connection.receive_data(call("x", 0, "y" * 1000))
        sizes += [int.from_bytes(one.payload, "big") for one in written.messages() if one.type == 3]
    assert len(sizes) == 6
    for earlier, later in itertools.pairwise(sizes):
        assert 5000 <= later - earlier < 5000 + 1100


def test_bytes_are_acknowledged_modulo_two_to_the_32():
    connection, written = connected_server()
    connection._receiver.window.receive((1 << 32) - 3073)
    connection.receive_data(message(u32(100), type=5))
    connection.receive_data(call("x", 0, "y" * 100))
    (acknowledged,) = written.messages()
    assert acknowledged.type == 3
    assert int.from_bytes(acknowledged.payload, "big") < 1000


def test_acknowledgements_of_the_peer_with_and_without_the_handshake():
    connection, written = open_server()
    connection.receive_data(connect())
    connection.accept_connect()
    written.messages()
    connection.send_message(1, 9, 0, bytes(10_000))
    sent = len(connection.data_to_send())
    total = connection._link.window.sent
    event = receive_one(connection, message(u32(total), type=3))
    assert event == AcknowledgementReceived(total, 0)
    event = receive_one(connection, message(u32(total - sent), type=3))
    assert event == AcknowledgementReceived(total - sent, sent)


def test_set_peer_bandwidth_is_answered_when_it_differs():
    connection, written = connected_server()
    connection.receive_data(message(u32(2_500_000) + b"\x02", type=6))
    assert written.messages() == []
    connection.receive_data(message(u32(1_000_000) + b"\x00", type=6) * 2)
    assert [(one.type, one.payload) for one in written.messages()] == [(5, u32(1_000_000))]


def test_a_ping_request_is_answered_inside():
    connection, written = connected_server()
    assert connection.receive_data(message(b"\0\x06" + u32(0x6B00FC8F), type=4)) == []
    assert [(one.type, one.payload) for one in written.messages()] == [
        (4, b"\0\x07" + u32(0x6B00FC8F))
    ]


def test_a_flood_of_pings_is_answered_in_part():
    connection, written = connected_server(max_ping_answers=5)
    ping = message(b"\0\x06" + u32(1), type=4)
    connection.receive_data(ping * 1000)
    assert len(written.messages()) == 5
    connection.receive_data(ping)
    assert len(written.messages()) == 1


def test_round_trips_are_measured_by_the_callers_clock():
    connection, written = connected_server()
    connection.send_ping(100.5)
    (request,) = written.messages()
    assert request.payload == b"\0\x06" + u32(100_500)
    answer = message(b"\0\x07" + u32(100_500), type=4)
    assert connection.receive_data(answer, now=100.75) == [PingAnswered(100_500, 250)]
    assert connection.receive_data(answer, now=101) == []


def test_a_clock_beyond_the_32_bits_of_a_ping():
    connection, written = connected_server()
    now = ((1 << 32) + 5) / 1000
    connection.send_ping(now)
    (request,) = written.messages()
    assert request.payload == b"\0\x06" + u32(5)
    answer = message(b"\0\x07" + u32(5), type=4)
    assert connection.receive_data(answer, now=now + 0.25) == [PingAnswered(5, 250)]


def test_a_ping_across_the_wrap_of_32_bits_and_a_response_to_nothing():
    connection, _ = connected_server()
    before = ((1 << 32) - 100) / 1000
    connection.send_ping(before)
    assert connection.receive_data(message(b"\0\x07" + u32(5), type=4), now=before) == []
    answer = message(b"\0\x07" + u32((1 << 32) - 100), type=4)
    assert connection.receive_data(answer, now=before + 0.3) == [PingAnswered((1 << 32) - 100, 300)]


def test_set_buffer_length_may_come_before_create_stream():
    connection, _ = connected_server()
    event = receive_one(connection, message(b"\0\x03" + u32(0, 300), type=4))
    assert event == BufferLengthSet(0, 300)


def test_stream_events_of_a_relay_and_unknown_ones():
    connection, _ = connected_server()
    data = message(b"\0\x00" + u32(1), type=4) + message(b"\0\x1a", type=4)
    event = receive_one(connection, data)
    assert event == StreamEventReceived(UserControlType.STREAM_BEGIN, 1)


def test_input_may_be_any_bytes_like_object():
    connection, _ = open_server()
    data = connect()
    assert connection.receive_data(bytearray(data[:10])) == []
    (event,) = connection.receive_data(memoryview(data)[10:])
    assert type(event).__name__ == "ConnectRequested"


def test_queued_bytes_are_what_data_to_send_hands_out():
    connection, _ = connected_server()
    assert connection.queued_bytes == 0
    connection.send_call("x", ["y"])
    connection.send_call("x", ["z"])
    queued = connection.queued_bytes
    assert queued == len(connection.data_to_send()) > 0
    assert connection.queued_bytes == 0


def test_everything_in_one_piece_and_the_answer_in_another():
    connection, written = open_server()
    connection.receive_data(connect() + call("hello", 0))
    assert connection.accept_connect() == [CallReceived(0, 0, "hello", None, [])]
    assert [one.type for one in written.messages()] == [5, 6, 1, 4, 20]
