"""Shared-object messages explained; the layout is in `protocol.shared_object`."""

from __future__ import annotations

from amf_remoting.amf import Limits
from rtmp_channels.explanation.values import Path, Steps, Values
from rtmp_channels.protocol import shared_object as events
from rtmp_channels.protocol.chunk import Message
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.shared_object_events import EVENTS

_NAMES = {code: event.__name__ for code, event in EVENTS.items()}
_CHANGES = frozenset((events.RequestChange.code, events.Change.code, events.Echo.code))
_KEYED = frozenset((events.Success.code, events.Remove.code, events.RequestRemove.code))


def shared_object_steps(message: Message, limits: Limits) -> Steps:
    """Header and events."""
    values = Values(message.payload, limits)
    if message.type == MessageType.SHARED_OBJECT_AMF3:
        yield values.format_byte()
    yield values.text("Name", path=("name",))
    yield values.number(4, "Version")
    position = values.cursor.position
    flags = int.from_bytes(message.payload[position : position + 4], "big")
    yield values.number(4, "Flags", "persistent" if flags & events.PERSISTENT else "temporary")
    yield values.number(4, "Unused")
    number = 0
    while values.cursor.left:
        number += 1
        yield from _event(values, (f"event {number}",))


def _event(values: Values, path: Path) -> Steps:
    cursor = values.cursor
    code = cursor.data[cursor.position]
    yield values.coded(1, "Event Type", _NAMES, path=path)
    position = cursor.position
    length = int.from_bytes(cursor.data[position : position + 4], "big")
    yield values.number(4, "Length", path=path)
    if length > cursor.left:
        raise cursor.error(f"the event claims {length} bytes, {cursor.left} are left")
    end = cursor.position + length
    yield from _event_data(values, code, path, end)
    if cursor.position > end:
        raise cursor.error(f"a value goes beyond its event, which ends at byte {end}")
    if cursor.position < end:
        yield values.raw(end - cursor.position, "Data", path=(*path, ""))


def _event_data(values: Values, code: int, path: Path, end: int) -> Steps:
    if code in _CHANGES:
        while values.cursor.position < end:
            key = values.text("Key", path=(*path, "key"))
            yield key
            yield from _value(values, (*path, str(key.value)))
    elif code in _KEYED and values.cursor.position < end:
        yield values.text("Key", path=(*path, "key"))
    elif code == events.SendMessage.code:
        number = 0
        while values.cursor.position < end:
            yield from _value(values, (*path, f"argument {number}" if number else "handler"))
            number += 1
    elif code == events.Status.code:
        yield values.text("Code", path=(*path, "code"))
        yield values.text("Level", path=(*path, "level"))
    elif code == events.SlotVersion.code:
        yield values.text("Key", path=(*path, "key"))
        yield values.number(4, "Slot Version", path=(*path, "version"))


def _value(values: Values, path: Path) -> Steps:
    values.forget()
    yield from values.value(path)
