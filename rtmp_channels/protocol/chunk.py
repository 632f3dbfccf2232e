"""Messages and how they are cut into chunks (RTMP 1.0 §5.3)."""

from __future__ import annotations

from dataclasses import dataclass

from rtmp_channels.protocol.constants import (
    EXTENDED_TIMESTAMP,
    MAX_MESSAGE_LENGTH,
    TIMESTAMP_MODULUS,
)
from rtmp_channels.protocol.errors import LocalProtocolError

_CONTINUATION = 0xC0
"""Format 3: no header beyond the chunk stream id (§5.3.1.2.4)."""


# Compiled, a dataclass is made fast only without slots, and by a constructor of its own.
@dataclass
class Message:
    """One whole message as the chunk stream carries it; the payload is not interpreted."""

    type: int
    """A `MessageType`, or a number nobody documents."""
    message_stream_id: int
    timestamp: int
    """Milliseconds, modulo 2**32."""
    payload: bytes

    def __init__(self, type: int, message_stream_id: int, timestamp: int, payload: bytes) -> None:
        self.type = type
        self.message_stream_id = message_stream_id
        self.timestamp = timestamp
        self.payload = payload


def serialize_message(message: Message, *, chunk_stream_id: int, chunk_size: int) -> bytes:
    """Cuts a message into chunks: a format 0 header, then format 3 continuations.

    Depends on nothing sent before, so the bytes may be written to any connection whose chunk size
    is the same, between any two messages. `chunk_stream_id` is 2 to 63 (§5.3.1.1). Raises
    LocalProtocolError for a payload beyond 16,777,215 bytes.
    """
    payload = message.payload
    if len(payload) > MAX_MESSAGE_LENGTH:
        raise LocalProtocolError(f"a message of {len(payload)} bytes does not fit its header")
    timestamp = message.timestamp % TIMESTAMP_MODULUS
    extended = b"" if timestamp < EXTENDED_TIMESTAMP else timestamp.to_bytes(4, "big")
    header = b"%c%b%b%c%b%b" % (
        chunk_stream_id,
        min(timestamp, EXTENDED_TIMESTAMP).to_bytes(3, "big"),
        len(payload).to_bytes(3, "big"),
        message.type,
        message.message_stream_id.to_bytes(4, "little"),
        extended,
    )
    if len(payload) <= chunk_size:
        return header + payload
    # Peers read the extended timestamp before every continuation, not only before the first chunk.
    between = bytes((_CONTINUATION | chunk_stream_id,)) + extended
    pieces = (payload[at : at + chunk_size] for at in range(0, len(payload), chunk_size))
    return header + between.join(pieces)
