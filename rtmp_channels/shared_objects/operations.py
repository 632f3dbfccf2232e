"""What writers ask of a shared object, and what comes of it. Values are encoded AMF throughout."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple

from rtmp_channels.relay import group_name


class ObjectKey(NamedTuple):
    """Which object: names are per application instance, and may hold "/"."""

    instance: str
    """The connection's path, as "lobby/room1"."""
    name: str


def object_group(key: ObjectKey) -> str:
    """The object's name in a channel layer, and in Redis."""
    return group_name("so", f"{key.instance}\0{key.name}")


@dataclass(frozen=True, slots=True)
class SetSlot:
    """Sets a slot, or removes it (`value` None: the client sent null or undefined)."""

    key: str
    value: bytes | None


@dataclass(frozen=True, slots=True)
class RemoveSlot:
    """Removes a slot."""

    key: str


@dataclass(frozen=True, slots=True)
class ClearSlots:
    """Removes all slots."""


@dataclass(frozen=True, slots=True)
class Send:
    """Calls a handler on everyone; changes nothing."""

    data: bytes
    """The handler's name and its arguments, as event 6 carries them."""


Operation = SetSlot | RemoveSlot | ClearSlots | Send


@dataclass(frozen=True, slots=True)
class Batch:
    """Operations that take effect together, under one new version."""

    writer: str
    """Identifies the connection, over all processes."""
    operations: tuple[Operation, ...]
    known_version: int | None = None
    """The version that the writer has seen; None: its changes cannot be lost (server code)."""
    if_version: int | None = None
    """Lost as a whole unless the object has exactly this version: server code's lock."""


class EventKind(IntEnum):
    """What happened; the values are the wire's event types."""

    CHANGE = 4
    SEND = 6
    CLEAR = 8
    REMOVE = 9


@dataclass(frozen=True, slots=True)
class ObjectEvent:
    """One thing that happened to the object."""

    kind: EventKind
    key: str = ""
    data: bytes = b""
    """A change's value, or what a send carries."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What one batch did: the unit of the log, and of the messages that tell of it.

    Every event has a sequence number of its own, apart from the version, which sends do not raise:
    so a lost send is noticed as well.
    """

    sequence: int
    """The last event's."""
    version: int
    """The object's, from these events on."""
    writer: str
    events: tuple[ObjectEvent, ...]

    @property
    def previous_sequence(self) -> int:
        """The sequence number before the first event."""
        return self.sequence - len(self.events)


class Verdict(Enum):
    """What became of one operation."""

    ACCEPTED = "accepted"
    """Done, or there was nothing to do."""
    OVERRODE = "overrode"
    """Done, but over a change of the slot that the writer had not seen: when it does, it will take
    its own value for gone, so it is told the value that the slot has now."""
    LOST = "lost"
    """Another writer was first."""
    REFUSED = "refused"
    """A limit, the grant or its validator is against it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one operation's writer is told."""

    verdict: Verdict
    value: bytes | None = None
    """The slot's value from now on, unless the verdict is ACCEPTED."""
    reason: str = ""
    """Why it was refused, for the log and for server code."""


ACCEPTED = Answer(Verdict.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch."""

    answers: tuple[Answer, ...]
    """One per operation."""
    version: int
    commit: Commit | None
    """None if nothing happened."""

    @property
    def version_before(self) -> int:
        """The highest version that a client can know that was not told of this outcome."""
        events = self.commit.events if self.commit is not None else ()
        return self.version - any(event.kind is not EventKind.SEND for event in events)
