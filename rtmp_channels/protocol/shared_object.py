"""Shared-object messages, types 19 and 16 (RTMP 1.0 §7.1.3, which leaves out the layout).

```
u16 length, name | u32 version | u32 flags | u32 0 | events: u8 type, u32 length, data
```
Type 16 is one byte 00, then the same layout; its values are AMF3 behind AMF0's avmplus marker.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Self

from amf_remoting import amf
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.errors import RemoteProtocolError
from rtmp_channels.protocol.shared_object_events import (
    EVENTS,
    Change,
    Clear,
    Echo,
    Release,
    Remove,
    RequestChange,
    RequestClear,
    RequestRemove,
    SendMessage,
    SharedObjectEvent,
    SlotVersion,
    Status,
    Success,
    Use,
    UseSuccess,
    parse_name,
    serialize_name,
)

__all__ = [
    "ECHO",
    "PERSISTENT",
    "Change",
    "Clear",
    "Echo",
    "Release",
    "Remove",
    "RequestChange",
    "RequestClear",
    "RequestRemove",
    "SendMessage",
    "SharedObjectEvent",
    "SharedObjectMessage",
    "SlotVersion",
    "Status",
    "Success",
    "Use",
    "UseSuccess",
]

PERSISTENT = 2
"""The bit of `flags` that makes an object persistent."""

ECHO = 16
"""The bit of a Use's `flags` whose sender takes `Echo` as its acknowledgement."""

_HEADER = struct.Struct(">III")  # version, flags, unused
_EVENT = struct.Struct(">BI")  # type, length of the data


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
        name, position = parse_name(payload, 0)
        if len(payload) < position + _HEADER.size:
            raise RemoteProtocolError("shared object: the message ends in its header")
        version, flags, _ = _HEADER.unpack_from(payload, position)
        events = _parse_events(payload, position + _HEADER.size, max_events, limits)
        return cls(name, version, flags, events, object_encoding)

    def serialize(self) -> bytes:
        """The message's body; raises LocalProtocolError for values that AMF cannot hold."""
        parts = [b"\0"] if self.object_encoding == 3 else []
        parts += (serialize_name(self.name), _HEADER.pack(self.version, self.flags, 0))
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
        event_class = EVENTS.get(code)
        if event_class is not None:
            data = payload[position : position + length]
            events.append(event_class.parse(data, limits=limits))
        position += length
    return tuple(events)
