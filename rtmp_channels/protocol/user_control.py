"""User control messages (RTMP 1.0 §6.2, §7.1.7): a type of event, then its data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Self, TypeAlias

from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.errors import RemoteProtocolError


class UserControlType(IntEnum):
    """Event types (§7.1.7); 31 and 32 are what Flash Media Server adds."""

    STREAM_BEGIN = 0
    STREAM_EOF = 1
    STREAM_DRY = 2
    SET_BUFFER_LENGTH = 3
    STREAM_IS_RECORDED = 4
    PING_REQUEST = 6
    PING_RESPONSE = 7
    BUFFER_EMPTY = 31
    BUFFER_READY = 32


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """Tells that something happened to a message stream: it begins, ended, ran dry, is recorded."""

    type: ClassVar = MessageType.USER_CONTROL
    event_type: UserControlType
    message_stream_id: int

    @classmethod
    def parse(cls, event_type: UserControlType, data: bytes) -> Self:
        return cls(event_type, _u32(data, 0))

    def serialize(self) -> bytes:
        return self.event_type.to_bytes(2, "big") + self.message_stream_id.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class SetBufferLength:
    """Tells the server how many milliseconds of a stream the client buffers."""

    type: ClassVar = MessageType.USER_CONTROL
    event_type: ClassVar = UserControlType.SET_BUFFER_LENGTH
    message_stream_id: int
    milliseconds: int

    @classmethod
    def parse(cls, event_type: UserControlType, data: bytes) -> Self:
        return cls(_u32(data, 0), _u32(data, 4))

    def serialize(self) -> bytes:
        head = self.event_type.to_bytes(2, "big") + self.message_stream_id.to_bytes(4, "big")
        return head + self.milliseconds.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Ping:
    """A Ping Request, or the Ping Response that repeats its time."""

    type: ClassVar = MessageType.USER_CONTROL
    event_type: UserControlType
    """PING_REQUEST or PING_RESPONSE."""
    timestamp: int
    """The asking side's clock, milliseconds modulo 2**32."""

    @classmethod
    def parse(cls, event_type: UserControlType, data: bytes) -> Self:
        return cls(event_type, _u32(data, 0))

    def serialize(self) -> bytes:
        return self.event_type.to_bytes(2, "big") + self.timestamp.to_bytes(4, "big")


UserControlEvent: TypeAlias = StreamEvent | SetBufferLength | Ping

_CLASSES: dict[int, type[UserControlEvent]] = {
    UserControlType.STREAM_BEGIN: StreamEvent,
    UserControlType.STREAM_EOF: StreamEvent,
    UserControlType.STREAM_DRY: StreamEvent,
    UserControlType.SET_BUFFER_LENGTH: SetBufferLength,
    UserControlType.STREAM_IS_RECORDED: StreamEvent,
    UserControlType.PING_REQUEST: Ping,
    UserControlType.PING_RESPONSE: Ping,
    UserControlType.BUFFER_EMPTY: StreamEvent,
    UserControlType.BUFFER_READY: StreamEvent,
}


def parse_user_control(payload: bytes) -> UserControlEvent | None:
    """Reads one user control message; None for an event type that nobody documents.

    Bytes after the event's data are ignored. Raises RemoteProtocolError when it is too short.
    """
    if len(payload) < 2:
        raise RemoteProtocolError("User Control: no event type")
    event_type = int.from_bytes(payload[:2], "big")
    event_class = _CLASSES.get(event_type)
    if event_class is None:
        return None
    return event_class.parse(UserControlType(event_type), payload[2:])


def _u32(data: bytes, offset: int) -> int:
    if len(data) < offset + 4:
        raise RemoteProtocolError(f"User Control: {offset + 4} bytes expected, got {len(data)}")
    return int.from_bytes(data[offset : offset + 4], "big")
