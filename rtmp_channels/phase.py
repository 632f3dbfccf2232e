"""Where a session is."""

from __future__ import annotations

from enum import IntEnum


class Phase(IntEnum):
    """In the order in which a session goes through them; it may skip to CLOSING from any."""

    HANDSHAKE = 0
    """The client's 3,073 bytes are under way."""
    CONNECT = 1
    """The handshake is done, `connect` is awaited."""
    ACCEPT = 2
    """The application runs and has not answered `connect` yet."""
    OPEN = 3
    """Accepted."""
    CLOSING = 4
    """Nothing is read any more; what was written leaves."""
    CLOSED = 5
    """The transport is gone; the application may still be ending."""
