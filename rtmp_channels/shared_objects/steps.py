"""A client's message as steps: use, changes, release, in the order of its events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rtmp_channels.protocol.shared_object import (
    ECHO,
    Release,
    SharedObjectEvent,
    SharedObjectMessage,
    Use,
)
from rtmp_channels.shared_objects.encoding import Request, requests_of
from rtmp_channels.shared_objects.operations import ClearSlots, RemoveSlot, Send, SetSlot


@dataclass(frozen=True, slots=True)
class UseStep:
    """The client wants to use the object."""

    persistent: bool
    known_version: int
    """The version it has from an earlier use; 0 if it has nothing."""
    object_encoding: int
    echo: bool
    size = 0


@dataclass(frozen=True, slots=True)
class ReleaseStep:
    """The client is done with the object."""

    size = 0


@dataclass(frozen=True, slots=True)
class ChangeStep:
    """What a client asks for at once."""

    known_version: int
    requests: tuple[Request, ...]
    object_encoding: int
    size: int
    """Bytes of keys and values, for the limit on what waits."""


Step = UseStep | ReleaseStep | ChangeStep


def steps_of(message: SharedObjectMessage) -> Iterator[Step]:
    """The message's steps. Raises amf.EncodeError for values that cannot be passed on."""
    events: list[SharedObjectEvent] = []
    for event in message.events:
        if not isinstance(event, Use | Release):
            events.append(event)
            continue
        yield from _changes(message, events)
        events = []
        yield _use(message) if isinstance(event, Use) else ReleaseStep()
    yield from _changes(message, events)


def _use(message: SharedObjectMessage) -> UseStep:
    echo = bool(message.flags & ECHO)
    return UseStep(message.persistent, message.version, message.object_encoding, echo)


def _changes(message: SharedObjectMessage, events: list[SharedObjectEvent]) -> Iterator[ChangeStep]:
    requests = tuple(requests_of(events))
    if requests:
        size = sum(map(_size, requests))
        yield ChangeStep(message.version, requests, message.object_encoding, size)


def _size(request: Request) -> int:
    match request.operation:
        case SetSlot(key, value):
            return len(key) + len(value or b"")
        case RemoveSlot(key):
            return len(key)
        case Send(data):
            return len(data)
        case ClearSlots():
            return 0
