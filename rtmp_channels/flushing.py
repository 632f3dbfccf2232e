"""Writes what a turn of the loop has queued: one callback of the loop for all connections."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from rtmp_channels.loop_local import LoopLocal

logger = logging.getLogger(__name__)


class Flushing(Protocol):
    """What has something to write."""

    def flush(self) -> None:
        """Writes it."""


class FlushQueue:
    """Those who write when this turn of the loop is over, in the order they came.

    A broadcast to a thousand would be a thousand callbacks otherwise.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due: list[Flushing] = []

    def add(self, one: Flushing) -> None:
        """Has it write soon."""
        if not self._due:
            self._loop.call_soon(self._run)
        self._due.append(one)

    async def close(self) -> None:
        """Forgets everyone."""
        self._due.clear()

    def _run(self) -> None:
        due, self._due = self._due, []
        for one in due:
            try:
                one.flush()
            except Exception:
                logger.exception("%s could not be written to", one)


flush_queues: LoopLocal[FlushQueue] = LoopLocal(FlushQueue)
"""`flush_queues.get()`: the running loop's queue."""
