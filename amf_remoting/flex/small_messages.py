"""Small messages: the externalizable short forms DSA, DSC and DSK.

Flag bytes say which members follow, in the order of their bits; the top bit says that another
flag byte comes. Each class of the hierarchy has flag bytes of its own, the base class first.
Send them only to clients whose ping said DSMessagingVersion >= 1.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar, Final
from uuid import UUID

from amf_remoting.amf.aliases import alias, registry
from amf_remoting.amf.errors import DecodeError
from amf_remoting.amf.externalizable import DataInput, DataOutput
from amf_remoting.flex.messages import AcknowledgeMessage, AsyncMessage, CommandMessage

MORE: Final = 0x80
BYTES: Final = ":bytes"
"""Marks an id that travels as the 16 bytes of its UUID."""

Flags = tuple[tuple[str, ...], ...]
"""For each flag byte the members of its bits, lowest first."""

ABSTRACT: Final[Flags] = (
    (
        "body",
        "client_id",
        "destination",
        "headers",
        "message_id",
        "timestamp",
        "time_to_live",
    ),
    ("client_id:bytes", "message_id:bytes"),
)
ASYNC: Final[Flags] = (("correlation_id", "correlation_id:bytes"),)
COMMAND: Final[Flags] = (("operation",),)
ACKNOWLEDGE: Final[Flags] = ((),)


def id_of_bytes(data: object) -> str:
    """Flex writes UUIDs in upper case. Raises DecodeError unless it is 16 bytes."""
    if not isinstance(data, bytes) or len(data) != 16:
        raise DecodeError("an id of a small message has 16 bytes")
    return str(UUID(bytes=data)).upper()


def bytes_of_id(text: object) -> bytes | None:
    """The 16 bytes of an id in Flex's spelling, None if it is any other."""
    try:
        data = UUID(str(text)).bytes
    except ValueError:
        return None
    return data if id_of_bytes(data) == text else None


def _read_flags(source: DataInput) -> list[int]:
    flags = [source.read_unsigned_byte()]
    while flags[-1] & MORE:
        flags.append(source.read_unsigned_byte())
    return flags


def _read_members(message: object, known: Flags, source: DataInput) -> None:
    """One class's flag bytes and members; each unknown bit carries one value to skip.

    Raises DecodeError for a member of another type than the message's class declares.
    """
    plan = registry.by_class[type(message)].plan
    for index, flags in enumerate(_read_flags(source)):
        names = known[index] if index < len(known) else ()
        for bit in range(7):
            if not flags & 1 << bit:
                continue
            value = source.read_object()
            if bit < len(names):
                name, is_bytes, _ = names[bit].partition(BYTES)
                fitted = id_of_bytes(value) if is_bytes else value
                plan.set(message, plan.by_name[name], fitted, {})


def _member(message: object, name: str) -> object:
    """What is written for a flag's member, None if nothing is."""
    attribute, is_bytes, _ = name.partition(BYTES)
    value: object = getattr(message, attribute)
    if is_bytes:
        return bytes_of_id(value)
    if attribute.endswith("_id") and bytes_of_id(value) is not None:
        return None
    return value if value or attribute in ("body", "operation") else None


def _write_members(message: object, known: Flags, output: DataOutput) -> None:
    values = [[_member(message, name) for name in names] for names in known]
    while len(values) > 1 and all(value is None for value in values[-1]):
        values.pop()
    for index, row in enumerate(values):
        flags = sum(1 << bit for bit, value in enumerate(row) if value is not None)
        output.write_byte(flags | (MORE if index < len(values) - 1 else 0))
    for row in values:
        for value in row:
            if value is not None:
                output.write_object(value)


class SmallMessage:
    """Reads and writes the flag bytes of each class in `hierarchy`, the base first."""

    __slots__ = ()

    hierarchy: ClassVar[tuple[Flags, ...]]

    def read_external(self, source: DataInput) -> None:
        for known in self.hierarchy:
            _read_members(self, known, source)

    def write_external(self, output: DataOutput) -> None:
        for known in self.hierarchy:
            _write_members(self, known, output)


@alias("DSA", externalizable=True)
@dataclass(slots=True, kw_only=True)
class SmallAsyncMessage(SmallMessage, AsyncMessage):
    hierarchy = (ABSTRACT, ASYNC)


@alias("DSC", externalizable=True)
@dataclass(slots=True, kw_only=True)
class SmallCommandMessage(SmallMessage, CommandMessage):
    hierarchy = (ABSTRACT, ASYNC, COMMAND)


@alias("DSK", externalizable=True)
@dataclass(slots=True, kw_only=True)
class SmallAcknowledgeMessage(SmallMessage, AcknowledgeMessage):
    hierarchy = (ABSTRACT, ASYNC, ACKNOWLEDGE)


_SMALL: Final[dict[type, type[AsyncMessage]]] = {
    AsyncMessage: SmallAsyncMessage,
    CommandMessage: SmallCommandMessage,
    AcknowledgeMessage: SmallAcknowledgeMessage,
}


def small(message: AsyncMessage) -> AsyncMessage:
    """The message's small form, or the message itself if its class has none."""
    cls = _SMALL.get(type(message))
    if cls is None:
        return message
    return cls(**{each.name: getattr(message, each.name) for each in fields(message)})
