"""Tells the database, in batches, who is connected to this process and that it lives."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rtmp_channels.connections.facts import Facts
from rtmp_channels.counters import counters

logger = logging.getLogger(__name__)

EARLY = 1.0
"""Seconds from a connect or an end to its being written, if the next beat is not sooner."""


class Source(Protocol):
    """Where the facts come from: a roster."""

    def listed(self) -> Collection[str]:
        """The ids of the connections that are to be listed."""

    def facts(self, connection_id: str) -> Facts:
        """What is known of one of them."""


@dataclass(slots=True)
class Beat:
    """What one beat writes."""

    interval: float
    """Seconds until the next one, if nothing happens."""
    connections: int
    new: Sequence[Facts] = field(default=(), repr=False)
    """Connections that were not written yet, or whose user is gone since: they replace a row."""
    changed: Sequence[Facts] = field(default=(), repr=False)
    """Others of which round-trip time or bytes have changed."""
    gone: Sequence[str] = ()
    """Ids of those that are over."""
    counters: Mapping[str, int] = field(default_factory=dict)


class Store(Protocol):
    """Where beats are written."""

    async def write(self, beat: Beat) -> bool:
        """Writes a beat; whether the process was known, and with it what was written before."""

    async def leave(self) -> None:
        """The process ends in order: nothing is left of it."""


class Heartbeat:
    """Beats every `interval` seconds, and a little after a connection begins or ends.

    A store that fails is logged once, and tried again with the next beat. Nothing queues up:
    a beat writes the difference between what is and what was last written.
    """

    def __init__(self, source: Source, store: Store, *, interval: float) -> None:
        self._source = source
        self._store = store
        self._interval = interval
        self._written: dict[str, Facts] = {}
        self._changed = asyncio.Event()
        self._is_failing = False
        self._task = asyncio.get_running_loop().create_task(self._run(), name="rtmp heartbeat")

    def changed(self) -> None:
        """A connection began or ended."""
        self._changed.set()

    async def close(self) -> None:
        """The last beat: the process is gone from the list."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        try:
            await self._store.leave()
        except Exception as error:
            logger.warning("This process stays in the list of connections for a while: %s", error)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        next_full = loop.time()
        while True:
            is_full = loop.time() >= next_full
            await self._beat(full=is_full)
            if is_full:
                next_full = loop.time() + self._interval
            await self._wait(next_full - loop.time())

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
                await asyncio.sleep(EARLY)
        except TimeoutError:
            pass
        self._changed.clear()

    async def _beat(self, *, full: bool) -> None:
        try:
            await self._write(self._difference(full=full))
        except Exception as error:
            if not self._is_failing:
                self._is_failing = True
                logger.warning("The list of connections cannot be written (migrate?): %s", error)
        else:
            if self._is_failing:
                self._is_failing = False
                logger.info("The list of connections is written again")

    def _difference(self, *, full: bool) -> Beat:
        listed, written, facts = self._source.listed(), self._written, self._source.facts
        known = [one for one in listed if one in written] if full else []
        new = [facts(one) for one in listed if one not in written]
        changed = []
        for one in known:
            now, before = facts(one), written[one]
            if now.user != before.user:
                new.append(now)
            elif now != before:
                changed.append(now)
        return Beat(
            self._interval,
            connections=len(listed),
            new=new,
            changed=changed,
            gone=[one for one in written if one not in listed],
            counters=counters.snapshot(),
        )

    async def _write(self, beat: Beat) -> None:
        if not await self._store.write(beat):
            self._written.clear()  # others took us for dead: all of it again
            beat = self._difference(full=True)
            await self._store.write(beat)
        for facts in (*beat.new, *beat.changed):
            self._written[facts.connection_id] = facts
        for one in beat.gone:
            self._written.pop(one, None)
