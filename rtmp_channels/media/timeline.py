"""Times on the wire: 32 bits of milliseconds that wrap (RTMP 1.0 §5.3.1.3)."""

from __future__ import annotations

from rtmp_channels.protocol.constants import TIMESTAMP_MODULUS

_HALF = TIMESTAMP_MODULUS // 2

JOINT_MS = 40
"""Between the last packet of one publisher and the first of the next: a frame's length."""


def difference(later: int, earlier: int) -> int:
    """Milliseconds from `earlier` to `later`, the short way around; negative if it is before."""
    return (later - earlier + _HALF) % TIMESTAMP_MODULUS - _HALF


class Timeline:
    """Keeps a stream's time going on when another publisher continues it.

    The first publisher's times pass unchanged, however they jump.
    """

    __slots__ = ("_latest", "_offset")

    def __init__(self) -> None:
        self._offset: int | None = 0
        self._latest: int | None = None

    @property
    def latest(self) -> int:
        """The latest time so far; 0 before the first packet."""
        return self._latest or 0

    def join(self) -> None:
        """Another publisher begins: its first packet follows what was last."""
        self._offset = None

    def place(self, timestamp: int) -> int:
        """The publisher's time as the players see it."""
        if self._offset is None:
            follows = self._latest is not None
            self._offset = self.latest + JOINT_MS - timestamp if follows else 0
        placed = (timestamp + self._offset) % TIMESTAMP_MODULUS
        if self._latest is None or difference(placed, self._latest) > 0:
            self._latest = placed
        return placed
