"""The bounded queue between a connection and its application."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

Message = dict[str, Any]


class Inbox:
    """Messages that wait for the application, with a limit on their number and their bytes.

    `put` never refuses: the limit is kept by not reading the socket while `is_full`. One read may
    overshoot it by what that read contained.
    """

    def __init__(self, *, max_messages: int, max_bytes: int, on_room: Callable[[], None]) -> None:
        self._messages: deque[tuple[Message, int]] = deque()
        self._bytes = 0
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._on_room: Callable[[], None] | None = on_room
        self._waiter: asyncio.Future[None] | None = None
        self._last: Message | None = None

    @property
    def is_full(self) -> bool:
        """Whether the socket should not be read."""
        return len(self._messages) >= self._max_messages or self._bytes >= self._max_bytes

    @property
    def waiting_bytes(self) -> int:
        """What waits, by its size on the wire."""
        return self._bytes

    def put(self, message: Message, size: int = 0) -> None:
        """Adds a message that had `size` bytes on the wire."""
        self._messages.append((message, size))
        self._bytes += size
        self._wake()

    def finish(self, message: Message) -> None:
        """Adds the last message, which `get` repeats for ever."""
        self._last = message
        self._wake()

    async def get(self) -> Message:
        """The next message: ASGI's `receive`."""
        while not self._messages:
            if self._last is not None:
                return self._last
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        was_full = self.is_full
        message, size = self._messages.popleft()
        self._bytes -= size
        if was_full and self._on_room is not None and not self.is_full:
            self._on_room()
        return message

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
