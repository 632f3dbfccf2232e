"""How often somebody may call: token buckets in memory, a set per process.

A rate of "10/min" lets ten calls through at once and refills one every six seconds.
"""

import math
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Self

_RATE = re.compile(r"([1-9]\d{0,8})\s*/\s*(\d{0,6})\s*(s|sec|min|h|d)")
_SECONDS = {"s": 1, "sec": 1, "min": 60, "h": 3600, "d": 86400}
_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))

MAX_BUCKETS = 50_000
"""Buckets a process keeps; the least recently used one is forgotten (and thereby full)."""


@dataclass(frozen=True, slots=True)
class Throttle:
    """A rate, and the name of what it limits: calls of one scope share a bucket per caller."""

    scope: str
    calls: int
    seconds: int

    @classmethod
    def parse(cls, rate: str, *, scope: str) -> Self:
        """ "10/s", "100/min", "5/10s", "1000/h" or "1/d". ValueError for anything else."""
        match = _RATE.fullmatch(rate.strip())
        if match is None or match[2] == "0":
            raise ValueError(f"{rate!r} is no rate; write 10/s, 100/min, 5/10s or 1000/h")
        return cls(scope, int(match[1]), int(match[2] or 1) * _SECONDS[match[3]])

    @property
    def rate(self) -> str:
        """As people write it."""
        unit = next(name for name, size in _UNITS if self.seconds % size == 0)
        count = self.seconds // _SECONDS[unit]
        return f"{self.calls}/{count if count > 1 else ''}{unit}"


@dataclass(slots=True)
class Buckets:
    """The buckets of one process. Times are passed in, in seconds of any steady clock."""

    _levels: OrderedDict[tuple[Throttle, str], tuple[float, float]] = field(
        default_factory=OrderedDict
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, throttle: Throttle, caller: str, *, now: float) -> int:
        """Whole seconds until the caller's next call is let through; 0: it is now."""
        with self._lock:
            return _wait(throttle, self._level(throttle, caller, now))

    def take(self, throttle: Throttle, caller: str, *, now: float) -> int:
        """The same, and takes the call's token if it is let through."""
        with self._lock:
            level = self._level(throttle, caller, now)
            wait = _wait(throttle, level)
            self._levels[throttle, caller] = (level if wait else level - 1, now)
            self._levels.move_to_end((throttle, caller))
            while len(self._levels) > MAX_BUCKETS:
                self._levels.popitem(last=False)
        return wait

    def clear(self) -> None:
        """Fills all buckets."""
        with self._lock:
            self._levels.clear()

    def _level(self, throttle: Throttle, caller: str, now: float) -> float:
        level, since = self._levels.get((throttle, caller), (float(throttle.calls), now))
        refilled = level + (now - since) * throttle.calls / throttle.seconds
        return min(float(throttle.calls), refilled)


def _wait(throttle: Throttle, level: float) -> int:
    # Sums of thirds do not reach 1 exactly.
    missing = 1 - level
    return 0 if missing < 1e-9 else math.ceil(missing * throttle.seconds / throttle.calls)


buckets = Buckets()
