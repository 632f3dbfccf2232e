"""What people who look after a server want to know of a connection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One connection, as of now."""

    connection_id: str
    user: Any
    """The user's primary key; None for nobody's."""
    address: str
    """The client's; "" where there is none."""
    transport: str
    """ "rtmp", "rtmps", "rtmpt" or "ws"."""
    path: str
    """Application and instance: "lobby/room1"."""
    program: str
    """What the client says it is (`flashVer`)."""
    opened: datetime
    round_trip: int | None
    """Milliseconds to the client and back; None until it has answered a ping."""
    received: int
    """Bytes."""
    sent: int
    """Bytes."""
