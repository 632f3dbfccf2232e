"""From a recording's first byte to its last: the handshake, then message after message."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate, count

from amf_remoting.amf import Limits, Step
from rtmp_channels.explanation import handshake
from rtmp_channels.explanation.chunks import (
    Assembly,
    BrokenChunk,
    Chunk,
    Chunks,
    CutShort,
    header_parts,
)
from rtmp_channels.explanation.messages import explain_message, type_name
from rtmp_channels.explanation.part import Part, Span, not_understood, title
from rtmp_channels.protocol.chunk import Message
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.control import Abort, SetChunkSize
from rtmp_channels.protocol.errors import RemoteProtocolError

DEEPEST = 200
"""Levels of nesting that are followed."""


def explain(data: bytes) -> Iterator[Part]:
    """What one side sent. Parts of depth 0 begin a group; the others cover the recording.

    A message's parts come together, where its last chunk came; those of messages without one
    come last. Never raises: what cannot be understood is a part, too.
    """
    yield from handshake.explain_handshake(data)
    if len(data) > handshake.SIZE and data[0] == handshake.VERSION:
        yield from _Conversation(data).parts()


class _Conversation:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._chunks = Chunks(data, handshake.SIZE)
        self._numbers = count(1)
        self._limits = Limits(depth=DEEPEST)

    def parts(self) -> Iterator[Part]:
        chunks, end = self._chunks, len(self._data)
        broken = ""
        try:
            while (assembly := chunks.next()) is not None:
                if assembly.is_complete:
                    message = assembly.message(self._data)
                    yield from self._message(assembly, message, f"message {next(self._numbers)}")
                    yield from self._obey(message)
        except BrokenChunk as error:
            broken = str(error)
        except CutShort:
            broken = "the recording ends within a chunk's header"
        for assembly in chunks.unfinished():
            message = assembly.message(self._data)
            yield from self._message(assembly, message, "unfinished message")
        if broken:
            yield title(chunks.position, "end")
            yield not_understood(chunks.position, end, broken, depth=1)

    def _obey(self, message: Message) -> Iterator[Part]:
        """What a message changes for the chunks behind it."""
        try:
            if message.type == MessageType.SET_CHUNK_SIZE:
                self._chunks.chunk_size = SetChunkSize.parse(message.payload).chunk_size
            elif message.type == MessageType.ABORT:
                chunk_stream_id = Abort.parse(message.payload).chunk_stream_id
                aborted = self._chunks.abort(chunk_stream_id)
                if aborted is not None:
                    yield from self._message(
                        aborted, aborted.message(self._data), "aborted message"
                    )
        except RemoteProtocolError:
            pass  # its parts have said so

    def _message(self, assembly: Assembly, message: Message, name: str) -> Iterator[Part]:
        layout = _Layout(assembly.chunks)
        summary, steps = explain_message(message, self._limits)
        detail = _detail(assembly, summary)
        first, *others = assembly.chunks
        yield title(first.start, name, type_name(message.type), detail)
        yield from header_parts(self._data, first)
        headers = iter(zip(others, layout.starts[1:], strict=True))
        waiting = next(headers, None)
        for step in steps:
            while waiting is not None and waiting[1] <= step.offset:
                yield from header_parts(self._data, waiting[0])
                waiting = next(headers, None)
            yield layout.part(step)
        while waiting is not None:
            yield from header_parts(self._data, waiting[0])
            waiting = next(headers, None)


def _detail(assembly: Assembly, summary: str) -> str:
    size = f"{assembly.length} bytes"
    if not assembly.is_complete:
        size = f"{assembly.received} of {size}"
    number = len(assembly.chunks)
    if number > 1:
        size = f"{size} in {number} chunks"
    where = f"chunk stream {assembly.chunk_stream_id}, message stream {assembly.message_stream_id}"
    return "; ".join(filter(None, (summary, where, f"at {assembly.timestamp} ms", size)))


class _Layout:
    """Where the bytes of a payload are in the recording."""

    def __init__(self, chunks: list[Chunk]) -> None:
        self._chunks = chunks
        sizes = [chunk.end - chunk.payload for chunk in chunks]
        self.starts = [0, *accumulate(sizes[:-1])]
        """The first byte of each chunk in the payload."""

    def part(self, step: Step) -> Part:
        """The step of the payload as a part of the recording."""
        spans = self._spans(step.offset, step.end)
        return Part(
            offset=spans[0][0] if spans else self._chunks[-1].end,
            spans=spans,
            depth=len(step.path),
            name=str(step.path[-1]),
            kind=step.kind,
            value=step.value,
            detail=step.detail,
            understood=step.kind != "Not understood",
        )

    def _spans(self, start: int, end: int) -> tuple[Span, ...]:
        spans = []
        index = bisect_right(self.starts, start) - 1
        while start < end:
            chunk, at = self._chunks[index], start - self.starts[index]
            size = min(end - start, chunk.end - chunk.payload - at)
            if size:
                spans.append((chunk.payload + at, chunk.payload + at + size))
            start += size
            index += 1
        return tuple(spans)
