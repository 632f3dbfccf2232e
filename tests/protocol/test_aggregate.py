"""Aggregate messages (RTMP 1.0 §7.1.6)."""

from __future__ import annotations

import pytest

from rtmp_channels.protocol import RemoteProtocolError
from rtmp_channels.protocol.aggregate import split_aggregate
from rtmp_channels.protocol.chunk import Message


def tag(type: int, time: int, data: bytes) -> bytes:
    """One FLV tag with its back pointer."""
    header = bytes([type]) + len(data).to_bytes(3, "big") + (time & 0xFFFFFF).to_bytes(3, "big")
    return header + bytes([time >> 24, 0, 0, 9]) + data + (11 + len(data)).to_bytes(4, "big")


def split(time: int, *tags: bytes) -> list[Message]:
    return list(split_aggregate(Message(22, 1, time, b"".join(tags))))


def test_sub_message_times_are_relative_to_the_first():
    parts = split(5000, tag(8, 70, b"a"), tag(9, 90, b"bc"), tag(18, 60, b""))
    assert parts == [
        Message(8, 1, 5000, b"a"),
        Message(9, 1, 5020, b"bc"),
        Message(18, 1, 4990, b""),
    ]


def test_times_have_an_upper_byte_and_wrap():
    parts = split(0xFFFFFFFF, tag(8, 0x01FFFFFF, b"a"), tag(8, 0x02000001, b"b"))
    assert [part.timestamp for part in parts] == [0xFFFFFFFF, 1]


def test_the_last_back_pointer_may_be_missing():
    assert split(0, tag(8, 0, b"a"), tag(8, 1, b"b")[:-4])[-1].payload == b"b"


def test_an_empty_aggregate_holds_nothing():
    assert split(0) == []


@pytest.mark.parametrize("cut", [1, 3, 10, 11, 12])
def test_a_message_cut_short_is_an_error(cut):
    with pytest.raises(RemoteProtocolError, match="cut short"):
        split(0, tag(8, 0, b"abc")[:cut])
