"""How much rooms hold."""

from __future__ import annotations

from dataclasses import dataclass


class RoomLimitExceeded(Exception):
    """A room's limit refuses this; the text says which and how far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomLimits:
    """Each refused with `RoomLimitExceeded`."""

    members: int = 10_000
    """Members of one room in this process."""

    rooms_per_member: int = 64
    """Rooms that one member may be in."""

    name_bytes: int = 255
    """A room's name, in UTF-8."""

    broadcast_bytes: int = 262_144
    """One broadcast's method and arguments, encoded."""
