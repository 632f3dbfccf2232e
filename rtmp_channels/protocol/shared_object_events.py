"""The fourteen events of shared-object messages, one class each (RTMP 1.0 §7.1.3)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from amf_remoting import amf
from amf_remoting.amf import text
from rtmp_channels.protocol.errors import LocalProtocolError, RemoteProtocolError

_WRITTEN_AS_AMF0 = (str, float, int, type(None), type(amf.Undefined))
"""What looks the same to readers of both versions."""


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
        key, end = parse_name(data, 0)
        if end != len(data):
            raise RemoteProtocolError(f"shared object: {cls.__name__} with bytes after its key")
        return cls(key)

    def serialize(self, object_encoding: int = 0) -> bytes:
        return serialize_name(self.key)


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
            key, values.position = parse_name(data, values.position)
            changes.append((key, values.parse()))
        if not changes:
            raise RemoteProtocolError(f"shared object: {cls.__name__} without a key")
        return cls(tuple(changes))

    def serialize(self, object_encoding: int = 0) -> bytes:
        return b"".join(
            serialize_name(key) + _serialize_values([value], object_encoding)
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
        status_code, position = parse_name(data, 0)
        level, end = parse_name(data, position)
        if end != len(data):
            raise RemoteProtocolError("shared object: Status with bytes after its level")
        return cls(status_code, level)

    def serialize(self, object_encoding: int = 0) -> bytes:
        return serialize_name(self.status_code) + serialize_name(self.level)


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
        key, position = parse_name(data, 0)
        if len(data) != position + 4:
            raise RemoteProtocolError("shared object: SlotVersion without its 4-byte version")
        return cls(key, int.from_bytes(data[position:], "big"))

    def serialize(self, object_encoding: int = 0) -> bytes:
        return serialize_name(self.key) + self.version.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Echo(_Changes):
    """The receiver's own change, with its value, to a client whose Use had the flag `ECHO`."""

    code: ClassVar = 13


@dataclass(frozen=True, slots=True)
class RequestClear(_Bare):
    """The client asks to remove all slots."""

    code: ClassVar = 14


EVENTS: dict[int, type[SharedObjectEvent]] = {
    event.code: event
    for event in (
        *(Use, Release, RequestChange, Change, Success, SendMessage, Status),
        *(Clear, Remove, RequestRemove, UseSuccess, SlotVersion, Echo, RequestClear),
    )
}


def parse_name(data: bytes, position: int) -> tuple[str, int]:
    """The name or key at `position`, as AMF reads text that is not UTF-8, and where it ends."""
    start = position + 2
    end = start + int.from_bytes(data[position:start], "big")
    if end > len(data) or start > len(data):
        raise RemoteProtocolError("shared object: a name or key is cut short")
    encoded = data[start:end]
    try:
        return encoded.decode(), end
    except UnicodeDecodeError:
        return text.repair(encoded), end


def serialize_name(name: str) -> bytes:
    """A name or key behind its length in bytes."""
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        encoded = text.encode_repaired(name)
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


def _serialize_values(values: Iterable[Any], object_encoding: int) -> bytes:
    """AMF values without references across them, whichever way the peer keeps its tables."""
    try:
        if object_encoding == 3:
            return _serialize_amf3(values)
        return b"".join(amf.dumps(value, 0) for value in values)
    except amf.AMFError as error:
        raise LocalProtocolError(f"not to be written as AMF: {error}") from error


def _serialize_amf3(values: Iterable[Any]) -> bytes:
    encoder = amf.Encoder(0)
    encoder.write_avmplus_in_full()
    for value in values:
        if isinstance(value, _WRITTEN_AS_AMF0):
            encoder.encode(value)
        else:
            encoder.encode_avmplus(value)
    return encoder.getvalue()
