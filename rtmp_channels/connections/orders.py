"""What a process asks of the connections of all processes, as it travels through the layer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from amf_remoting import amf
from rtmp_channels.relay import group_name

GROUP = group_name("connections", "all")
"""The layer's one group for orders: each process has one channel in it."""


class Audience(StrEnum):
    """Whom an order means."""

    CLIENT = "client"
    """One connection, by its id."""
    USER = "user"
    """All connections of a user, by primary key as text."""
    EVERYONE = "everyone"
    """All connections."""


class Verb(StrEnum):
    """What is to be done."""

    CALL = "call"
    """Call a method of the client; the payload is the command's body in AMF0."""
    KICK = "kick"
    """End the connection; the payload is the description, in UTF-8."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order; encoded once, whoever carries it."""

    verb: Verb
    audience: Audience
    name: str
    """The connection's id or the user's primary key; "" for everyone."""
    payload: bytes

    def serialize(self) -> bytes:
        """The body of the layer's message."""
        return amf.dumps([str(self.verb), str(self.audience), self.name, self.payload])

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Raises ValueError or AMFError for what is no order."""
        verb, audience, name, payload = amf.loads(body)
        return cls(Verb(verb), Audience(audience), str(name), bytes(payload))
