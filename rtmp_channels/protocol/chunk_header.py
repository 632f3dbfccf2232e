"""The headers of a chunk stream: each says only what has changed since the last (RTMP 1.0 §5.3.1).

Nothing here keeps payload; `chunk_reader` does, and the packet inspector keeps offsets.
"""

from __future__ import annotations

from rtmp_channels.protocol.constants import EXTENDED_TIMESTAMP, TIMESTAMP_MODULUS
from rtmp_channels.protocol.errors import RemoteProtocolError

_MESSAGE_HEADER_SIZES = (11, 7, 3)
"""By format, without the chunk stream id and the extended timestamp (§5.3.1.2)."""

INCOMPLETE = -1
"""Instead of a header's end: it is not all there, and nothing has changed."""


class ChunkHeader:
    """What holds after the last header of a chunk stream."""

    __slots__ = (
        "delta",
        "extended",
        "has_header",
        "id",
        "in_message",
        "length",
        "message_stream_id",
        "timestamp",
        "type",
    )

    def __init__(self, chunk_stream_id: int) -> None:
        self.id = chunk_stream_id
        self.has_header = False
        self.timestamp = 0
        self.delta = 0
        """What a message that starts with format 3 adds; after format 0 the timestamp itself."""
        self.extended = b""
        """The last header's extended timestamp as sent; empty when it had none."""
        self.length = 0
        self.type = 0
        self.message_stream_id = 0
        self.in_message = False
        """Whether the message began and has not ended; whoever takes its payload says when."""

    def read(self, data: bytes, position: int, chunk_format: int) -> int:
        """Reads one header behind its chunk stream id; returns its end, or INCOMPLETE.

        `chunk_format` is 0 to 3. Raises RemoteProtocolError for a header that makes no sense.
        """
        if chunk_format == 3:
            return self._read_format_3(data, position)
        return self._read_message_header(data, position, chunk_format)

    def _read_format_3(self, data: bytes, position: int) -> int:
        """Continues a message, or starts one by the last header."""
        if not self.has_header:
            raise RemoteProtocolError(f"chunk stream {self.id}: format 3 before any header")
        if self.extended:
            # Every chunk should repeat it, old librtmp does not: take it if it is there. Fewer
            # than 4 bytes decide as soon as one of them differs.
            following = data[position : position + 4]
            if following == self.extended:
                position += 4
            elif self.extended.startswith(following):
                return INCOMPLETE
        if not self.in_message:
            self.timestamp = (self.timestamp + self.delta) % TIMESTAMP_MODULUS
            self.in_message = True
        return position

    def _read_message_header(self, data: bytes, position: int, chunk_format: int) -> int:
        """Starts a message."""
        end = position + _MESSAGE_HEADER_SIZES[chunk_format]
        if len(data) < end:
            return INCOMPLETE
        time = int.from_bytes(data[position : position + 3], "big")
        extended = b""
        if time == EXTENDED_TIMESTAMP:
            extended = data[end : end + 4]
            if len(extended) < 4:
                return INCOMPLETE
            time = int.from_bytes(extended, "big")
        if chunk_format == 2 and not self.has_header:
            raise RemoteProtocolError(f"chunk stream {self.id}: format 2 before any header")
        if self.in_message:
            raise RemoteProtocolError(
                f"chunk stream {self.id}: a message begins before the last one ended"
            )
        self.in_message = True
        if chunk_format < 2:
            self.length = int.from_bytes(data[position + 3 : position + 6], "big")
            self.type = data[position + 6]
            self.has_header = True  # librtmp acknowledges in format 1 from the first: stream 0
        if chunk_format == 0:
            self.message_stream_id = int.from_bytes(data[position + 7 : end], "little")
            self.timestamp = time
        else:
            self.timestamp = (self.timestamp + time) % TIMESTAMP_MODULUS
        self.delta = time
        self.extended = extended
        return end + len(extended)
