"""Persistent objects: written down some time after a change, read when they are first used.

A process that is killed loses what it has not written: at most `PERSIST_DELAY` seconds of changes,
with the memory sequencer. With the redis sequencer Redis has them still.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rtmp_channels.shared_objects.operations import ObjectKey
from rtmp_channels.shared_objects.refusals import SequencerUnavailable
from rtmp_channels.shared_objects.rules import SharedObjectRules
from rtmp_channels.shared_objects.state import ObjectState, Slot

logger = logging.getLogger(__name__)

OBJECTS_PER_WRITE = 100

LONGEST_PAUSE = 60.0
"""Seconds between attempts while the store fails."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as it is kept."""

    key: ObjectKey
    version: int
    slots: tuple[tuple[str, bytes], ...]
    """Values as everywhere here: encoded AMF."""


class Store(Protocol):
    """Where persistent objects are kept. Any exception means: not now."""

    def load(self, key: ObjectKey) -> Awaitable[StoredObject | None]:
        """The object, or None."""
        ...

    def save(self, objects: Sequence[StoredObject]) -> Awaitable[None]:
        """Keeps the objects, unless a newer version is there."""
        ...

    def close(self) -> None:
        """Nothing more will be asked."""


class Keeper:
    """Writes changed objects down behind the changes, and reads them."""

    def __init__(self, store: Store, rules: SharedObjectRules, *, delay: float) -> None:
        self._store = store
        self._rules = rules
        self._delay = delay
        self._changed: dict[ObjectKey, ObjectState] = {}
        """What is not written yet; a state may change further until it is."""
        self._task: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._is_failing = False
        self._writes = 0

    async def load(self, key: ObjectKey) -> ObjectState | None:
        """The object as it was last. Raises SequencerUnavailable when the store cannot be read."""
        while key not in self._changed:
            writes = self._writes
            try:
                stored = await self._store.load(key)
            except Exception as error:
                raise SequencerUnavailable(f"the store cannot be read: {error}") from error
            if writes == self._writes and key not in self._changed:
                return self._revive(stored) if stored is not None else None
        return self._changed[key]

    def _revive(self, stored: StoredObject) -> ObjectState:
        version = stored.version
        state = ObjectState(self._rules, persistent=True, version=version)
        slots = {slot: Slot(value, version, "") for slot, value in stored.slots}
        state.restore(slots, {}, first_version=version, forgotten=0)
        return state.revived()

    def changed(self, key: ObjectKey, state: ObjectState) -> None:
        """Has the object written down within the delay."""
        self._changed[key] = state
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._write_all())

    async def close(self) -> None:
        """Writes down what is not yet, in one attempt."""
        self._hurry.set()
        if self._task is not None:
            await self._task
        self._store.close()
        if self._changed:
            logger.error("%d shared objects could not be written down", len(self._changed))

    async def _write_all(self) -> None:
        pause = self._delay
        while self._changed:
            await self._wait(pause)
            has_failed = not await self._write_some()
            if has_failed and self._hurry.is_set():
                break
            pause = min(max(pause, 1.0) * 2, LONGEST_PAUSE) if has_failed else self._delay
        self._task = None

    async def _wait(self, pause: float) -> None:
        try:
            async with asyncio.timeout(pause):
                await self._hurry.wait()
        except TimeoutError:
            pass

    async def _write_some(self) -> bool:
        keys = list(self._changed)[:OBJECTS_PER_WRITE]
        objects = [_stored(key, self._changed[key]) for key in keys]
        try:
            await self._store.save(objects)
        except Exception as error:
            if not self._is_failing:
                self._is_failing = True
                logger.error("Shared objects cannot be written down now: %s", error)
            return False
        if self._is_failing:
            self._is_failing = False
            logger.info("Shared objects are written down again")
        self._writes += 1
        for stored in objects:
            if self._changed[stored.key].version == stored.version:
                del self._changed[stored.key]
        return True


def _stored(key: ObjectKey, state: ObjectState) -> StoredObject:
    return StoredObject(key, state.version, tuple(state.values()))
