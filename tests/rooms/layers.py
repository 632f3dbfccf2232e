"""Channel layers for tests: one that fails on command, one that counts."""

from __future__ import annotations

import asyncio
from typing import Any


class FakeLayer:
    """A channel layer in memory whose parts can be made to fail."""

    def __init__(self) -> None:
        self.channels: dict[str, asyncio.Queue[Any]] = {}
        self.groups: dict[str, set[str]] = {}
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.failing: set[str] = set()
        self.changed = asyncio.Condition()

    async def _pass(self, what: str) -> None:
        if what in self.failing:
            raise ConnectionError(f"{what} fails")
        async with self.changed:
            self.changed.notify_all()

    async def new_channel(self, prefix: str = "specific.") -> str:
        await self._pass("new_channel")
        name = f"{prefix}{len(self.channels)}"
        self.channels[name] = asyncio.Queue()
        return name

    async def receive(self, channel: str) -> dict[str, Any]:
        await self._pass("receive")  # what came before has been delivered
        message = await self.channels[channel].get()
        if isinstance(message, Exception):
            raise message
        return message

    async def group_add(self, group: str, channel: str) -> None:
        await self._pass("group_add")
        self.groups.setdefault(group, set()).add(channel)
        await self._pass("")

    async def group_discard(self, group: str, channel: str) -> None:
        await self._pass("group_discard")
        self.groups[group].discard(channel)
        await self._pass("")

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await self._pass("group_send")
        self.sent.append((group, message))
        for channel in self.groups.get(group, ()):
            self.channels[channel].put_nowait(message)

    async def until(self, predicate: Any) -> None:
        """Waits until the layer's state fulfils the predicate."""
        async with asyncio.timeout(5), self.changed:
            await self.changed.wait_for(predicate)
