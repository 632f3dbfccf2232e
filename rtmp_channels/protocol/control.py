"""Protocol control messages (RTMP 1.0 §5.4): chunk stream 2, message stream 0."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Self

from rtmp_channels.protocol.constants import MAX_CHUNK_SIZE, MessageType
from rtmp_channels.protocol.errors import RemoteProtocolError

_U32 = struct.Struct(">I")
_U32_U8 = struct.Struct(">IB")


class LimitType(IntEnum):
    """How Set Peer Bandwidth limits the peer (§5.4.5)."""

    HARD = 0
    SOFT = 1
    DYNAMIC = 2


def _parse_u32(payload: bytes, name: str) -> int:
    if len(payload) != 4:
        raise RemoteProtocolError(f"{name}: 4 bytes expected, got {len(payload)}")
    return int.from_bytes(payload, "big")


@dataclass(frozen=True, slots=True)
class SetChunkSize:
    """Tells the peer how large our chunks may be from now on (§5.4.1)."""

    type: ClassVar = MessageType.SET_CHUNK_SIZE
    chunk_size: int
    """Bytes, 1 to 0xFFFFFF."""

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        chunk_size = _parse_u32(payload, "Set Chunk Size") & 0x7FFFFFFF  # the top bit is always 0
        if chunk_size == 0:
            raise RemoteProtocolError("Set Chunk Size: a chunk holds at least 1 byte")
        return cls(min(chunk_size, MAX_CHUNK_SIZE))

    def serialize(self) -> bytes:
        return _U32.pack(self.chunk_size)


@dataclass(frozen=True, slots=True)
class Abort:
    """Drops the unfinished message of a chunk stream (§5.4.2)."""

    type: ClassVar = MessageType.ABORT
    chunk_stream_id: int

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        return cls(_parse_u32(payload, "Abort"))

    def serialize(self) -> bytes:
        return _U32.pack(self.chunk_stream_id)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Says how many bytes have been received so far (§5.4.3)."""

    type: ClassVar = MessageType.ACKNOWLEDGEMENT
    sequence_number: int
    """Bytes modulo 2**32."""

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        return cls(_parse_u32(payload, "Acknowledgement"))

    def serialize(self) -> bytes:
        return _U32.pack(self.sequence_number)


@dataclass(frozen=True, slots=True)
class WindowAcknowledgementSize:
    """Asks the receiver for an Acknowledgement at least every so many bytes (§5.4.4)."""

    type: ClassVar = MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE
    window: int
    """Bytes; 0 asks for none."""

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        return cls(_parse_u32(payload, "Window Acknowledgement Size"))

    def serialize(self) -> bytes:
        return _U32.pack(self.window)


@dataclass(frozen=True, slots=True)
class SetPeerBandwidth:
    """Limits the bytes the receiver may have under way, unacknowledged (§5.4.5)."""

    type: ClassVar = MessageType.SET_PEER_BANDWIDTH
    window: int
    """Bytes."""
    limit_type: int
    """A `LimitType`; other values occur and mean nothing."""

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        if len(payload) != 5:
            raise RemoteProtocolError(f"Set Peer Bandwidth: 5 bytes expected, got {len(payload)}")
        return cls(*_U32_U8.unpack(payload))

    def serialize(self) -> bytes:
        return _U32_U8.pack(self.window, self.limit_type)
