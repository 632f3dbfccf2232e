"""The chunk stream, reading (RTMP 1.0 §5.3.1)."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from rtmp_channels.protocol import RemoteProtocolError
from rtmp_channels.protocol.chunk import Message
from rtmp_channels.protocol.chunk_reader import ChunkReader

from .chunks import basic_header, chunk


def reader(**limits: int) -> ChunkReader:
    defaults = {
        "max_message_length": 1 << 20,
        "max_partial_bytes": 1 << 21,
        "max_chunk_streams": 64,
    }
    return ChunkReader(**(defaults | limits))


def read(
    data: bytes, chunk_reader: ChunkReader | None = None, size: int = 1 << 30
) -> list[Message]:
    chunk_reader = chunk_reader or reader()
    messages = []
    for at in range(0, len(data), size):
        chunk_reader.feed(data[at : at + size])
        while (found := chunk_reader.next_message()) is not None:
            messages.append(found)
    return messages


def payloads(messages: list[Message]) -> list[bytes]:
    return [found.payload for found in messages]


@pytest.mark.parametrize("chunk_stream_id", [2, 63, 64, 319, 320, 64 + 255 + 256 * 255])
@pytest.mark.parametrize("size", [1, 1 << 30], ids=["bytes", "whole"])
def test_chunk_stream_ids_of_one_two_and_three_bytes(chunk_stream_id, size):
    data = chunk(0, chunk_stream_id, b"abc", time=5, type=8, stream=7)
    assert read(data * 2, size=size) == [Message(8, 7, 5, b"abc")] * 2


def test_three_byte_chunk_stream_id_is_little_endian():
    # 64 + 1 + 256 * 2 in three bytes, then the same chunk stream in format 3.
    data = b"\x01\x01\x02" + chunk(0, 3, b"ab")[1:] + b"\xc1\x01\x02ab"
    assert payloads(read(data)) == [b"ab", b"ab"]
    assert basic_header(0, 577) == b"\x01\x01\x02"


def test_message_stream_id_is_little_endian_all_else_big():
    data = bytes.fromhex("03 000102 000003 09 01020304 616263".replace(" ", ""))
    assert read(data) == [Message(9, 0x04030201, 0x0102, b"abc")]


def test_formats_0_to_3_inherit_what_they_leave_out():
    data = (
        chunk(0, 4, b"aaa", time=1000, type=8, stream=1)
        + chunk(1, 4, b"bbbb", time=20, type=9)
        + chunk(2, 4, b"cccc", time=30)
        + chunk(3, 4, b"dddd")
    )
    assert read(data) == [
        Message(8, 1, 1000, b"aaa"),
        Message(9, 1, 1020, b"bbbb"),
        Message(9, 1, 1050, b"cccc"),
        Message(9, 1, 1080, b"dddd"),
    ]


def test_format_3_may_start_a_message_and_after_format_0_the_delta_is_its_timestamp():
    data = chunk(0, 4, b"aaa", time=1000) + chunk(3, 4, b"bbb") + chunk(3, 4, b"ccc")
    assert [found.timestamp for found in read(data)] == [1000, 2000, 3000]


def test_a_message_in_several_chunks():
    payload = random.Random(1).randbytes(300)
    data = (
        chunk(0, 4, payload[:128], length=300)
        + chunk(3, 4, payload[128:256])
        + chunk(3, 4, payload[256:])
    )
    for size in (1, 2, 3, 7, 100, 1000):
        assert payloads(read(data, size=size)) == [payload]


def test_messages_of_length_zero_and_of_exactly_one_chunk():
    data = chunk(0, 4, b"") + chunk(0, 4, bytes(128)) + chunk(3, 4, bytes(128)) + chunk(1, 4, b"")
    assert payloads(read(data)) == [b"", bytes(128), bytes(128), b""]
    assert payloads(read(data, size=1)) == [b"", bytes(128), bytes(128), b""]


@pytest.mark.parametrize("time", [0xFFFFFE, 0xFFFFFF, 0x1000000, 0xFFFFFFFF])
@pytest.mark.parametrize("size", [1, 1 << 30], ids=["bytes", "whole"])
def test_extended_timestamp_is_repeated_on_every_format_3_chunk(time, size):
    extended = time.to_bytes(4, "big") if time >= 0xFFFFFF else b""
    payload = random.Random(2).randbytes(300)
    data = (
        chunk(0, 4, payload[:128], time=time, length=300)
        + b"\xc4"
        + extended
        + payload[128:256]
        + b"\xc4"
        + extended
        + payload[256:]
    )
    assert read(data, size=size) == [Message(9, 1, time, payload)]


@pytest.mark.parametrize("size", [1, 5, 1 << 30])
def test_old_librtmp_omits_the_extended_timestamp_on_continuations(size):
    time = 0x01020304
    payload = random.Random(3).randbytes(258)  # the last chunk is shorter than the field
    data = chunk(0, 4, payload[:128], time=time, length=258)
    data += b"\xc4" + payload[128:256] + b"\xc4" + payload[256:]
    assert read(data, size=size) == [Message(9, 1, time, payload)]


def test_omitted_extended_timestamps_are_told_apart_without_waiting_for_more_bytes():
    chunk_reader = reader()
    data = chunk(0, 4, bytes(128), time=0x01020304, length=130) + b"\xc4\x01\xee"
    assert payloads(read(data, chunk_reader)) == [bytes(128) + b"\x01\xee"]


def test_extended_timestamp_on_formats_1_and_2_is_a_delta():
    data = (
        chunk(0, 4, b"a", time=1000)
        + chunk(1, 4, b"b", time=0x1000000)
        + chunk(2, 4, b"c", time=0xFFFFFF)
        + basic_header(3, 4)
        + (0xFFFFFF).to_bytes(4, "big")
        + b"d"
    )
    times = [1000, 1000 + 0x1000000, 1000 + 0x1FFFFFF, 1000 + 0x2FFFFFE]
    assert [found.timestamp for found in read(data)] == times


def test_a_format_3_start_without_the_extended_timestamp_of_its_chunk_stream():
    data = chunk(0, 4, b"a" * 8, time=0x01000000) + b"\xc4" + b"b" * 8
    assert payloads(read(data)) == [b"a" * 8, b"b" * 8]


def test_a_stream_that_starts_just_before_16777215_ms():
    start = 0xFFFFFF - 2
    data = b"".join(chunk(0, 4, b"x", time=start + step) for step in range(5))
    assert [found.timestamp for found in read(data)] == [start + step for step in range(5)]
    deltas = chunk(0, 4, b"x", time=start) + chunk(1, 4, b"x", time=1) + chunk(3, 4, b"x") * 3
    assert [found.timestamp for found in read(deltas)] == [start + step for step in range(5)]


def test_times_wrap_at_two_to_the_32():
    start = 0xFFFFFFFF - 1
    data = chunk(0, 4, b"x", time=start) + chunk(1, 4, b"x", time=1) + chunk(3, 4, b"x") * 2
    assert [found.timestamp for found in read(data)] == [start, 0xFFFFFFFF, 0, 1]
    data = chunk(0, 4, b"x", time=start) + chunk(1, 4, b"x", time=5) + chunk(2, 4, b"x", time=7)
    assert [found.timestamp for found in read(data)] == [start, 3, 10]


def test_format_1_without_a_parent_is_of_message_stream_0():
    # librtmp's Acknowledgement is the first message on its chunk stream 2, in format 1.
    data = chunk(1, 2, b"abcd", type=3, time=7) + chunk(3, 2, b"efgh")
    found = read(data)
    assert [(each.type, each.message_stream_id, each.timestamp) for each in found] == [
        (3, 0, 7),
        (3, 0, 14),
    ]
    assert payloads(found) == [b"abcd", b"efgh"]


@pytest.mark.parametrize("chunk_format", [2, 3])
def test_a_header_without_a_parent_is_a_clear_error(chunk_format):
    with pytest.raises(RemoteProtocolError, match=f"chunk stream 6: format {chunk_format} before"):
        read(chunk(chunk_format, 6, b"x"))


def test_chunks_of_several_chunk_streams_interleave():
    video, call = random.Random(4).randbytes(500), random.Random(5).randbytes(300)
    data = (
        chunk(0, 6, video[:128], length=500, type=9)
        + chunk(0, 3, call[:128], length=300, type=20, stream=0)
        + chunk(3, 6, video[128:256])
        + chunk(3, 3, call[128:256])
        + chunk(3, 3, call[256:])
        + chunk(3, 6, video[256:384])
        + chunk(3, 6, video[384:])
    )
    for size in (1, 13, 1 << 30):
        assert payloads(read(data, size=size)) == [call, video]


def test_chunk_size_changes_with_the_next_chunk_half_read_messages_included():
    payload = random.Random(6).randbytes(400)
    chunk_reader = reader()
    assert read(chunk(0, 6, payload[:128], length=400), chunk_reader) == []
    chunk_reader.chunk_size = 256
    data = chunk(3, 6, payload[128:384]) + chunk(3, 6, payload[384:])
    assert payloads(read(data, chunk_reader)) == [payload]


def test_a_chunk_that_has_begun_keeps_its_size():
    payload = bytes(range(200))
    chunk_reader = reader()
    assert read(chunk(0, 6, payload[:100], length=200), chunk_reader) == []
    chunk_reader.chunk_size = 64
    assert payloads(read(payload[100:128] + b"\xc6" + payload[128:192], chunk_reader)) == []
    assert payloads(read(b"\xc6" + payload[192:], chunk_reader)) == [payload]


def test_abort_drops_that_chunk_streams_partial_message_and_no_other():
    chunk_reader = reader()
    data = chunk(0, 6, bytes(128), length=200) + chunk(0, 7, b"k" * 128, length=130)
    assert read(data, chunk_reader) == []
    assert chunk_reader.partial_bytes == 256
    chunk_reader.abort(6)
    chunk_reader.abort(50)
    assert chunk_reader.partial_bytes == 128
    data = chunk(0, 6, b"new") + chunk(3, 7, b"ey")
    assert payloads(read(data, chunk_reader)) == [b"new", b"k" * 128 + b"ey"]
    assert chunk_reader.partial_bytes == 0


def test_a_message_that_begins_before_the_last_one_ended():
    data = chunk(0, 6, bytes(128), length=200) + chunk(0, 6, b"new")
    with pytest.raises(RemoteProtocolError, match="begins before the last one ended"):
        read(data)


def test_message_length_is_limited_at_the_header():
    with pytest.raises(RemoteProtocolError, match="a message of 1001 bytes"):
        read(chunk(0, 6, b"", length=1001), reader(max_message_length=1000))
    allowed = read(chunk(0, 6, bytes(128), length=1000), reader(max_message_length=1000))
    assert allowed == []


def test_a_lower_message_length_holds_for_format_3_starts_too():
    chunk_reader = reader()
    read(chunk(0, 6, bytes(100)), chunk_reader)
    chunk_reader.max_message_length = 50
    with pytest.raises(RemoteProtocolError, match="a message of 100 bytes"):
        read(chunk(3, 6, bytes(100)), chunk_reader)


def test_clear_drops_half_messages_half_headers_and_what_headers_said():
    chunk_reader = reader()
    assert read(chunk(0, 6, bytes(100), length=300), chunk_reader) == []
    chunk_reader.clear()
    assert chunk_reader.partial_bytes == 0
    assert payloads(read(chunk(0, 6, b"new"), chunk_reader)) == [b"new"]
    assert read(chunk(0, 7, b"x")[:5], chunk_reader) == []
    chunk_reader.clear()
    assert payloads(read(chunk(0, 7, b"new"), chunk_reader)) == [b"new"]
    with pytest.raises(RemoteProtocolError, match="chunk stream 6: format 3 before"):
        read(chunk(3, 6, b"new"), chunk_reader)


def test_partial_bytes_are_limited_to_the_byte():
    chunk_reader = reader(max_partial_bytes=228)
    data = chunk(0, 6, bytes(128), length=200) + chunk(0, 7, bytes(100), length=200)
    assert read(data, chunk_reader) == []
    with pytest.raises(RemoteProtocolError, match="more than 228 bytes of unfinished"):
        read(b"\0", chunk_reader)


def test_partial_bytes_are_limited_over_all_chunk_streams():
    chunk_reader = reader(max_partial_bytes=1000)
    data = b"".join(chunk(0, number, bytes(128), length=200) for number in range(2, 60))
    with pytest.raises(RemoteProtocolError, match="more than 1000 bytes of unfinished"):
        read(data, chunk_reader)
    assert chunk_reader.partial_bytes <= 1128


def test_the_number_of_chunk_streams_is_limited():
    chunk_reader = reader()
    assert len(read(b"".join(chunk(0, 2 + n, b"x") for n in range(64)), chunk_reader)) == 64
    with pytest.raises(RemoteProtocolError, match="more than 64 chunk streams"):
        read(chunk(0, 66, b"x"), chunk_reader)


def test_nothing_is_allocated_by_declared_length():
    chunk_reader = reader(max_message_length=0xFFFFFF)
    chunk_reader.chunk_size = 0xFFFFFF
    data = b"".join(chunk(0, number, b"x", length=0xFFFFFF) for number in range(2, 3))
    tracemalloc.start()
    read(data, chunk_reader)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


@pytest.mark.parametrize("seed", range(5))
def test_any_split_gives_the_same_messages(seed):
    rng = random.Random(seed)
    data = b""
    expected = []
    for number in range(60):
        payload = rng.randbytes(rng.choice([0, 1, 100, 127, 128, 129, 256, 700]))
        time = rng.choice([0, 5, 0xFFFFFE, 0xFFFFFF, 0x1000000, 0xFFFFFFFF])
        extended = time.to_bytes(4, "big") if time >= 0xFFFFFF else b""
        data += chunk(0, 4 + number % 3, payload[:128], time=time, length=len(payload))
        for at in range(128, len(payload), 128):
            data += basic_header(3, 4 + number % 3) + extended + payload[at : at + 128]
        expected.append(Message(9, 1, time, payload))
    assert read(data) == expected
    assert read(data, size=1) == expected
    chunk_reader = reader()
    found = []
    while data:
        size = rng.randrange(1, 400)
        found += read(data[:size], chunk_reader)
        data = data[size:]
    assert found == expected
