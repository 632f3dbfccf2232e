"""For sync code: a block whose beginning and end run on one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from asgiref.sync import async_to_sync

T = TypeVar("T")


class LoopOfABlock:
    """The loop that this thread's work came from, if there is one; else one for the block.

    Raises RuntimeError in a thread that runs a loop: async code does not wait like this.
    """

    def __init__(self) -> None:
        loop = async_to_sync(_running_loop)()
        self._server_loop = loop if loop.is_running() else None
        self._runner = None if loop.is_running() else asyncio.Runner()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Waits for it, outside of the loop."""
        if self._runner is not None:
            return self._runner.run(coroutine)
        assert self._server_loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self._server_loop).result()

    def close(self) -> None:
        """Ends the loop if it was for this block."""
        if self._runner is not None:
            self._runner.close()


async def _running_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()
