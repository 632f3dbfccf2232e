"""Puts messages together from chunks (RTMP 1.0 §5.3.1).

Payload is taken as it comes, so what waits for more bytes is never more than one chunk header.
Nothing is allocated by a length that a peer merely claims.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rtmp_channels.protocol.chunk import Message
from rtmp_channels.protocol.constants import (
    DEFAULT_CHUNK_SIZE,
    EXTENDED_TIMESTAMP,
    TIMESTAMP_MODULUS,
)
from rtmp_channels.protocol.errors import LimitExceeded, RemoteProtocolError

_MESSAGE_HEADER_SIZES = (11, 7, 3, 0)
"""By format, without the chunk stream id and the extended timestamp (§5.3.1.2)."""


@dataclass(slots=True)
class _ChunkStream:
    """The last header of one chunk stream, and the message that is coming in on it."""

    id: int
    has_header: bool = False
    timestamp: int = 0
    delta: int = 0
    """What a message that starts with format 3 adds; after format 0 the timestamp itself."""
    extended: bytes = b""
    """The last header's extended timestamp as sent; empty when it had none."""
    length: int = 0
    type: int = 0
    message_stream_id: int = 0
    partial: bytearray = field(default_factory=bytearray)
    in_message: bool = False


class ChunkReader:
    """Bytes in, messages out, one at a time: a message may change how the next chunk is read.

    `chunk_size`, `max_message_length` and `max_partial_bytes` may be assigned between messages.
    """

    def __init__(
        self, *, max_message_length: int, max_partial_bytes: int, max_chunk_streams: int
    ) -> None:
        self.chunk_size = DEFAULT_CHUNK_SIZE
        self.max_message_length = max_message_length
        self.max_partial_bytes = max_partial_bytes
        self.partial_bytes = 0
        """Bytes of unfinished messages, over all chunk streams."""
        self._max_chunk_streams = max_chunk_streams
        self._streams: dict[int, _ChunkStream] = {}
        self._buffer = b""
        self._position = 0
        self._current: _ChunkStream | None = None  # the chunk whose payload comes next
        self._wanted = 0  # bytes of that payload still to come

    def feed(self, data: bytes) -> None:
        """Adds bytes; call `next_message` until it returns None, then feed again."""
        if self._position < len(self._buffer):
            data = self._buffer[self._position :] + data
        self._buffer = data
        self._position = 0

    def next_message(self) -> Message | None:
        """The next whole message, or None when more bytes are needed.

        Raises RemoteProtocolError for a header that makes no sense or breaks a limit.
        """
        while True:
            if self._current is None and not self._read_header():
                return None
            stream = self._current
            assert stream is not None
            start = self._position
            end = min(start + self._wanted, len(self._buffer))
            self._position = end
            self._wanted -= end - start
            if not self._wanted and end - start == stream.length:  # the usual case: in one piece
                self._current = None
                stream.in_message = False
                return _message(stream, self._buffer[start:end])
            self._keep(stream, self._buffer[start:end])
            if self._wanted:
                return None
            self._current = None
            if len(stream.partial) == stream.length:
                return self._finish(stream)

    def abort(self, chunk_stream_id: int) -> None:
        """Drops the unfinished message of a chunk stream, if there is one (§5.4.2)."""
        stream = self._streams.get(chunk_stream_id)
        if stream is not None:
            self._drop(stream)

    def _keep(self, stream: _ChunkStream, piece: bytes) -> None:
        self.partial_bytes += len(piece)
        if self.partial_bytes > self.max_partial_bytes:
            raise LimitExceeded(
                "partial_bytes", f"more than {self.max_partial_bytes} bytes of unfinished messages"
            )
        stream.partial += piece

    def _finish(self, stream: _ChunkStream) -> Message:
        message = _message(stream, bytes(stream.partial))
        self._drop(stream)
        return message

    def _drop(self, stream: _ChunkStream) -> None:
        self.partial_bytes -= len(stream.partial)
        stream.partial = bytearray()  # not clear(): a large message's memory goes back
        stream.in_message = False

    def _read_header(self) -> bool:
        """Reads one chunk's header; False, and nothing consumed, when it is not all there."""
        buffer, position = self._buffer, self._position
        if position == len(buffer):
            return False
        chunk_format = buffer[position] >> 6
        chunk_stream_id = buffer[position] & 0x3F
        position += 1
        if chunk_stream_id < 2:
            size = chunk_stream_id + 1
            if len(buffer) < position + size:
                return False
            # Little-endian, unlike every other number but the message stream id (§5.3.1.1).
            chunk_stream_id = 64 + int.from_bytes(buffer[position : position + size], "little")
            position += size
        stream = self._streams.get(chunk_stream_id)
        if stream is None:
            stream = self._add_stream(chunk_stream_id)
        if chunk_format == 3:
            end = self._read_format_3(stream, position)
        else:
            end = self._read_message_header(stream, chunk_format, position)
        if end < 0:
            return False
        self._position = end
        self._current = stream
        self._wanted = min(self.chunk_size, stream.length - len(stream.partial))
        return True

    def _add_stream(self, chunk_stream_id: int) -> _ChunkStream:
        if len(self._streams) == self._max_chunk_streams:
            raise LimitExceeded(
                "chunk_streams", f"more than {self._max_chunk_streams} chunk streams"
            )
        stream = self._streams[chunk_stream_id] = _ChunkStream(chunk_stream_id)
        return stream

    def _read_format_3(self, stream: _ChunkStream, position: int) -> int:
        """Continues a message, or starts one by the last header; returns its end, or -1."""
        if not stream.has_header:
            raise RemoteProtocolError(f"chunk stream {stream.id}: format 3 before any header")
        if stream.extended:
            # Every chunk should repeat it, old librtmp does not: take it if it is there. Fewer
            # than 4 bytes decide as soon as one of them differs.
            following = self._buffer[position : position + 4]
            if following == stream.extended:
                position += 4
            elif stream.extended.startswith(following):
                return -1
        if not stream.in_message:
            stream.timestamp = (stream.timestamp + stream.delta) % TIMESTAMP_MODULUS
            self._start(stream, stream.length)
        return position

    def _read_message_header(self, stream: _ChunkStream, chunk_format: int, position: int) -> int:
        """Reads a header of format 0, 1 or 2; returns its end, or -1 when it is not all there."""
        buffer = self._buffer
        end = position + _MESSAGE_HEADER_SIZES[chunk_format]
        if len(buffer) < end:
            return -1
        time = int.from_bytes(buffer[position : position + 3], "big")
        extended = b""
        if time == EXTENDED_TIMESTAMP:
            extended = buffer[end : end + 4]
            if len(extended) < 4:
                return -1
            time = int.from_bytes(extended, "big")
        if chunk_format == 2 and not stream.has_header:
            raise RemoteProtocolError(f"chunk stream {stream.id}: format 2 before any header")
        if stream.in_message:
            raise RemoteProtocolError(
                f"chunk stream {stream.id}: a message begins before the last one ended"
            )
        length = stream.length
        if chunk_format < 2:
            length = int.from_bytes(buffer[position + 3 : position + 6], "big")
        self._start(stream, length)
        if chunk_format < 2:
            stream.type = buffer[position + 6]
            stream.has_header = True  # librtmp acknowledges in format 1 from the first: stream 0
        if chunk_format == 0:
            stream.message_stream_id = int.from_bytes(buffer[position + 7 : end], "little")
            stream.timestamp = time
        else:
            stream.timestamp = (stream.timestamp + time) % TIMESTAMP_MODULUS
        stream.delta = time
        stream.extended = extended
        return end + len(extended)

    def _start(self, stream: _ChunkStream, length: int) -> None:
        if length > self.max_message_length:
            raise LimitExceeded(
                "message_length", f"a message of {length} bytes ({self.max_message_length} at most)"
            )
        stream.length = length
        stream.in_message = True


def _message(stream: _ChunkStream, payload: bytes) -> Message:
    return Message(stream.type, stream.message_stream_id, stream.timestamp, payload)
