"""Protocol control messages and user control messages (RTMP 1.0 §5.4, §7.1.7)."""

from __future__ import annotations

import pytest

from rtmp_channels.protocol import RemoteProtocolError
from rtmp_channels.protocol.control import (
    Abort,
    Acknowledgement,
    LimitType,
    SetChunkSize,
    SetPeerBandwidth,
    WindowAcknowledgementSize,
)
from rtmp_channels.protocol.user_control import (
    Ping,
    SetBufferLength,
    StreamEvent,
    UserControlType,
    parse_user_control,
)


@pytest.mark.parametrize(
    ("message", "type_id", "payload"),
    [
        (SetChunkSize(65_536), 1, "00010000"),
        (Abort(6), 2, "00000006"),
        (Acknowledgement(0xFFFFFFFE), 3, "fffffffe"),
        (WindowAcknowledgementSize(2_500_000), 5, "002625a0"),
        (SetPeerBandwidth(2_500_000, LimitType.DYNAMIC), 6, "002625a002"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_control_messages_parse_and_serialize(message, type_id, payload):
    assert message.type == type_id
    assert message.serialize() == bytes.fromhex(payload)
    assert type(message).parse(bytes.fromhex(payload)) == message


@pytest.mark.parametrize("length", [0, 3, 5, 6])
@pytest.mark.parametrize(
    "message", [SetChunkSize, Abort, Acknowledgement, WindowAcknowledgementSize, SetPeerBandwidth]
)
def test_control_messages_of_another_length_are_refused(message, length):
    if message is SetPeerBandwidth and length == 5:
        length = 4
    with pytest.raises(RemoteProtocolError, match=f"bytes expected, got {length}"):
        message.parse(bytes(length))


@pytest.mark.parametrize("payload", ["00000000", "80000000"], ids=["zero", "only the top bit"])
def test_set_chunk_size_refuses_0(payload):
    with pytest.raises(RemoteProtocolError, match="at least 1 byte"):
        SetChunkSize.parse(bytes.fromhex(payload))


@pytest.mark.parametrize(
    ("payload", "chunk_size"),
    [("80001000", 4096), ("00ffffff", 0xFFFFFF), ("01000000", 0xFFFFFF), ("7fffffff", 0xFFFFFF)],
    ids=["top bit cleared", "largest", "capped", "2 GB"],
)
def test_set_chunk_size_clears_the_top_bit_and_is_capped_at_ffffff(payload, chunk_size):
    assert SetChunkSize.parse(bytes.fromhex(payload)).chunk_size == chunk_size


@pytest.mark.parametrize(
    ("message", "payload"),
    [
        (StreamEvent(UserControlType.STREAM_BEGIN, 1), "000000000001"),
        (StreamEvent(UserControlType.STREAM_EOF, 1), "000100000001"),
        (StreamEvent(UserControlType.STREAM_DRY, 2), "000200000002"),
        (SetBufferLength(1, 3000), "00030000000100000bb8"),
        (StreamEvent(UserControlType.STREAM_IS_RECORDED, 1), "000400000001"),
        (Ping(UserControlType.PING_REQUEST, 0x6B00FC8F), "00066b00fc8f"),
        (Ping(UserControlType.PING_RESPONSE, 0xFFFFFFFF), "0007ffffffff"),
        (StreamEvent(UserControlType.BUFFER_EMPTY, 1), "001f00000001"),
        (StreamEvent(UserControlType.BUFFER_READY, 1), "002000000001"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_user_control_messages_parse_and_serialize(message, payload):
    assert message.type == 4
    assert message.serialize() == bytes.fromhex(payload)
    assert parse_user_control(bytes.fromhex(payload)) == message
    assert parse_user_control(bytes.fromhex(payload) + b"more") == message


@pytest.mark.parametrize("payload", ["0005", "001a", "0021ffff"])
def test_unknown_user_control_events_mean_nothing(payload):
    assert parse_user_control(bytes.fromhex(payload)) is None


@pytest.mark.parametrize("payload", ["", "00", "0000", "0000000000", "000300000001", "000600"])
def test_short_user_control_messages_are_refused(payload):
    with pytest.raises(RemoteProtocolError, match="User Control"):
        parse_user_control(bytes.fromhex(payload))


@pytest.mark.parametrize("payload", ["", "00"])
def test_half_an_event_type_is_none(payload):
    with pytest.raises(RemoteProtocolError, match="no event type"):
        parse_user_control(bytes.fromhex(payload))
