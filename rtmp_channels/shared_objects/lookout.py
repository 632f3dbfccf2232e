"""How processes learn that others have committed: a hint through the channel layer, and a watch.

A hint tells how far an object has come, and small commits as they are, so that who has all before
them need not ask. The log is the sequencer's: after a gap it is read. Hints may be lost, the last
one too: so the heads of all open objects are compared with the sequencer's once a second.

```
b"<sequence number, decimal>\n" + the sequencer's packed commits, or nothing
```
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass

from rtmp_channels.relay import ChannelLayer, Relay
from rtmp_channels.shared_objects.operations import Commit, ObjectKey, object_group
from rtmp_channels.shared_objects.refusals import SequencerUnavailable
from rtmp_channels.shared_objects.sequencers.base import FAREWELL, SharedSequencer, arrived
from rtmp_channels.shared_objects.turns import Turns

logger = logging.getLogger(__name__)

WATCH_INTERVAL = 1.0
"""Seconds between looks at the heads: how late an event may be of which no hint came."""

KEYS_PER_LOOK = 500
"""Objects whose heads are asked for at once."""


NEWS_BYTES = 16_384
"""A hint on more than that tells only that it is there."""


@dataclass(slots=True)
class _Hint:
    """What other processes are to be told of an object."""

    sequence: int = 0
    news: bytes | None = b""
    """None: it is too much."""

    def add(self, sequence: int, news: bytes) -> None:
        self.sequence = sequence
        if self.news is not None:
            joined = self.news + news
            self.news = joined if len(joined) <= NEWS_BYTES else None

    def body(self) -> bytes:
        return b"%d\n%b" % (self.sequence, self.news or b"")


class Lookout:
    """Has objects look at the log when there is something to see."""

    def __init__(
        self,
        sequencer: SharedSequencer,
        objects: Mapping[ObjectKey, Turns],
        *,
        layer: ChannelLayer | None,
    ) -> None:
        self._sequencer = sequencer
        self._objects = objects
        self._relay = Relay(layer, self._heard) if layer is not None else None
        self._keys: dict[str, ObjectKey] = {}
        self._hints: dict[ObjectKey, _Hint] = {}
        self._tasks: dict[Callable[..., object], asyncio.Task[None]] = {}
        self.is_sequencer_away = False
        """Whether it did not answer when it was last asked for the heads."""

    async def follow(self, key: ObjectKey) -> None:
        """Listens for hints on the object; on return, none will be missed that need not be."""
        self._keep_running(self._watch)
        self._keys[object_group(key)] = key
        if self._relay is not None:
            await self._relay.follow(object_group(key))

    def unfollow(self, key: ObjectKey) -> None:
        """The object is closed here."""
        self._keys.pop(object_group(key), None)
        if self._relay is not None:
            self._relay.unfollow(object_group(key))

    def committed(self, turns: Turns, commits: Sequence[Commit]) -> None:
        """Tells the other processes."""
        if self._relay is not None:
            key = turns.fanout.key
            # Packed now: the object may be another one by the time the hint is sent.
            news = self._sequencer.pack_news(key, commits)
            self._hints.setdefault(key, _Hint()).add(commits[-1].sequence, news)
            self._keep_running(self._send)

    async def close(self) -> None:
        """Sends what is to be sent, ends the tasks and leaves the layer."""
        sending = self._tasks.get(self._send)
        if sending is not None and not self.is_sequencer_away:
            await asyncio.wait([sending], timeout=FAREWELL)
        tasks, self._tasks = tuple(self._tasks.values()), {}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=FAREWELL)
        if self._relay is not None:
            await self._relay.close()

    def _keep_running(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        if work not in self._tasks or self._tasks[work].done():
            self._tasks[work] = asyncio.get_running_loop().create_task(work())

    def _heard(self, group: str, body: bytes) -> None:
        key = self._keys.get(group)
        turns = self._objects.get(key) if key is not None else None
        if key is None or turns is None:
            return
        sequence, _, news = body.partition(b"\n")
        if int(sequence) > turns.fanout.delivered:
            turns.hear(int(sequence), self._sequencer.unpack_news(key, news) if news else ())

    async def _send(self) -> None:
        while self._hints and self._relay is not None:
            key = next(iter(self._hints))
            await self._relay.send(object_group(key), self._hints.pop(key).body())

    async def _watch(self) -> None:
        # Until closed: a Redis client of Python 3.11 has been seen to swallow a cancellation.
        while self._tasks and (self._objects or self._keys):
            await asyncio.sleep(WATCH_INTERVAL)
            keys = tuple(self._objects)
            for start in range(0, len(keys), KEYS_PER_LOOK):
                await self._compare(keys[start : start + KEYS_PER_LOOK])
        self.is_sequencer_away = False  # nobody asks any more: the next use will tell

    async def _compare(self, keys: tuple[ObjectKey, ...]) -> None:
        try:
            heads = await arrived(self._sequencer.heads(keys))
        except SequencerUnavailable as error:
            self._sequencer_went(error)
            return
        self._sequencer_came_back()
        for key, head in zip(keys, heads, strict=True):
            turns = self._objects.get(key)
            if turns is not None and head != turns.fanout.delivered:
                turns.look()

    def _sequencer_went(self, error: SequencerUnavailable) -> None:
        if self.is_sequencer_away:
            return
        self.is_sequencer_away = True
        logger.error("Shared objects cannot be changed until the sequencer answers: %s", error)
        for turns in tuple(self._objects.values()):
            turns.sequencer_went()

    def _sequencer_came_back(self) -> None:
        if not self.is_sequencer_away:
            return
        self.is_sequencer_away = False
        logger.info("The sequencer of shared objects answers again")
        for turns in tuple(self._objects.values()):
            turns.sequencer_came_back()
