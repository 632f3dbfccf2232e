"""Puts messages together from chunks (RTMP 1.0 §5.3.1).

Payload is taken as it comes, so what waits for more bytes is never more than one chunk header.
Nothing is allocated by a length that a peer merely claims.
"""

from __future__ import annotations

from rtmp_channels.protocol.chunk import Message
from rtmp_channels.protocol.chunk_header import INCOMPLETE, ChunkHeader
from rtmp_channels.protocol.constants import DEFAULT_CHUNK_SIZE
from rtmp_channels.protocol.errors import LimitExceeded


class _ChunkStream(ChunkHeader):
    """The last header of one chunk stream, and the message that is coming in on it."""

    __slots__ = ("partial",)

    def __init__(self, chunk_stream_id: int) -> None:
        super().__init__(chunk_stream_id)
        self.partial = bytearray()


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

    def clear(self) -> None:
        """Drops everything: nothing more will be read."""
        self._streams.clear()
        self._buffer, self._position = b"", 0
        self._current, self._wanted, self.partial_bytes = None, 0, 0

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
        end = stream.read(buffer, position, chunk_format)
        if end == INCOMPLETE:
            return False
        if stream.length > self.max_message_length:
            raise LimitExceeded(
                "message_length",
                f"a message of {stream.length} bytes ({self.max_message_length} at most)",
            )
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


def _message(stream: _ChunkStream, payload: bytes) -> Message:
    return Message(stream.type, stream.message_stream_id, stream.timestamp, payload)
