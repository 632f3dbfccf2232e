"""Between the wire's events and operations: values are encoded once, then passed on as bytes.

A value is kept as AMF0 (with AMF3 behind its avmplus marker where AMF0 has no form for it): every
client reads that, in messages of type 19 and of type 16. So there is one encoding of an event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from amf_remoting import amf
from rtmp_channels.protocol.outbound import encode_shared_object
from rtmp_channels.protocol.shared_object import (
    PERSISTENT,
    Clear,
    Remove,
    RequestChange,
    RequestClear,
    RequestRemove,
    SendMessage,
    SharedObjectEvent,
    SharedObjectMessage,
    Status,
    Success,
    UseSuccess,
)
from rtmp_channels.shared_objects.grants import Changed
from rtmp_channels.shared_objects.operations import (
    Answer,
    ClearSlots,
    Commit,
    EventKind,
    ObjectEvent,
    Operation,
    RemoveSlot,
    Send,
    SetSlot,
    Verdict,
)
from rtmp_channels.shared_objects.refusals import NO_READ_ACCESS, NO_WRITE_ACCESS

_ECHO = 13


@dataclass(frozen=True, slots=True)
class Encoded(SharedObjectEvent):
    """An event whose data is there already; `code` is its type on the wire."""

    code: int  # type: ignore[misc]  # a class attribute of the events that are parsed
    data: bytes

    @classmethod
    def parse(cls, data: bytes, *, limits: amf.Limits | None = None) -> Self:
        """Never called: what comes in is parsed as one of the wire's fourteen."""
        raise TypeError("an encoded event is only ever written")

    def serialize(self, object_encoding: int = 0) -> bytes:
        return self.data


@dataclass(frozen=True, slots=True)
class Request:
    """An operation, and the value it would set for those who look inside."""

    operation: Operation
    value: Any = None


def encode_value(value: Any) -> bytes | None:
    """A slot's value as it is kept; None if it removes the slot. Raises amf.EncodeError."""
    if value is None or value is amf.Undefined:
        return None
    return amf.dumps_many([value], 0)


def decode_value(data: bytes) -> Any:
    """The value of a slot."""
    return amf.loads(data, 0)


def encode_send(method: str, arguments: Sequence[Any]) -> bytes:
    """What event 6 carries. Raises amf.EncodeError."""
    values = [method, *arguments]
    return b"".join(amf.dumps_many([value], 0) for value in values)  # no references across them


def requests_of(events: Iterable[SharedObjectEvent]) -> Iterator[Request]:
    """What a client's events ask for; events that only a server sends ask for nothing."""
    for event in events:
        match event:
            case RequestChange(changes):
                for key, value in changes:
                    yield Request(SetSlot(key, encode_value(value)), value)
            case RequestRemove(key):
                yield Request(RemoveSlot(key))
            case RequestClear():
                yield Request(ClearSlots())
            case SendMessage(method, arguments):
                yield Request(Send(encode_send(method, arguments)))


def changes_of(name: str, commit: Commit) -> Changed | None:
    """The commit for those who asked to hear of changes; None if it only sent."""
    slots: dict[str, Any] = {}
    cleared = False
    for event in commit.events:
        match event.kind:
            case EventKind.CLEAR:
                cleared = True
                slots.clear()
            case EventKind.CHANGE:
                slots[event.key] = decode_value(event.data)
            case EventKind.REMOVE:
                slots[event.key] = None
    return Changed(name, slots, cleared) if slots or cleared else None


@dataclass(frozen=True, slots=True)
class ObjectEncoder:
    """Makes the messages of one object, chunked and ready to be written."""

    name: str
    persistent: bool

    def state(
        self,
        version: int,
        slots: Iterable[tuple[str, bytes | None]],
        *,
        clear: bool,
        object_encoding: int,
    ) -> bytes:
        """The answer to a use: all slots behind a Clear, or those that changed."""
        events: list[SharedObjectEvent] = [UseSuccess()]
        if clear:
            events.append(Clear())
        events += (_slot_event(key, value) for key, value in slots)
        return self.message(version, events, object_encoding)

    def everything(
        self, version: int, slots: Iterable[tuple[str, bytes]], object_encoding: int
    ) -> bytes:
        """All slots, for those who have missed some of what happened."""
        events = [_slot_event(key, value) for key, value in slots]
        return self.message(version, [Clear(), *events], object_encoding)

    def commit(self, commit: Commit, object_encoding: int) -> bytes:
        """What everyone but the writer is told."""
        events = [_reader_event(event) for event in commit.events]
        return self.message(commit.version, events, object_encoding)

    def answers(
        self,
        version: int,
        answered: Iterable[tuple[Operation, Answer]],
        *,
        echo: bool,
        object_encoding: int,
    ) -> bytes:
        """What the writer is told. `echo`: its Use had the flag that asks for event 13."""
        refused = False
        events: list[SharedObjectEvent] = []
        for operation, answer in answered:
            refused |= answer.verdict is Verdict.REFUSED
            events += _writer_events(operation, answer, echo=echo)
        if refused:
            events.insert(0, Status(NO_WRITE_ACCESS, "error"))
        return self.message(version, events, object_encoding)

    def status(self, code: str, object_encoding: int) -> bytes:
        """A refusal."""
        return self.message(0, [Status(code, "error")], object_encoding)

    def withdrawal(self, object_encoding: int) -> bytes:
        """What a user is told when the object can no longer be shown: no slots."""
        return self.message(0, [Status(NO_READ_ACCESS, "error"), Clear()], object_encoding)

    def message(
        self, version: int, events: Sequence[SharedObjectEvent], object_encoding: int
    ) -> bytes:
        """One message of these events."""
        flags = PERSISTENT if self.persistent else 0
        return encode_shared_object(
            SharedObjectMessage(self.name, version, flags, tuple(events), object_encoding)
        )


def _reader_event(event: ObjectEvent) -> SharedObjectEvent:
    match event.kind:
        case EventKind.CHANGE:
            return _slot_event(event.key, event.data)
        case EventKind.REMOVE:
            return Remove(event.key)
        case EventKind.CLEAR:
            return Clear()
        case EventKind.SEND:
            return Encoded(EventKind.SEND, event.data)


def _writer_events(
    operation: Operation, answer: Answer, *, echo: bool
) -> Iterator[SharedObjectEvent]:
    accepted = answer.verdict is Verdict.ACCEPTED
    done = accepted or answer.verdict is Verdict.OVERRODE
    match operation:
        case SetSlot(key, bytes() as value) if done and echo:
            yield Encoded(_ECHO, encode_pair(key, value))
        case SetSlot(key, value) if done and not echo:
            yield Success(key)
            if not accepted:
                yield _slot_event(key, value)
        case SetSlot(key, _) | RemoveSlot(key):
            yield _slot_event(key, answer.value)
        case ClearSlots() if accepted:
            yield Clear()
        case Send(data) if accepted:
            yield Encoded(EventKind.SEND, data)


def _slot_event(key: str, value: bytes | None) -> SharedObjectEvent:
    return Remove(key) if value is None else Encoded(EventKind.CHANGE, encode_pair(key, value))


def encode_pair(key: str, value: bytes) -> bytes:
    """A slot and its value, as events 3, 4 and 13 carry them."""
    encoded = key.encode("utf-8", "surrogatepass")
    return len(encoded).to_bytes(2, "big") + encoded + value
