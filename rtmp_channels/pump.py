"""How a consumer's messages reach its handlers: one dispatcher, in the order they arrive.

Answers to the consumer's own calls never wait for their turn: a handler that awaits one would wait
for ever, since the dispatcher is busy with that handler. So while a call of ours is unanswered, a
feeder takes what the client sends: answers at once, the rest into a bounded queue. Whoever hears
the channel layer has two feeders from the start; all others have none until their first call.
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
        calls.on_open = self._feed_while_dispatching
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        # The next two are made for the first feeder, which most connections never have.
        self._room: asyncio.Event
        self._queue: Inbox
        self._receive: Callable[[], Awaitable[Message]]
        self._feeders: list[asyncio.Task[None]] = []
        self._is_dispatching = False

    async def run(
        self,
        receive: Callable[[], Awaitable[Message]],
        receive_from_layer: Callable[[], Awaitable[Message]] | None,
    ) -> None:
        """Returns when `rtmp.disconnect` has been dispatched; raises what a handler raises."""
        self._receive = receive
        if receive_from_layer is not None:
            self._feed()
            self._start(self._feed_from_layer(receive_from_layer))
        try:
            while True:
                if self._feeders:
                    message = await self._queue.get()
                    if message["type"] == _FAILED:
                        raise message["error"]
                else:
                    message = await self._receive()
                    if self._settles(message):
                        continue
                self._is_dispatching = True
                if self._calls:  # of a concurrent handler
                    self._feed()
                await self._dispatch(message)
                self._is_dispatching = False
                if message["type"] == "rtmp.disconnect":
                    return
        finally:
            await self._stop_feeding()

    def _settles(self, message: Message) -> bool:
        """Whether the message was about our own calls only."""
        kind = message["type"]
        if kind == "rtmp.result" or kind == "rtmp.error":  # noqa: PLR1714 - twice as fast as `in`
            self._calls.resolve(message)
            return True
        if kind == "rtmp.disconnect":
            self._calls.close()
        return False

    def _feed_while_dispatching(self) -> None:
        """A call of ours was made; else the dispatcher itself takes its answer."""
        if self._feeders:
            self._room.set()  # one that waits with a call in its hand looks again
        if self._is_dispatching:
            self._feed()

    def _feed(self) -> None:
        if not self._feeders:
            self._start(self._feed_from_client())

    async def _stop_feeding(self) -> None:
        for feeder in self._feeders:
            feeder.cancel()
        if self._feeders:
            await asyncio.gather(*self._feeders, return_exceptions=True)

    def _start(self, feeding: Coroutine[Any, Any, None]) -> None:
        if not self._feeders:
            self._room = asyncio.Event()
            self._queue = Inbox(
                max_messages=self._max_messages,
                max_bytes=self._max_bytes,
                on_room=self._room.set,
            )
        loop = asyncio.get_running_loop()
        self._feeders.append(loop.create_task(self._watch(feeding)))

    async def _watch(self, feeding: Coroutine[Any, Any, None]) -> None:
        try:
            await feeding
        except Exception as error:
            self._queue.put({"type": _FAILED, "error": error})

    async def _feed_from_client(self) -> None:
        queue = self._queue
        while True:
            message = await self._receive()
            if self._settles(message):
                continue
            kind = message["type"]
            if queue.is_full:
                await self._wait_for_room(is_call=kind == "rtmp.call")
                if queue.is_full:
                    await self._refuse(message)
                    continue
            queue.put(message, message.get("size", 0))
            if kind == "rtmp.disconnect":
                return

    async def _feed_from_layer(self, receive: Callable[[], Awaitable[Message]]) -> None:
        while True:
            message = await receive()
            if self._queue.is_full:
                await self._wait_for_room()
            self._queue.put(message)

    async def _wait_for_room(self, *, is_call: bool = False) -> None:
        """Not with a call in hand: the answer that a handler waits for may be behind it."""
        while self._queue.is_full and not (is_call and self._calls):
            self._room.clear()
            await self._room.wait()
