"""Recorded conversations explained: every byte of every capture, and of broken ones."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from rtmp_channels.explanation import Part, explain
from rtmp_channels.explanation.chunks import Chunks
from rtmp_channels.protocol import Connection
from rtmp_channels.protocol.chunk import Message
from rtmp_channels.protocol.chunk_reader import ChunkReader
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.control import SetChunkSize
from rtmp_channels.protocol.shared_object import (
    SendMessage,
    SharedObjectMessage,
    SlotVersion,
    Status,
    Success,
)

from .chunks import chunk, message, u32
from .fuzz import game
from .peers import PLAIN_HANDSHAKE
from .replay import NAMES, captured, replay

HANDSHAKE_SIZE = 3073


def explained(data: bytes) -> list[Part]:
    """The parts, which cover the data without gap or overlap."""
    parts = list(explain(data))
    position = 0
    for start, end in sorted(span for part in parts for span in part.spans):
        assert start == position
        assert end > start
        position = end
    assert position == len(data)
    assert [part for part in parts if part.is_title and part.spans] == []
    return parts


def titles(parts: list[Part]) -> list[str]:
    return [f"{part.name} {part.kind}".strip() for part in parts if part.is_title]


def behind_the_handshake(*chunks: bytes) -> list[Part]:
    parts = explained(PLAIN_HANDSHAKE + b"".join(chunks))
    return parts[[part.is_title for part in parts].index(True, 1) :]


def lines(parts: list[Part]) -> list[tuple[object, ...]]:
    """Name, kind, value and detail, without the headers of chunks."""
    return [
        (part.name, part.kind, *([] if part.value is ... else [part.value]), part.detail)
        for part in parts
        if not part.is_title and part.kind not in HEADER_FIELDS
    ]


HEADER_FIELDS = {
    "Basic Header",
    "Timestamp",
    "Timestamp Delta",
    "Message Length",
    "Message Type Id",
    "Message Stream Id",
    "Extended Timestamp",
}


def server_side(name: str) -> bytes:
    """What our server answers to that client."""
    connection = Connection()
    replay(connection, iter([captured(name)]))
    return connection.data_to_send()


def messages_of(data: bytes) -> list[Message]:
    """What the protocol's own reader finds behind the handshake."""
    reader = ChunkReader(
        max_message_length=1 << 24, max_partial_bytes=1 << 24, max_chunk_streams=64
    )
    reader.feed(data[HANDSHAKE_SIZE:])
    found = []
    while (one := reader.next_message()) is not None:
        found.append(one)
        if one.type == MessageType.SET_CHUNK_SIZE:
            reader.chunk_size = SetChunkSize.parse(one.payload).chunk_size
    return found


def walked(data: bytes) -> list[Message]:
    """The same by the explanation's reader."""
    chunks = Chunks(data, HANDSHAKE_SIZE)
    found = []
    while (assembly := chunks.next()) is not None:
        if assembly.is_complete:
            one = assembly.message(data)
            found.append(one)
            if one.type == MessageType.SET_CHUNK_SIZE:
                chunks.chunk_size = SetChunkSize.parse(one.payload).chunk_size
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_byte_of_every_capture_is_explained(name):
    parts = explained(captured(name))
    assert [part for part in parts if not part.understood] == []
    names = titles(parts)
    assert names[0] == "handshake"
    assert "message 1 " in names[1]
    first_command = next(part for part in parts if part.kind == "Command AMF0")
    assert first_command.detail.startswith("connect; chunk stream 3, message stream 0; at ")


@pytest.mark.parametrize("name", NAMES)
def test_what_our_server_answers_is_explained(name):
    parts = explained(server_side(name))
    assert [part for part in parts if not part.understood] == []
    assert "_result; chunk stream 3" in next(p.detail for p in parts if p.kind == "Command AMF0")


@pytest.mark.parametrize("name", NAMES)
def test_both_readers_find_the_same_messages(name):
    assert walked(captured(name)) == messages_of(captured(name))
    assert walked(server_side(name)) == messages_of(server_side(name))


def test_a_signed_handshake_says_whose_it_is():
    (client,) = [p for p in explained(captured("ffmpeg_publish")) if p.kind == "Digest"]
    assert client.detail == "valid, by the client's key, scheme 1"
    (server,) = [p for p in explained(server_side("ffmpeg_publish")) if p.kind == "Digest"]
    assert server.detail == "valid, by the server's key, scheme 1"
    assert [p for p in explained(captured("obs_publish")) if p.kind == "Digest"] == []


def test_a_call_value_by_value():
    parts = explained(captured("librtmp_call"))
    start = next(i for i, part in enumerate(parts) if part.detail.startswith("foo; chunk stream"))
    end = next(i for i in range(start + 1, len(parts)) if parts[i].is_title)
    assert lines(parts[start:end]) == [
        ("command name", "String", "foo", ""),
        ("transaction id", "Number", 2, ""),
        ("command object", "Null", None, ""),
        ("argument 1", "Number", 1, ""),
        ("argument 2", "String", "x", ""),
        ("argument 3", "Null", None, ""),
        ("argument 4", "Boolean", True, ""),
        ("argument 5", "ECMA Array", "of 1, as it says"),
        ("a", "Number", 1, ""),
        ("argument 5", "End of Object", ""),
    ]


def test_a_message_in_many_chunks_has_its_headers_between_its_values():
    parts = explained(captured("rtmp_client_shared_object_b"))
    names = [part.name for part in parts]
    first = names.index("capabilities")
    assert [(part.name, part.kind) for part in parts[first : first + 3]] == [
        ("capabilities", "Number"),
        ("chunk", "Basic Header"),
        ("audioCodecs", "Number"),
    ]
    assert parts[first].spans == ((0xC7C, 0xC8D), (0xC8E, 0xC94))
    assert parts[first].value == 15


def test_interleaved_messages_each_keep_their_chunks():
    parts = behind_the_handshake(
        chunk(0, 4, b"a" * 128, length=200, type=8, time=7),
        chunk(0, 6, b"b" * 128, length=150, type=9, time=8),
        chunk(3, 4, b"a" * 72),
        chunk(3, 6, b"b" * 22),
        chunk(3, 4, b"c" * 128),
    )
    assert titles(parts) == ["message 1 Audio", "message 2 Video", "unfinished message Audio"]
    assert [part.detail.rpartition("; ")[2] for part in parts if part.is_title] == [
        "200 bytes in 2 chunks",
        "150 bytes in 2 chunks",
        "128 of 200 bytes",
    ]
    assert "at 14 ms" in parts[[p.name for p in parts].index("unfinished message")].detail


def test_extended_timestamps_and_long_chunk_stream_ids():
    late = 0x1000000
    parts = behind_the_handshake(
        chunk(0, 70, b"v" * 128, length=130, time=late),
        chunk(3, 70) + late.to_bytes(4, "big") + b"vv",
        chunk(3, 70) + b"w" * 128 + chunk(3, 70) + late.to_bytes(4, "big") + b"ww",
        chunk(1, 400, b"x", time=5),
    )
    extended = [part.value for part in parts if part.kind == "Extended Timestamp"]
    assert extended == [late, late, late]
    basics = [part.detail for part in parts if part.kind == "Basic Header"]
    assert basics[0] == "format 0, chunk stream 70"
    assert basics[-1] == "format 1, chunk stream 400"
    assert "Timestamp Delta" in {part.kind for part in parts}


def test_control_messages():
    parts = behind_the_handshake(
        message(u32(4096), type=1),
        message(u32(500), type=3),
        message(u32(2_500_000), type=5),
        message(u32(10) + b"\2", type=6),
        message(u32(10) + b"\7", type=6),
        message(b"\0\3" + u32(1) + u32(3000), type=4),
        message(b"\0\6" + u32(77), type=4),
        message(b"\0\x63" + u32(1), type=4),
        message(b"", type=99),
        message(b"odd", type=99),
    )
    assert lines(parts) == [
        ("", "Chunk Size", 4096, "bytes, from the next chunk on"),
        ("", "Sequence Number", 500, "bytes received so far"),
        ("", "Acknowledgement Window Size", 2_500_000, "bytes"),
        ("", "Acknowledgement Window Size", 10, "bytes"),
        ("", "Limit Type", 2, "Dynamic"),
        ("", "Acknowledgement Window Size", 10, "bytes"),
        ("", "Limit Type", 7, "unknown"),
        ("", "Event Type", 3, "Set Buffer Length"),
        ("", "Buffer Length", 3000, "ms"),
        ("", "Event Type", 6, "Ping Request"),
        ("", "Event Type", 99, "unknown"),
        ("", "Ignored", ""),
        ("", "Payload", ""),
    ]
    assert "message 9 Message of type 99" in titles(parts)


def test_set_chunk_size_holds_from_the_next_chunk_on_and_abort_drops():
    parts = behind_the_handshake(
        chunk(0, 4, b"a" * 128, length=400, type=8),
        message(u32(400), type=1),
        chunk(3, 4, b"a" * 272),
        chunk(0, 5, b"b" * 400, length=900, type=8),
        message(u32(5), type=2),
        message(u32(77), type=2),
        chunk(0, 5, b"c" * 10, type=8),
    )
    assert titles(parts) == [
        "message 1 Set Chunk Size",
        "message 2 Audio",
        "message 3 Abort",
        "aborted message Audio",
        "message 4 Abort",
        "message 5 Audio",
    ]


def test_shared_object_events():
    events = (
        Success("k"),
        SendMessage("hi", ({"a": 1}, "b")),
        Status("SharedObject.NoWriteAccess", "error"),
        SlotVersion("k", 9),
    )
    body = SharedObjectMessage("so", 4, 2, events).serialize() + b"\x63" + u32(2) + b"??"
    found = lines(behind_the_handshake(message(u32(4096), type=1), message(body, type=19)))[1:]
    assert found[:4] == [
        ("name", "Name", "so", ""),
        ("", "Version", 4, ""),
        ("", "Flags", 2, "persistent"),
        ("", "Unused", 0, ""),
    ]
    assert [one[3] for one in found if one[1] == "Event Type"] == [
        *("Success", "SendMessage", "Status", "SlotVersion"),
        "unknown",
    ]
    assert ("handler", "String", "hi", "") in found
    assert ("argument 2", "String", "b", "") in found
    assert ("code", "Code", "SharedObject.NoWriteAccess", "") in found
    assert ("version", "Slot Version", 9, "") in found
    assert found[-1] == ("", "Data", "")


@pytest.mark.parametrize(
    ("body", "type", "reason"),
    [
        (b"\2\0\5ab", 20, "5 bytes expected, 2 left (at byte 3)"),
        (b"\0\1a" + bytes(12) + b"\1" + u32(9), 19, "the event claims 9 bytes, 0 are left"),
        (b"\0\0", 1, "4 bytes expected, 2 left"),
        (b"\x09" + b"\0" * 8, 22, "11 bytes expected, 9 left"),
        (b"\x0a\0\0\0\1" * 1000, 20, "nested deeper than the limit"),
        (b"\7\0\0", 18, "no object has the index 0"),
    ],
    ids=["cut value", "event too long", "short control", "short tag", "deep", "bad reference"],
)
def test_a_broken_message_hurts_no_other(body, type, reason):
    parts = behind_the_handshake(
        message(u32(65_536), type=1),
        message(body, type=type, chunk_size=65_536),
        message(u32(5), type=5),
    )
    (broken,) = [part for part in parts if not part.understood]
    assert reason in broken.detail
    assert titles(parts)[-1] == "message 3 Window Acknowledgement Size"


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        (chunk(3, 9) + b"x", "chunk stream 9: format 3 before any header"),
        (chunk(2, 9) + b"x", "chunk stream 9: format 2 before any header"),
        (
            chunk(0, 9, b"x" * 128, length=300) + chunk(0, 9, b"y"),
            "chunk stream 9: a message begins before the last one ended",
        ),
        (chunk(0, 9, b"x")[:5], "the recording ends within a chunk's header"),
        (b"\0", "the recording ends within a chunk's header"),
        (chunk(0, 9, b"x", time=0xFFFFFF)[:13], "the recording ends within a chunk's header"),
    ],
    ids=["format 3", "format 2", "overlap", "header", "basic header", "extended"],
)
def test_what_follows_a_broken_chunk_is_shown_as_it_is(chunks, reason):
    parts = behind_the_handshake(message(u32(5), type=5), chunks)
    assert (parts[-1].kind, parts[-1].detail) == ("Not understood", reason)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x06" + b"x" * 2000, "RTMPE: encrypted"),
        (b"GET / HTTP/1.1\r\n", "3 expected: is this RTMP?"),
    ],
)
def test_what_is_no_handshake(data, reason):
    parts = explained(data)
    assert parts[1].detail == reason
    assert not parts[-1].understood


def test_nothing_at_all():
    assert titles(explained(b"")) == ["handshake"]


@pytest.mark.parametrize("name", ["ffmpeg_play", "rtmp_client_shared_object_b"])
def test_every_beginning_of_a_recording_is_explained(name):
    data = captured(name)
    for size in [*range(1, len(data), 37), *range(HANDSHAKE_SIZE, len(data))]:
        explained(data[:size])


@pytest.mark.parametrize("object_encoding", [0, 3])
def test_mutated_conversations_are_explained_as_far_as_they_go(object_encoding):
    whole = game(object_encoding)
    assert [part.detail for part in explained(whole) if not part.understood] == []
    rng = random.Random(object_encoding)
    outcomes: Counter[bool] = Counter()
    for _ in range(120):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(HANDSHAKE_SIZE, len(data))
            data[at] = rng.choice([0, 1, 3, 0x7F, 0xC0, 0xFF, rng.randrange(256)])
        outcomes[all(part.understood for part in explained(bytes(data)))] += 1
    assert len(outcomes) == 2
