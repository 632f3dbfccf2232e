"""What all connections of a loop hold together, and who is cut when that is too much.

Nothing is added up per message: it is counted how much came and how much was kept since the sum
was last taken. Only when that could have filled what was left then, it is taken again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from operator import itemgetter
from typing import Protocol

from rtmp_channels.conf import rtmp_settings
from rtmp_channels.loop_local import LoopLocal

logger = logging.getLogger(__name__)

_PART = 16
"""A sum is not taken again before this part of the limit has come; as much is freed at once."""


class Holding(Protocol):
    """A session."""

    @property
    def held_bytes(self) -> int:
        """What it holds of what came, and of what should leave."""

    def cut_for_memory(self, held: int, /) -> None:
        """Cuts it; `held` is what it held."""


class HeldMemory:
    """Keeps the sum below MAX_HELD_BYTES, and what one turn of the loop brings."""

    def __init__(self) -> None:
        self.sessions: Iterable[Holding] = ()
        """All of the loop's, whenever it is iterated; `open_sessions` sets it."""
        self._loop = asyncio.get_running_loop()
        self._left = 0
        """Bytes that may come until the sum has to be taken."""
        self._is_due = False

    def grow(self, size: int) -> None:
        """So many bytes came, or wait to be sent; whether they are still there is not known."""
        self._left -= size
        if self._left < 0 and not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._take_sum)

    async def close(self) -> None:
        """Forgets everyone."""
        self.sessions = ()

    def _take_sum(self) -> None:
        self._is_due = False
        limit = rtmp_settings().max_held_bytes
        if not limit:
            self._left = 1 << 40
            return
        held = [(size, session) for session in self.sessions if (size := session.held_bytes)]
        total = sum(size for size, _ in held)
        if total > limit:
            total = self._cut(held, total, limit)
        self._left = max(limit - total, limit // _PART)

    def _cut(self, held: list[tuple[int, Holding]], total: int, limit: int) -> int:
        """Those that hold most, until there is room again; what is left."""
        held.sort(key=itemgetter(0), reverse=True)
        before, count = total, 0
        for size, session in held:
            session.cut_for_memory(size)
            total -= size
            count += 1
            if total <= limit - limit // _PART:
                break
        logger.warning(
            "All RTMP connections together held %d bytes (MAX_HELD_BYTES: %d): cut %d of them",
            before, limit, count,
        )  # fmt: skip
        return total


held_memory: LoopLocal[HeldMemory] = LoopLocal(HeldMemory)
"""`held_memory.get()`: that of the running loop."""
