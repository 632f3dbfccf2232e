"""Who sent more than one turn may handle: one of them goes on in each turn of the loop."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from rtmp_channels.loop_local import LoopLocal


class Bursting(Protocol):
    """A session with messages left in what it received."""

    def go_on(self) -> None:
        """Handles some of them; asks for another turn if that was not all."""


class Bursts:
    """Many that flood the server delay the others no more than one that does."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Bursting] = deque()
        self._handle: asyncio.Handle | None = None

    def add(self, bursting: Bursting) -> None:
        """Has it go on in a later turn, after those that wait already."""
        self._waiting.append(bursting)
        if self._handle is None:
            self._handle = self._loop.call_soon(self._turn)

    async def close(self) -> None:
        """Forgets all of them."""
        self._waiting.clear()
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _turn(self) -> None:
        bursting = self._waiting.popleft()
        # First: what goes on may raise.
        self._handle = self._loop.call_soon(self._turn) if self._waiting else None
        bursting.go_on()


bursts: LoopLocal[Bursts] = LoopLocal(Bursts)
"""`bursts.get()`: those of the running loop."""
