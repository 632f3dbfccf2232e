"""The hub's clockwork: each moment of the tick in turn, without drift."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Ticker:
    """Calls `on_phase(0)`, `on_phase(1)`, … spread over each tick, while it is started."""

    def __init__(self, tick_ms: int, phases: int, on_phase: Callable[[int], None]) -> None:
        self._interval = tick_ms / 1000 / phases
        self._phases = phases
        self._on_phase = on_phase
        self._phase = 0
        self._due = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begins; harmless twice. With a tick of 0 ms there is nothing to do."""
        if self._interval and self._handle is None:
            self._due = asyncio.get_running_loop().time()
            self._schedule()

    def stop(self) -> None:
        """Ends; harmless twice."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _schedule(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = max(self._due + self._interval, loop.time())
        self._handle = loop.call_at(self._due, self._run)

    def _run(self) -> None:
        phase = self._phase
        self._phase = (phase + 1) % self._phases
        self._schedule()
        self._on_phase(phase)
