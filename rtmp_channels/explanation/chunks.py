"""Chunks and their headers, with the offsets that the protocol's own reader does not keep.

`tests/protocol/test_explanation.py` holds both readers against each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rtmp_channels.explanation.part import Part
from rtmp_channels.protocol.chunk import Message
from rtmp_channels.protocol.chunk_header import INCOMPLETE, ChunkHeader
from rtmp_channels.protocol.constants import DEFAULT_CHUNK_SIZE, EXTENDED_TIMESTAMP
from rtmp_channels.protocol.errors import RemoteProtocolError


class BrokenChunk(Exception):
    """A header makes no sense: what follows cannot be understood."""


class CutShort(Exception):
    """The recording ends within a header."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where one chunk lies in the recording."""

    start: int
    payload: int
    """Behind its header."""
    end: int
    extended: bool
    """Whether an extended timestamp ends the header."""


@dataclass(slots=True)
class Assembly:
    """A message on its way: the chunks so far."""

    chunk_stream_id: int
    type: int
    message_stream_id: int
    timestamp: int
    length: int
    chunks: list[Chunk] = field(default_factory=list)
    received: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether all of its payload is there."""
        return self.received == self.length

    def message(self, data: bytes) -> Message:
        """What the protocol's reader would give."""
        payload = b"".join(data[chunk.payload : chunk.end] for chunk in self.chunks)
        return Message(self.type, self.message_stream_id, self.timestamp, payload)


class _ChunkStream:
    """The last header of one chunk stream, and the message on its way."""

    def __init__(self, chunk_stream_id: int) -> None:
        self.header = ChunkHeader(chunk_stream_id)
        self.assembly: Assembly | None = None

    def read(self, data: bytes, at: int, chunk_format: int) -> tuple[int, Assembly]:
        """Where the payload begins, and the message that it belongs to."""
        header = self.header
        try:
            payload = header.read(data, at, chunk_format)
        except RemoteProtocolError as error:
            raise BrokenChunk(str(error)) from error
        if payload == INCOMPLETE:
            raise CutShort
        if self.assembly is None:
            self.assembly = Assembly(
                header.id, header.type, header.message_stream_id, header.timestamp, header.length
            )
        return payload, self.assembly

    def end(self) -> Assembly | None:
        """Drops the message, and gives it."""
        ended, self.assembly = self.assembly, None
        self.header.in_message = False
        return ended


class Chunks:
    """Walks through the chunks of a recording, one at a time."""

    def __init__(self, data: bytes, position: int) -> None:
        self.position = position
        """Where the next chunk begins."""
        self.chunk_size = DEFAULT_CHUNK_SIZE
        self._data = data
        self._streams: dict[int, _ChunkStream] = {}

    def next(self) -> Assembly | None:
        """The message to which the next chunk belongs, complete or not; None at the end.

        Raises BrokenChunk or CutShort, and stays where that chunk begins.
        """
        if self.position >= len(self._data):
            return None
        start = self.position
        chunk_format, chunk_stream_id, at = basic_header(self._data, start)
        stream = self._streams.setdefault(chunk_stream_id, _ChunkStream(chunk_stream_id))
        payload, assembly = stream.read(self._data, at, chunk_format)
        wanted = min(self.chunk_size, assembly.length - assembly.received)
        end = min(payload + wanted, len(self._data))
        extended = bool(stream.header.extended) and payload > at
        assembly.chunks.append(Chunk(start, payload, end, extended))
        assembly.received += end - payload
        self.position = end
        if assembly.is_complete:
            stream.end()
        return assembly

    def abort(self, chunk_stream_id: int) -> Assembly | None:
        """Drops the unfinished message of a chunk stream (§5.4.2), and gives it."""
        stream = self._streams.get(chunk_stream_id)
        return None if stream is None else stream.end()

    def unfinished(self) -> list[Assembly]:
        """What never was completed, in order of appearance."""
        found = [one.assembly for one in self._streams.values() if one.assembly is not None]
        return sorted(found, key=lambda one: one.chunks[0].start)


def basic_header(data: bytes, start: int) -> tuple[int, int, int]:
    """Format, chunk stream id, and where the message header begins (§5.3.1.1)."""
    chunk_format, chunk_stream_id = data[start] >> 6, data[start] & 0x3F
    end = start + 1
    if chunk_stream_id < 2:
        end += chunk_stream_id + 1
        chunk_stream_id = 64 + int.from_bytes(_bytes(data, start + 1, end), "little")
    return chunk_format, chunk_stream_id, end


def header_parts(data: bytes, chunk: Chunk) -> Iterator[Part]:
    """The fields of a chunk's header."""
    chunk_format, chunk_stream_id, at = basic_header(data, chunk.start)
    detail = f"format {chunk_format}, chunk stream {chunk_stream_id}"
    yield _field(chunk.start, at, "Basic Header", detail=detail)
    if chunk_format < 3:
        time = int.from_bytes(data[at : at + 3], "big")
        kind = "Timestamp Delta" if chunk_format else "Timestamp"
        yield _field(at, at + 3, kind, time, "extended" if time == EXTENDED_TIMESTAMP else "ms")
    if chunk_format < 2:
        length = int.from_bytes(data[at + 3 : at + 6], "big")
        yield _field(at + 3, at + 6, "Message Length", length)
        yield _field(at + 6, at + 7, "Message Type Id", data[at + 6])
    if chunk_format == 0:
        stream = int.from_bytes(data[at + 7 : at + 11], "little")
        yield _field(at + 7, at + 11, "Message Stream Id", stream)
    if chunk.extended:
        start = chunk.payload - 4
        time = int.from_bytes(data[start : chunk.payload], "big")
        yield _field(start, chunk.payload, "Extended Timestamp", time, "ms")


def _field(start: int, end: int, kind: str, value: object = ..., detail: str = "") -> Part:
    return Part(
        offset=start,
        spans=((start, end),),
        depth=1,
        name="chunk" if kind == "Basic Header" else "",
        kind=kind,
        value=value,
        detail=detail,
    )


def _bytes(data: bytes, start: int, end: int) -> bytes:
    if end > len(data):
        raise CutShort
    return data[start:end]
