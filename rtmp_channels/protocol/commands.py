"""Commands and data messages, types 20, 17, 18 and 15 (RTMP 1.0 §7.1.1, §7.1.2)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, Self

from amf_remoting import amf
from rtmp_channels.protocol.constants import MAX_MESSAGE_LENGTH
from rtmp_channels.protocol.errors import LocalProtocolError, RemoteProtocolError

_OUTPUT_LIMITS = amf.Limits(output_bytes=MAX_MESSAGE_LENGTH)
"""No more is built of a small graph full of references than a message can hold."""


# As `Message`: without slots and with a constructor of its own, because every call makes one.
@dataclass
class Command:
    """A call, or the answer to one (§7.1.1)."""

    name: str
    transaction_id: float
    """0 when no answer is expected."""
    command_object: Any
    arguments: list[Any]

    def __init__(
        self, name: str, transaction_id: float, command_object: Any, arguments: list[Any]
    ) -> None:
        self.name = name
        self.transaction_id = transaction_id
        self.command_object = command_object
        self.arguments = arguments

    @classmethod
    def parse(
        cls, payload: bytes, *, object_encoding: int = 0, limits: amf.Limits | None = None
    ) -> Self:
        """Reads the body of type 20 (`object_encoding` 0) or 17 (3); transaction id and command
        object may be missing. Raises RemoteProtocolError."""
        values = parse_values(payload, object_encoding=object_encoding, limits=limits)
        name = values[0] if values else None
        if not isinstance(name, str):
            raise RemoteProtocolError("a command does not begin with its name")
        transaction_id = values[1] if len(values) > 1 else 0
        if not _is_number(transaction_id):
            raise RemoteProtocolError(f"command {name[:64]!r}: its transaction id is not a number")
        return cls(name, transaction_id, values[2] if len(values) > 2 else None, values[3:])

    def serialize(self, object_encoding: int = 0) -> bytes:
        """The body of type 20 or, with `object_encoding` 3, of type 17."""
        values = [self.name, self.transaction_id, self.command_object, *self.arguments]
        return serialize_values(values, object_encoding=object_encoding)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def parse_values(
    payload: bytes, *, object_encoding: int = 0, limits: amf.Limits | None = None
) -> list[Any]:
    """All values of a command or data message's body. Raises RemoteProtocolError."""
    if object_encoding == 3 and payload[:1] == b"\0":
        payload = payload[1:]
    tables: Literal["fresh", "shared"] = "fresh" if object_encoding == 3 else "shared"
    try:
        return amf.loads_many(payload, 0, avmplus_tables=tables, limits=limits)
    except amf.AMFError as error:
        raise RemoteProtocolError(f"undecodable AMF: {error}") from error


def serialize_values(values: list[Any], *, object_encoding: int = 0) -> bytes:
    """The body of type 20 or 18 or, with `object_encoding` 3, of type 17 or 15.

    Raises LocalProtocolError for values that AMF cannot hold.
    """
    try:
        if object_encoding == 3:
            return b"\0" + amf.dumps_many(values, 0, avmplus=True, limits=_OUTPUT_LIMITS)
        return amf.dumps_many(values, 0, limits=_OUTPUT_LIMITS)
    except amf.AMFError as error:
        raise LocalProtocolError(f"not to be written as AMF: {error}") from error
