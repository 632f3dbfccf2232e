"""A hub's line to the same hub of other processes: one channel of a channel layer, many groups.

The layer's message is small and stable, so that code outside of the server can send it too:

```
{"type": "rtmp.relay", "group": "room.<32 hex digits>", "origin": "<16 hex digits>", "body": b"…"}
```
`origin` names the sending relay: a relay ignores its own echo. What `body` holds is the hub's
affair. A layer delivers at most once; whoever needs more must be able to notice a loss.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

logger = logging.getLogger(__name__)

MESSAGE_TYPE = "rtmp.relay"

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
"""Seconds between attempts while the layer fails: doubled each time, up to this."""

ATTEMPT_TIMEOUT = 2.0
"""Seconds one round of group_add and group_discard, or one group_send, may take."""

RENEWAL = 3600.0
"""Seconds after which groups are joined again: some layers expire memberships after a day."""


class ChannelLayer(Protocol):
    """The part of Channels' layer API that a relay uses."""

    async def new_channel(self, prefix: str = ...) -> str: ...

    async def receive(self, channel: str) -> dict[str, Any]: ...

    async def group_add(self, group: str, channel: str) -> None: ...

    async def group_discard(self, group: str, channel: str) -> None: ...

    async def group_send(self, group: str, message: dict[str, Any]) -> None: ...


def group_name(kind: str, name: str) -> str:
    """The layer's group for `name`: layers allow 100 characters of `[A-Za-z0-9-_.]` only."""
    return f"{kind}.{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def relay_message(group: str, body: bytes, *, origin: str) -> dict[str, Any]:
    """The message that a relay sends through the layer's group."""
    return {"type": MESSAGE_TYPE, "group": group, "origin": origin, "body": body}


class Relay:
    """Follows groups of a channel layer through one channel and hands on what others send.

    A failing layer never raises here: it is logged once, tried again with growing pauses, and
    membership is restored as soon as it answers.
    """

    def __init__(self, layer: ChannelLayer, deliver: Callable[[str, bytes], None]) -> None:
        self.origin = secrets.token_hex(8)
        self._layer = layer
        self._deliver = deliver
        self._channel: str | None = None
        self._wanted: set[str] = set()
        self._joined: set[str] = set()
        self._changed = asyncio.Event()
        self._waiters: list[asyncio.Future[None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._failing = False

    async def follow(self, group: str) -> None:
        """Joins the group; returns when the layer has it, or it is clear that it has not now.

        While the layer fails or is silent, nobody waits for it longer than ATTEMPT_TIMEOUT.
        """
        self._wanted.add(group)
        if group in self._joined:
            return
        self._start()
        self._changed.set()
        if self._failing:
            return
        attempt: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(attempt)
        await asyncio.wait([attempt], timeout=ATTEMPT_TIMEOUT)
        if attempt in self._waiters:
            self._waiters.remove(attempt)

    def unfollow(self, group: str) -> None:
        """Leaves the group, soon."""
        self._wanted.discard(group)
        self._changed.set()

    async def send(self, group: str, body: bytes) -> None:
        """Sends to the group's other processes; a failing layer loses it, logged once."""
        message = relay_message(group, body, origin=self.origin)
        try:
            async with asyncio.timeout(ATTEMPT_TIMEOUT):
                await self._layer.group_send(group, message)
        except Exception as error:
            self._failed("send", error)
        else:
            self._recovered()

    async def close(self) -> None:
        """Ends the tasks and leaves all groups, within ATTEMPT_TIMEOUT."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=ATTEMPT_TIMEOUT)
        self._wanted.clear()
        with suppress(Exception):
            async with asyncio.timeout(ATTEMPT_TIMEOUT):
                await self._abandon_channel()
        self._release_waiters()

    def _start(self) -> None:
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._receive(), name="rtmp relay: receive"),
                asyncio.create_task(self._keep_membership(), name="rtmp relay: membership"),
            ]

    async def _receive(self) -> None:
        pause = FIRST_PAUSE
        while self._tasks:  # until closed: layers have been seen to swallow a cancellation
            try:
                if self._channel is None:
                    async with asyncio.timeout(ATTEMPT_TIMEOUT):
                        self._channel = await self._layer.new_channel("rtmp.")
                    self._changed.set()
                message = await self._layer.receive(self._channel)
            except Exception as error:
                self._failed("receive", error)
                with suppress(Exception):
                    await self._abandon_channel()
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                pause = FIRST_PAUSE
                self._recovered()
                self._accept(message)

    def _accept(self, message: dict[str, Any]) -> None:
        if message.get("type") != MESSAGE_TYPE or message.get("origin") == self.origin:
            return
        try:
            self._deliver(message["group"], message["body"])
        except Exception:
            logger.exception("A message of the channel layer could not be delivered")

    async def _keep_membership(self) -> None:
        pause = FIRST_PAUSE
        while self._tasks:
            try:
                async with asyncio.timeout(RENEWAL):  # wait_for of Python 3.11 may lose a cancel
                    await self._changed.wait()
            except TimeoutError:
                self._joined = set()
            self._changed.clear()
            if self._channel is None:
                continue
            waiters, self._waiters = self._waiters, []
            try:
                async with asyncio.timeout(ATTEMPT_TIMEOUT):
                    has_answered = await self._settle(self._channel)
            except Exception as error:
                self._failed("join", error)
                _resolve(waiters)
                self._changed.set()
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                pause = FIRST_PAUSE
                if has_answered:
                    self._recovered()
                _resolve(waiters)

    async def _settle(self, channel: str) -> bool:
        """Makes the layer's membership what is wanted now; whether that took asking it."""
        joined = self._joined  # replaced, not emptied, when the channel is abandoned meanwhile
        has_asked = False
        for group in self._wanted - joined:
            await self._layer.group_add(group, channel)
            joined.add(group)
            has_asked = True
        for group in joined - self._wanted:
            if group not in self._wanted:  # it may be wanted again by now
                joined.discard(group)  # first, so that a `follow` meanwhile joins again
                await self._layer.group_discard(group, channel)
                has_asked = True
        return has_asked

    async def _abandon_channel(self) -> None:
        """A channel that failed may be half-subscribed: leave it, and join with a new one."""
        channel, self._channel = self._channel, None
        joined, self._joined = self._joined, set()
        self._release_waiters()
        if channel is not None:
            for group in joined:
                await self._layer.group_discard(group, channel)

    def _release_waiters(self) -> None:
        waiters, self._waiters = self._waiters, []
        _resolve(waiters)

    def _failed(self, attempt: str, error: Exception) -> None:
        if not self._failing:
            self._failing = True
            logger.warning(
                "The channel layer fails (%s: %s): other processes hear nothing until it answers",
                attempt,
                error or type(error).__name__,
            )

    def _recovered(self) -> None:
        if self._failing:
            self._failing = False
            logger.info("The channel layer answers again")


def _resolve(waiters: list[asyncio.Future[None]]) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)
