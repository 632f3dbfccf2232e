"""How a consumer's messages reach its handlers: two feeders, one bounded queue, one dispatcher.

Answers to the consumer's own calls never wait in the queue: a handler that awaits one would wait
for ever, since the dispatcher is busy with that handler.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from rtmp_channels.inbox import Inbox
from rtmp_channels.pending import PendingCalls

Message = dict[str, Any]

_FAILED = "feeder.failed"


class Pump:
    """Dispatches what client and channel layer send, one message at a time, as they arrive."""

    def __init__(
        self,
        *,
        dispatch: Callable[[Message], Awaitable[None]],
        refuse: Callable[[Message], Awaitable[None]],
        calls: PendingCalls,
        max_messages: int,
        max_bytes: int,
    ) -> None:
        self._dispatch = dispatch
        self._refuse = refuse
        self._calls = calls
        self._room = asyncio.Event()
        self._queue = Inbox(max_messages=max_messages, max_bytes=max_bytes, on_room=self._room.set)

    async def run(
        self,
        receive: Callable[[], Awaitable[Message]],
        receive_from_layer: Callable[[], Awaitable[Message]] | None,
    ) -> None:
        """Returns when `rtmp.disconnect` has been dispatched; raises what a handler raises."""
        feeders = [self._start(self._feed_from_client(receive))]
        if receive_from_layer is not None:
            feeders.append(self._start(self._feed_from_layer(receive_from_layer)))
        try:
            while True:
                message = await self._queue.get()
                if message["type"] == _FAILED:
                    raise message["error"]
                await self._dispatch(message)
                if message["type"] == "rtmp.disconnect":
                    return
        finally:
            for feeder in feeders:
                feeder.cancel()
            await asyncio.gather(*feeders, return_exceptions=True)

    def _start(self, feeding: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(self._watch(feeding))

    async def _watch(self, feeding: Coroutine[Any, Any, None]) -> None:
        try:
            await feeding
        except Exception as error:
            self._queue.put({"type": _FAILED, "error": error})

    async def _feed_from_client(self, receive: Callable[[], Awaitable[Message]]) -> None:
        queue, calls = self._queue, self._calls
        while True:
            message = await receive()
            kind = message["type"]
            if kind in {"rtmp.result", "rtmp.error"}:
                calls.resolve(message)
                continue
            if kind == "rtmp.disconnect":
                calls.close()
            elif kind == "rtmp.call" and queue.is_full and calls:
                # The answer that the handler waits for may be behind this call.
                await self._refuse(message)
                continue
            if queue.is_full:
                await self._wait_for_room()
            queue.put(message, message.get("size", 0))
            if kind == "rtmp.disconnect":
                return

    async def _feed_from_layer(self, receive: Callable[[], Awaitable[Message]]) -> None:
        while True:
            message = await receive()
            if self._queue.is_full:
                await self._wait_for_room()
            self._queue.put(message)

    async def _wait_for_room(self) -> None:
        while self._queue.is_full:
            self._room.clear()
            await self._room.wait()
