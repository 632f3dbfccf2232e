"""What can go wrong above the protocol.

RtmpError
├── CallFailed          the client answered a call of ours with an error
├── ConnectionClosed    the connection ended before the client answered
└── DialectError        an application sent a message that the ASGI dialect does not allow now
"""

from __future__ import annotations

from typing import Any


class RtmpError(Exception):
    """Root of this app's errors; the protocol floor has a tree of its own."""


class CallFailed(RtmpError):
    """The client answered a call of ours with `_error`."""

    def __init__(self, information: Any) -> None:
        super().__init__(_describe(information))
        self.information = information
        """What the client sent: mostly {"level", "code", "description"}, but anything goes."""


class ConnectionClosed(RtmpError):
    """The connection ended before the client answered."""


class DialectError(RtmpError):
    """An application sent a message that the dialect does not know, or not in this state."""


def _describe(information: Any) -> str:
    if isinstance(information, dict):
        return f"{information.get('code', '')}: {information.get('description', '')}"[:200]
    return repr(information)[:200]
