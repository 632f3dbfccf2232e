"""Handlers that run beside the dispatcher, bounded in number."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class BackgroundTasks:
    """At most `limit` tasks, all of them ended together."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Starts a task, once there is room for it."""
        try:
            while len(self._tasks) >= self._limit:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            work.close()  # it never ran
            raise
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def cancel(self) -> None:
        """Cancels all and waits for them."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
