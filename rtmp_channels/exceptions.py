"""What can go wrong above the protocol.

RtmpError
├── CallFailed          the client answered a call of ours with an error
├── ConnectionClosed    the connection ended before the client answered (a Fault, too)
└── DialectError        an application sent a message that the ASGI dialect does not allow now
"""

from __future__ import annotations

from typing import Any

from amf_remoting.exceptions import Fault


class RtmpError(Exception):
    """Root of this app's errors; the protocol floor has a tree of its own."""


class CallFailed(RtmpError):
    """The client answered a call of ours with `_error`."""

    def __init__(self, information: Any) -> None:
        super().__init__(_describe(information))
        self.information = information
        """What the client sent: mostly {"level", "code", "description"}, but anything goes."""


class ConnectionClosed(RtmpError, Fault):
    """The connection ended before the client answered.

    A Fault as well: a method that fails of it is no bug, and nobody is left to be told.
    """

    def __init__(self, description: str) -> None:
        Fault.__init__(self, "NetConnection.Connect.Closed", description)


class DialectError(RtmpError):
    """An application sent a message that the dialect does not know, or not in this state."""


def _describe(information: Any) -> str:
    if isinstance(information, dict):
        return f"{information.get('code', '')}: {information.get('description', '')}"[:200]
    return repr(information)[:200]
