"""Objects in this process's memory: for one process, or one that shares with no other."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from rtmp_channels.shared_objects.operations import Batch, ObjectKey
from rtmp_channels.shared_objects.refusals import (
    BAD_PERSISTENCE,
    OBJECT_CREATION_FAILED,
    SharedObjectRefused,
)
from rtmp_channels.shared_objects.rules import SharedObjectRules
from rtmp_channels.shared_objects.sequencers.base import Exchange
from rtmp_channels.shared_objects.state import ObjectState

_FIRST_VERSIONS = 1 << 30


class MemorySequencer:
    """Decides at once; nothing here ever waits."""

    shared = False

    def __init__(self, rules: SharedObjectRules, *, first_version: int | None = None) -> None:
        """`first_version` is a new object's; by default it differs from one start to the next.

        A client that comes back tells the version it knows. An object that has died and was made
        anew, here or after a restart, must not take that for a version of its own.
        """
        self._rules = rules
        self._next_version = (
            secrets.randbelow(_FIRST_VERSIONS) + 1 if first_version is None else first_version
        )
        self._objects: dict[ObjectKey, ObjectState] = {}

    def open(
        self, key: ObjectKey, *, persistent: bool, create: bool, seed: ObjectState | None = None
    ) -> ObjectState:
        state = self._objects.get(key)
        if state is None:
            state = seed or self._make(persistent=persistent, create=create)
            self._objects[key] = state
        if state.persistent is not persistent:
            raise SharedObjectRefused(BAD_PERSISTENCE, "it exists with the other persistence")
        return state

    def close(self, key: ObjectKey) -> None:
        state = self._objects.pop(key, None)
        if state is not None:
            self._next_version = max(self._next_version, state.version + 1)

    def exchange(self, key: ObjectKey, since: int, batches: Sequence[Batch]) -> Exchange:
        state = self._objects[key]
        return Exchange((), [state.commit(batch) for batch in batches])

    def restore(self, key: ObjectKey, replica: ObjectState) -> ObjectState:
        return self._objects[key]

    def heads(self, keys: Sequence[ObjectKey]) -> Sequence[int | None]:
        return [self._objects[key].sequence for key in keys]

    async def finish(self) -> None:
        self._objects.clear()

    def _make(self, *, persistent: bool, create: bool) -> ObjectState:
        if not create:
            raise SharedObjectRefused(OBJECT_CREATION_FAILED, "there is no such object")
        return ObjectState(self._rules, persistent=persistent, version=self._next_version)
