"""Aggregate messages, type 22: several messages in one, laid out as FLV tags (RTMP 1.0 §7.1.6)."""

from __future__ import annotations

from collections.abc import Iterator

from rtmp_channels.protocol.chunk import Message
from rtmp_channels.protocol.constants import TIMESTAMP_MODULUS
from rtmp_channels.protocol.errors import RemoteProtocolError

_HEADER_SIZE = 11  # type, u24 length, u24 time and its upper byte, u24 stream id
_BACK_POINTER_SIZE = 4


def split_aggregate(message: Message) -> Iterator[Message]:
    """The messages inside, on the aggregate's stream, at times relative to its own.

    Their times keep their distances, and the first one happens at the aggregate's time. Raises
    RemoteProtocolError when one is cut short; the last back pointer may be missing.
    """
    payload = message.payload
    position = 0
    shift: int | None = None
    while position < len(payload):
        start = position + _HEADER_SIZE
        end = start + int.from_bytes(payload[position + 1 : position + 4], "big")
        if end > len(payload):
            raise RemoteProtocolError("aggregate: a message inside it is cut short")
        time = payload[position + 7] << 24 | int.from_bytes(
            payload[position + 4 : start - 4], "big"
        )
        if shift is None:
            shift = message.timestamp - time
        yield Message(
            payload[position],
            message.message_stream_id,
            (time + shift) % TIMESTAMP_MODULUS,
            payload[start:end],
        )
        position = end + _BACK_POINTER_SIZE
