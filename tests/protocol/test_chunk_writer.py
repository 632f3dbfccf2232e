"""The chunk stream, writing (RTMP 1.0 §5.3.1)."""

from __future__ import annotations

import random

import pytest

from rtmp_channels.protocol import LocalProtocolError
from rtmp_channels.protocol.chunk import Message, serialize_message
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.outbound import chunk_stream_id_of, encode_message

from .test_chunk_reader import read, reader


def test_a_short_message_is_one_format_0_chunk():
    data = serialize_message(Message(20, 1, 0x010203, b"abc"), chunk_stream_id=3, chunk_size=128)
    assert data == bytes.fromhex("03 010203 000003 14 01000000 616263".replace(" ", ""))


def test_a_long_message_continues_in_format_3():
    payload = random.Random(1).randbytes(300)
    data = serialize_message(Message(9, 1, 7, payload), chunk_stream_id=6, chunk_size=128)
    header = bytes.fromhex("06 000007 00012c 09 01000000".replace(" ", ""))
    assert data == header + payload[:128] + b"\xc6" + payload[128:256] + b"\xc6" + payload[256:]


@pytest.mark.parametrize("length", [0, 1, 128, 129, 256, 257])
def test_no_continuation_without_payload(length):
    data = serialize_message(Message(9, 1, 7, bytes(length)), chunk_stream_id=6, chunk_size=128)
    assert len(data) == 12 + length + max(0, (length - 1) // 128)


def test_from_16777215_ms_on_every_chunk_repeats_the_extended_timestamp():
    data = serialize_message(Message(9, 1, 0xFFFFFF, bytes(129)), chunk_stream_id=6, chunk_size=128)
    header = bytes.fromhex("06 ffffff 000081 09 01000000 00ffffff".replace(" ", ""))
    assert data == header + bytes(128) + bytes.fromhex("c600ffffff") + b"\0"
    before = serialize_message(Message(9, 1, 0xFFFFFE, b"x"), chunk_stream_id=6, chunk_size=128)
    assert before == bytes.fromhex("06fffffe0000010901000000") + b"x"


def test_times_are_written_modulo_two_to_the_32():
    data = serialize_message(Message(9, 1, (1 << 32) + 5, b"x"), chunk_stream_id=6, chunk_size=128)
    assert data[1:4] == b"\0\0\x05"


@pytest.mark.parametrize("time", [0, 0xFFFFFE, 0xFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize("chunk_size", [1, 128, 65_536, 0xFFFFFF])
def test_the_reader_reads_what_the_writer_writes(time, chunk_size):
    message = Message(9, 1, time, random.Random(time).randbytes(3_000))
    chunk_reader = reader()
    chunk_reader.chunk_size = chunk_size
    data = serialize_message(message, chunk_stream_id=6, chunk_size=chunk_size)
    assert read(data * 2, chunk_reader) == [message, message]


def test_a_payload_beyond_24_bits_is_our_mistake():
    with pytest.raises(LocalProtocolError, match="16777216 bytes"):
        serialize_message(Message(9, 1, 0, bytes(1 << 24)), chunk_stream_id=6, chunk_size=128)


def test_chunk_stream_ids_are_fixed_and_below_9():
    ids = {message_type: chunk_stream_id_of(message_type) for message_type in MessageType}
    assert {ids[message_type] for message_type in range(1, 7)} == {2}
    for message_type in (16, 17, 19, 20):
        assert ids[message_type] == 3  # npm rtmp-client reads these nowhere else
    assert all(2 <= chunk_stream_id <= 8 for chunk_stream_id in ids.values())


def test_shared_bytes_use_the_chunk_size_of_all_connections():
    data = encode_message(Message(9, 1, 0, bytes(65_537)))
    assert len(data) == 12 + 65_537 + 1
