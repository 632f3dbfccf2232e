"""Shared-object messages, types 19 and 16 (RTMP 1.0 §7.1.3, which leaves out the layout).

```
u16 length, name | u32 version | u32 flags | u32 0 | events: u8 type, u32 length, data
```
Type 16 is one byte 00, then the same layout; its values are AMF3 behind AMF0's avmplus marker.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from amf_remoting import amf
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.errors import LocalProtocolError, RemoteProtocolError

PERSISTENT = 2
"""The bit of `flags` that makes an object persistent."""

ECHO = 16
"""The bit of a Use's `flags` whose sender takes `Echo` as its acknowledgement."""

_HEADER = struct.Struct(">III")  # version, flags, unused
_EVENT = struct.Struct(">BI")  # type, length of the data


class SharedObjectEvent(ABC):
    """Base of the fourteen events. `parse` raises RemoteProtocolError."""

    __slots__ = ()
    code: ClassVar[int]
    """The event's type byte."""

    @classmethod
    @abstractmethod
    def parse(cls, data: bytes, *, limits: amf.Limits | None = None) -> Self:
        """Reads an event's data."""

    @abstractmethod
    def serialize(self, object_encoding: int = 0) -> bytes:
        """The event's data; values as AMF0 or, with `object_encoding` 3, as AMF3."""


class _Bare(SharedObjectEvent):
    """An event without data."""

    __slots__ = ()

    @classmethod
    def parse(cls, data: bytes, *, limits: amf.Limits | None = None) -> Self:
        if data:
            raise RemoteProtocolError(f"shared object: {cls.__name__} with {len(data)} bytes")
        return cls()

    def serialize(self, object_encoding: int = 0) -> bytes:
        return b""


@dataclass(frozen=True, slots=True)
class _Keyed(SharedObjectEvent):
    """An event that names one slot."""

    key: str

    @classmethod
    def parse(cls, data: bytes, *, limits: amf.Limits | None = None) -> Self:
        key, end = _parse_name(data, 0)
        if end != len(data):
            raise RemoteProtocolError(f"shared object: {cls.__name__} with bytes after its key")
        return cls(key)

    def serialize(self, object_encoding: int = 0) -> bytes:
        return _serialize_name(self.key)


@dataclass(frozen=True, slots=True)
class _Changes(SharedObjectEvent):
    """An event that carries slots and their values, one pair or several."""

    changes: tuple[tuple[str, Any], ...]
    """(key, value) in the sender's order; None or amf.Undefined removes the slot."""

    @classmethod
    def parse(cls, data: bytes, *, limits: amf.Limits | None = None) -> Self:
        changes = []
        values = _Values(data, limits)
        while values.position < len(data):
            key, values.position = _parse_name(data, values.position)
            changes.append((key, values.parse()))
        if not changes:
            raise RemoteProtocolError(f"shared object: {cls.__name__} without a key")
        return cls(tuple(changes))

    def serialize(self, object_encoding: int = 0) -> bytes:
        return b"".join(
            _serialize_name(key) + _serialize_values([value], object_encoding)
            for key, value in self.changes
        )


@dataclass(frozen=True, slots=True)
class Use(_Bare):
    """The client wants to share the object."""

    code: ClassVar = 1


@dataclass(frozen=True, slots=True)
class Release(_Bare):
    """The client is done with the object."""

    code: ClassVar = 2


@dataclass(frozen=True, slots=True)
class RequestChange(_Changes):
    """The client asks to set slots."""

    code: ClassVar = 3


@dataclass(frozen=True, slots=True)
class Change(_Changes):
    """Slots have these values now: by another client, or in place of a change that lost."""

    code: ClassVar = 4


@dataclass(frozen=True, slots=True)
class Success(_Keyed):
    """The receiver's own change of this slot was accepted."""

    code: ClassVar = 5


@dataclass(frozen=True, slots=True)
class SendMessage(SharedObjectEvent):
    """Calls a handler on everyone who shares the object; both directions."""

    code: ClassVar = 6
    method: str
    arguments: tuple[Any, ...]

    @classmethod
    def parse(cls, data: bytes, *, limits: amf.Limits | None = None) -> Self:
        values = _Values(data, limits)
        method = values.parse() if data else None
        if not isinstance(method, str):
            raise RemoteProtocolError("shared object: SendMessage without a handler's name")
        arguments = []
        while values.position < len(data):
            arguments.append(values.parse())
        return cls(method, tuple(arguments))

    def serialize(self, object_encoding: int = 0) -> bytes:
        # The name stays an AMF0 string in both encodings, as a command's name does.
        return _serialize_values([self.method], 0) + _serialize_values(
            self.arguments, object_encoding
        )


@dataclass(frozen=True, slots=True)
class Status(SharedObjectEvent):
    """The server refused: "SharedObject.NoReadAccess", level "error", and the like."""

    status_code: str
    level: str
    code: ClassVar = 7

    @classmethod
    def parse(cls, data: bytes, *, limits: amf.Limits | None = None) -> Self:
        status_code, position = _parse_name(data, 0)
        level, end = _parse_name(data, position)
        if end != len(data):
            raise RemoteProtocolError("shared object: Status with bytes after its level")
        return cls(status_code, level)

    def serialize(self, object_encoding: int = 0) -> bytes:
        return _serialize_name(self.status_code) + _serialize_name(self.level)


@dataclass(frozen=True, slots=True)
class Clear(_Bare):
    """All slots are gone; also the start of the state that answers a Use."""

    code: ClassVar = 8


@dataclass(frozen=True, slots=True)
class Remove(_Keyed):
    """The slot is gone."""

    code: ClassVar = 9


@dataclass(frozen=True, slots=True)
class RequestRemove(_Keyed):
    """The client asks to remove a slot."""

    code: ClassVar = 10


@dataclass(frozen=True, slots=True)
class UseSuccess(_Bare):
    """The server lets the client share the object."""

    code: ClassVar = 11


@dataclass(frozen=True, slots=True)
class SlotVersion(SharedObjectEvent):
    """A slot's own version; seen in captures of Adobe Media Server."""

    code: ClassVar = 12
    key: str
    version: int

    @classmethod
    def parse(cls, data: bytes, *, limits: amf.Limits | None = None) -> Self:
        key, position = _parse_name(data, 0)
        if len(data) != position + 4:
            raise RemoteProtocolError("shared object: SlotVersion without its 4-byte version")
        return cls(key, int.from_bytes(data[position:], "big"))

    def serialize(self, object_encoding: int = 0) -> bytes:
        return _serialize_name(self.key) + self.version.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Echo(_Changes):
    """The receiver's own change, with its value, to a client whose Use had the flag `ECHO`."""

    code: ClassVar = 13


@dataclass(frozen=True, slots=True)
class RequestClear(_Bare):
    """The client asks to remove all slots."""

    code: ClassVar = 14


_EVENTS: dict[int, type[SharedObjectEvent]] = {
    event.code: event
    for event in (
        *(Use, Release, RequestChange, Change, Success, SendMessage, Status),
        *(Clear, Remove, RequestRemove, UseSuccess, SlotVersion, Echo, RequestClear),
    )
}


@dataclass(frozen=True, slots=True)
class SharedObjectMessage:
    """Events of one shared object, in order."""

    name: str
    version: int = 0
    """A client's: the last it knows; the server's: the one after these events."""
    flags: int = 0
    """`PERSISTENT`, `ECHO`; other bits occur."""
    events: tuple[SharedObjectEvent, ...] = ()
    object_encoding: int = 0
    """0 is message type 19, 3 is type 16: answer in the encoding of the Use."""

    @property
    def persistent(self) -> bool:
        """Whether the object outlives its users."""
        return bool(self.flags & PERSISTENT)

    @property
    def type(self) -> MessageType:
        """The message type this is sent as."""
        if self.object_encoding == 3:
            return MessageType.SHARED_OBJECT_AMF3
        return MessageType.SHARED_OBJECT_AMF0

    @classmethod
    def parse(
        cls,
        payload: bytes,
        *,
        object_encoding: int = 0,
        max_events: int = 4_096,
        limits: amf.Limits | None = None,
    ) -> Self:
        """Reads the body of a message of type 19 (`object_encoding` 0) or 16 (3).

        Events of unknown type are left out. Raises RemoteProtocolError for every other mistake.
        """
        if object_encoding == 3:
            payload = payload[1:]
        name, position = _parse_name(payload, 0)
        if len(payload) < position + _HEADER.size:
            raise RemoteProtocolError("shared object: the message ends in its header")
        version, flags, _ = _HEADER.unpack_from(payload, position)
        events = _parse_events(payload, position + _HEADER.size, max_events, limits)
        return cls(name, version, flags, events, object_encoding)

    def serialize(self) -> bytes:
        """The message's body; raises LocalProtocolError for values that AMF cannot hold."""
        parts = [b"\0"] if self.object_encoding == 3 else []
        parts += (_serialize_name(self.name), _HEADER.pack(self.version, self.flags, 0))
        for event in self.events:
            data = event.serialize(self.object_encoding)
            parts += (_EVENT.pack(event.code, len(data)), data)
        return b"".join(parts)


def _parse_events(
    payload: bytes, position: int, max_events: int, limits: amf.Limits | None
) -> tuple[SharedObjectEvent, ...]:
    events: list[SharedObjectEvent] = []
    while position < len(payload):
        if len(events) == max_events:
            raise RemoteProtocolError(f"shared object: more than {max_events} events in a message")
        if len(payload) < position + _EVENT.size:
            raise RemoteProtocolError("shared object: the message ends in an event's header")
        code, length = _EVENT.unpack_from(payload, position)
        position += _EVENT.size
        if length > len(payload) - position:
            raise RemoteProtocolError(f"shared object: event {code} claims {length} bytes")
        event_class = _EVENTS.get(code)
        if event_class is not None:
            data = payload[position : position + length]
            events.append(event_class.parse(data, limits=limits))
        position += length
    return tuple(events)


def _parse_name(data: bytes, position: int) -> tuple[str, int]:
    start = position + 2
    end = start + int.from_bytes(data[position:start], "big")
    if end > len(data) or start > len(data):
        raise RemoteProtocolError("shared object: a name or key is cut short")
    return data[start:end].decode("utf-8", "replace"), end


def _serialize_name(name: str) -> bytes:
    encoded = name.encode("utf-8", "surrogatepass")
    if len(encoded) > 0xFFFF:
        raise LocalProtocolError(f"shared object: a name of {len(encoded)} bytes (65,535 at most)")
    return len(encoded).to_bytes(2, "big") + encoded


class _Values:
    """The AMF values of one event: reference tables are fresh for each, the budget is not."""

    def __init__(self, data: bytes, limits: amf.Limits | None) -> None:
        self.position = 0
        try:
            self._decoder = amf.Decoder(data, version=0, limits=limits)
        except amf.AMFError as error:
            raise RemoteProtocolError(f"shared object: {error}") from error

    def parse(self) -> Any:
        """The value at `position`, which moves behind it."""
        try:
            self._decoder.reset()
            self._decoder.position = self.position
            value = self._decoder.decode()
        except amf.AMFError as error:
            raise RemoteProtocolError(f"shared object: {error}") from error
        self.position = self._decoder.position
        return value


def _serialize_values(values: Any, object_encoding: int) -> bytes:
    """AMF values without references across them, whichever way the peer keeps its tables."""
    avmplus = object_encoding == 3
    try:
        return b"".join(amf.dumps_many([value], 0, avmplus=avmplus) for value in values)
    except amf.AMFError as error:
        raise LocalProtocolError(f"not to be written as AMF: {error}") from error
