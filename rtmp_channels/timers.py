"""Deadlines of many connections on one timer, instead of a timer or a task for each."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from rtmp_channels.loop_local import LoopLocal

logger = logging.getLogger(__name__)

RESOLUTION = 0.25
"""Seconds between looks at the wheel: deadlines are late by at most that."""


class Expiring(Protocol):
    """What a `TimerWheel` holds; compared by identity."""

    def deadline_reached(self, now: float, /) -> float | None:
        """Acts on what is due at `now` (the loop's clock); returns the next deadline, if any."""


class TimerWheel:
    """Calls `deadline_reached` of its entries when their time has come.

    A deadline that moved later costs nothing until the old one is reached: the entry answers with
    the new one then.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._slots: dict[int, set[Expiring]] = {}
        self._slot_of: dict[Expiring, int] = {}
        self._last_slot = 0
        self._timer: asyncio.TimerHandle | None = None

    def schedule(self, entry: Expiring, deadline: float) -> None:
        """Wakes the entry at `deadline`, in place of the one it had."""
        slot = int(deadline / RESOLUTION) + 1
        previous = self._slot_of.get(entry)
        if previous == slot:
            return
        self.discard(entry)
        self._slot_of[entry] = slot
        self._slots.setdefault(slot, set()).add(entry)
        if self._timer is None:
            self._last_slot = int(self._loop.time() / RESOLUTION)
            self._timer = self._loop.call_later(RESOLUTION, self._tick)
        if slot <= self._last_slot:
            self._last_slot = slot - 1

    def discard(self, entry: Expiring) -> None:
        """Forgets the entry; harmless if it is unknown."""
        slot = self._slot_of.pop(entry, None)
        if slot is None:
            return
        entries = self._slots[slot]
        entries.discard(entry)
        if not entries:
            del self._slots[slot]

    async def close(self) -> None:
        """Forgets everything."""
        self._slots.clear()
        self._slot_of.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        now = self._loop.time()
        first, self._last_slot = self._last_slot + 1, int(now / RESOLUTION)
        for slot in range(first, self._last_slot + 1):
            for entry in tuple(self._slots.get(slot, ())):
                if self._slot_of.get(entry) == slot:  # the one before may have ended or moved it
                    self.discard(entry)
                    self._expire(entry, now)
        waiting = bool(self._slot_of)
        self._timer = self._loop.call_later(RESOLUTION, self._tick) if waiting else None

    def _expire(self, entry: Expiring, now: float) -> None:
        try:
            deadline = entry.deadline_reached(now)
        except Exception:
            logger.exception("A deadline of %s could not be handled", entry)
            return
        if deadline is not None:
            self.schedule(entry, deadline)


timer_wheels: LoopLocal[TimerWheel] = LoopLocal(TimerWheel)
"""`timer_wheels.get()`: the running loop's wheel."""
