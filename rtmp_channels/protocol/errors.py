"""What can go wrong on an RTMP connection, and whose fault it is.

ProtocolError
├── RemoteProtocolError    the peer broke the protocol or a limit: log at INFO, send, close
│   └── LimitExceeded      one of the limits that are worth counting
└── LocalProtocolError     this side called a method that the connection's state forbids: a bug
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtmp_channels.protocol.events import Event


class ProtocolError(Exception):
    """Root of every error that the protocol floor raises."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol or a limit; the connection is dead.

    The message is one line for a log. `Connection.data_to_send()` afterwards holds the reply, where
    the protocol has one; write it, then close.
    """

    events: list[Event]
    """What the same `receive_data` call understood before the mistake, in order."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.events = []


class LimitExceeded(RemoteProtocolError):
    """The peer broke a limit of the configuration."""

    def __init__(self, limit: str, message: str) -> None:
        super().__init__(message)
        self.limit = limit
        """Its name: "message_length", "chunk_streams" or "partial_bytes"."""


class LocalProtocolError(ProtocolError):
    """A method was called in a state, or with a value, that does not allow it."""
