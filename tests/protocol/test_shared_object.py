"""Shared-object messages: the layout of wire types 19 and 16 (RTMP 1.0 §7.1.3)."""

from __future__ import annotations

import pytest

from amf_remoting import amf
from rtmp_channels.protocol import LocalProtocolError, RemoteProtocolError
from rtmp_channels.protocol.events import SharedObjectReceived
from rtmp_channels.protocol.shared_object import (
    Change,
    Clear,
    Echo,
    Release,
    Remove,
    RequestChange,
    RequestClear,
    RequestRemove,
    SendMessage,
    SharedObjectMessage,
    SlotVersion,
    Status,
    Success,
    Use,
    UseSuccess,
)

from .chunks import message
from .peers import connected_server, receive_one

HEAD = "0003666f6f 00000000 00000000 00000000"


def body(*events: str, head: str = HEAD) -> bytes:
    return bytes.fromhex((head + "".join(events)).replace(" ", ""))


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (Use(), "01 00000000"),
        (Release(), "02 00000000"),
        (RequestChange((("n", 42.0),)), "03 0000000c 00016e 004045000000000000"),
        (Change((("a", None), ("b", True))), "04 00000009 000161 05 000162 0101"),
        (Success("k"), "05 00000003 00016b"),
        (SendMessage("hi", (True, "x")), "06 0000000b 0200026869 0101 02000178"),
        (SendMessage("hi", ()), "06 00000005 0200026869"),
        (Status("no", "error"), "07 0000000b 00026e6f 00056572726f72"),
        (Clear(), "08 00000000"),
        (Remove("k"), "09 00000003 00016b"),
        (RequestRemove("k"), "0a 00000003 00016b"),
        (UseSuccess(), "0b 00000000"),
        (SlotVersion("k", 7), "0c 00000007 00016b 00000007"),
        (Echo((("k", "v"),)), "0d 00000007 00016b 02000176"),
        (RequestClear(), "0e 00000000"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_events_parse_and_serialize(event, data):
    shared = SharedObjectMessage("foo", events=(event,))
    assert SharedObjectMessage.parse(body(data)) == shared
    assert shared.serialize() == body(data)


def test_name_version_flags_and_several_events():
    payload = body("0b 00000000", "08 00000000", head="0005 612f62c3a9 0000000a 00000002 00000000")
    shared = SharedObjectMessage("a/bé", 10, 2, (UseSuccess(), Clear()))
    assert SharedObjectMessage.parse(payload) == shared
    assert shared.serialize() == payload
    assert shared.persistent
    assert not SharedObjectMessage("x", flags=16).persistent


def test_type_16_is_one_byte_00_then_the_same_layout_with_amf3_values():
    value = b"\x11" + amf.dumps({"n": 1}, 3)
    data = b"\0\x01k" + value
    payload = b"\0" + body() + b"\x04" + len(data).to_bytes(4, "big") + data
    shared = SharedObjectMessage("foo", events=(Change((("k", {"n": 1}),)),), object_encoding=3)
    assert SharedObjectMessage.parse(payload, object_encoding=3) == shared
    assert shared.serialize() == payload
    assert (shared.type, SharedObjectMessage("foo").type) == (16, 19)


def test_a_send_in_type_16_keeps_its_name_in_amf0():
    shared = SharedObjectMessage("foo", events=(SendMessage("hi", ([1],)),), object_encoding=3)
    payload = shared.serialize()
    assert payload.endswith(amf.dumps("hi", 0) + b"\x11" + amf.dumps([1], 3))
    assert SharedObjectMessage.parse(payload, object_encoding=3) == shared


def test_values_share_no_references():
    value = {"a": 1.0}
    shared = SharedObjectMessage("foo", events=(Change((("x", value), ("y", value))),))
    once = amf.dumps(value, 0)
    assert shared.serialize().endswith(b"\0\x01x" + once + b"\0\x01y" + once)
    assert SharedObjectMessage.parse(shared.serialize()) == shared


def test_amf3_values_are_read_alike_with_fresh_and_with_shared_tables():
    values = ("plain", {"a": "x", "b": "x"}, ["x", {"b": "a"}], 5)
    change = Change(tuple((f"k{number}", value) for number, value in enumerate(values)))
    shared = SharedObjectMessage("foo", events=(change,), object_encoding=3)
    payload = shared.serialize()
    assert SharedObjectMessage.parse(payload, object_encoding=3) == shared
    send = SendMessage("hi", values)
    assert amf.loads_many(send.serialize(3), 0, avmplus_tables="shared") == ["hi", *values]


def test_lengths_are_bytes_never_characters():
    shared = SharedObjectMessage("ключ", events=(Change((("naïve", 1.0), ("键", "值"))),))
    assert SharedObjectMessage.parse(shared.serialize()) == shared
    assert shared.serialize()[:2] == b"\0\x08"
    event = shared.serialize()[2 + 8 + 12 :]
    assert event[:5] == b"\x04" + (2 + 6 + 9 + 2 + 3 + 6).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("encoded", "key"),
    [("eda0bdedb880", "\U0001f600"), ("e9", "é"), ("eda0bd", "\ufffd")],
    ids=["CESU-8", "latin-1", "lone surrogate"],
)
def test_keys_that_are_not_utf_8(encoded, key):
    size = len(encoded) // 2
    data = f"09 {size + 2:08x} {size:04x} {encoded}"
    assert SharedObjectMessage.parse(body(data)).events == (Remove(key),)


def test_lone_surrogates_are_never_written():
    assert SharedObjectMessage("\ud83d").serialize()[:5] == b"\0\x03\xef\xbf\xbd"
    assert SharedObjectMessage("\ud83d\ude00").serialize()[:6] == b"\0\x04\xf0\x9f\x98\x80"


def test_events_of_unknown_type_are_left_out():
    assert SharedObjectMessage.parse(body("0f 00000002 abcd", "08 00000000")).events == (Clear(),)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "a name or key is cut short"),
        (b"\0", "a name or key is cut short"),
        (b"\0\x05abc", "a name or key is cut short"),
        (body()[:-1], "ends in its header"),
        (body("01 0000"), "ends in an event's header"),
        (body("01 00000001"), "event 1 claims 1 bytes"),
        (body("01 ffffffff"), "event 1 claims 4294967295 bytes"),
        (body("01 00000001 00"), "Use with 1 bytes"),
        (body("03 00000000"), "RequestChange without a key"),
        (body("03 00000003 00016b"), "shared object: "),
        (body("03 00000004 00056b05"), "cut short"),
        (body("05 00000004 00016b00"), "Success with bytes after its key"),
        (body("06 00000000"), "SendMessage without a handler's name"),
        (body("06 00000001 05"), "SendMessage without a handler's name"),
        (body("07 00000004 0001 6b00"), "cut short"),
        (body("07 00000007 00016b 00016b 00"), "bytes after its level"),
        (body("0c 00000004 00016b 00"), "without its 4-byte version"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_broken_messages(payload, why):
    with pytest.raises(RemoteProtocolError, match=why):
        SharedObjectMessage.parse(payload)


def test_the_number_of_events_is_limited():
    assert len(SharedObjectMessage.parse(body("08 00000000" * 10), max_events=10).events) == 10
    with pytest.raises(RemoteProtocolError, match="more than 10 events"):
        SharedObjectMessage.parse(body("08 00000000" * 11), max_events=10)


def test_values_have_a_budget():
    limits = amf.Limits(input_bytes=10)
    shared = SharedObjectMessage("x", events=(Change((("k", "v" * 20),)),))
    with pytest.raises(RemoteProtocolError, match="more than 10"):
        SharedObjectMessage.parse(shared.serialize(), limits=limits)


def test_what_cannot_be_written_is_our_mistake():
    with pytest.raises(LocalProtocolError, match="65,535 at most"):
        SharedObjectMessage("x" * 65_536).serialize()
    with pytest.raises(LocalProtocolError, match="AMF"):
        SharedObjectMessage("x", events=(Change((("k", object()),)),)).serialize()


@pytest.mark.parametrize(("object_encoding", "type_id"), [(0, 19), (3, 16)])
def test_shared_objects_travel_on_chunk_stream_3_message_stream_0_time_0(object_encoding, type_id):
    connection, _ = connected_server()
    shared = SharedObjectMessage("foo", 3, 16, (Use(),), object_encoding)
    connection.send_shared_object(shared)
    data = connection.data_to_send()
    length = len(shared.serialize())
    assert data[:12] == b"\x03\0\0\0" + length.to_bytes(3, "big") + bytes([type_id]) + bytes(4)
    event = receive_one(connection, message(shared.serialize(), type=type_id, time=57))
    assert event == SharedObjectReceived(shared)


def test_limits_of_amf_reach_the_connection():
    connection, _ = connected_server(amf_limits=amf.Limits(values=100))
    data = b"\0\x01k" + amf.dumps(list(range(200)), 0)
    with pytest.raises(RemoteProtocolError, match="shared object: "):
        connection.receive_data(
            message(body("03" + len(data).to_bytes(4, "big").hex() + data.hex()), type=19)
        )


def test_limits_reach_the_connection():
    connection, _ = connected_server(max_shared_object_events=2)
    with pytest.raises(RemoteProtocolError, match="more than 2 events"):
        connection.receive_data(message(body("08 00000000" * 3), type=19))
