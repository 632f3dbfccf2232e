"""A rate that may be saved up for a second."""

from __future__ import annotations


class Allowance:
    """So many per second on average, and so many at once."""

    __slots__ = ("_last", "_left", "_rate")

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._left = rate
        self._last: float | None = None

    def take(self, count: int, *, now: float) -> bool:
        """Takes `count` if they are there; `now` in seconds."""
        if self._last is not None:
            self._left = min(self._rate, self._left + (now - self._last) * self._rate)
        self._last = now
        if count > self._left:
            return False
        self._left -= count
        return True
