"""A consumer's own calls that the client has not answered yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from rtmp_channels.exceptions import CallFailed, ConnectionClosed


class PendingCalls:
    """Futures by the transaction id that the consumer gave them."""

    def __init__(self) -> None:
        self._futures: dict[int, asyncio.Future[Any]] = {}
        self._last_id = 0
        self._closed = False
        self.on_open: Callable[[], None] = _nothing
        """Called when a call is made."""

    def __bool__(self) -> bool:
        return bool(self._futures)

    def open(self) -> tuple[int, asyncio.Future[Any]]:
        """A new id and its future; ConnectionClosed after the end."""
        if self._closed:
            raise ConnectionClosed("the connection is closed")
        self._last_id += 1
        future = asyncio.get_running_loop().create_future()
        self._futures[self._last_id] = future
        self.on_open()
        return self._last_id, future

    def forget(self, transaction_id: int) -> None:
        """Nobody waits any more; a late answer is dropped."""
        self._futures.pop(transaction_id, None)

    def resolve(self, message: dict[str, Any]) -> None:
        """`rtmp.result` or `rtmp.error` came."""
        future = self._futures.pop(message["transaction_id"], None)
        if future is None or future.done():
            return
        if message["type"] == "rtmp.result":
            future.set_result(message["value"])
        else:
            future.set_exception(CallFailed.of(message["information"]))

    def close(self) -> None:
        """The connection ended: nothing will be answered."""
        self._closed = True
        self.on_open = _nothing
        futures, self._futures = self._futures, {}
        for future in futures.values():
            if not future.done():
                future.set_exception(ConnectionClosed("the connection closed before an answer"))


def _nothing() -> None:
    pass
