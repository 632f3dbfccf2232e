"""Objects in this process's memory: for one process, or one that shares with no other."""

from __future__ import annotations

import secrets
from collections import deque

from rtmp_channels.shared_objects.operations import Batch, Commit, ObjectKey, Outcome
from rtmp_channels.shared_objects.refusals import (
    BAD_PERSISTENCE,
    OBJECT_CREATION_FAILED,
    SharedObjectRefused,
)
from rtmp_channels.shared_objects.rules import SharedObjectRules
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
        self._objects: dict[ObjectKey, _Entry] = {}

    def open(self, key: ObjectKey, *, persistent: bool, create: bool) -> ObjectState:
        entry = self._objects.get(key)
        if entry is None:
            entry = self._objects[key] = self._make(persistent=persistent, create=create)
        if entry.state.persistent is not persistent:
            raise SharedObjectRefused(BAD_PERSISTENCE, "it exists with the other persistence")
        return entry.state

    def close(self, key: ObjectKey) -> None:
        entry = self._objects.pop(key, None)
        if entry is not None:
            self._next_version = max(self._next_version, entry.state.version + 1)

    def commit(self, key: ObjectKey, batch: Batch) -> Outcome:
        entry = self._objects[key]
        outcome = entry.state.commit(batch)
        if outcome.commit is not None:
            entry.log.append(outcome.commit)
        return outcome

    def commits_since(self, key: ObjectKey, sequence: int) -> list[Commit] | None:
        entry = self._objects[key]
        missing = [commit for commit in entry.log if commit.sequence > sequence]
        first = missing[0].previous_sequence if missing else entry.state.sequence
        return missing if first <= sequence else None

    def _make(self, *, persistent: bool, create: bool) -> _Entry:
        if not create:
            raise SharedObjectRefused(OBJECT_CREATION_FAILED, "there is no such object")
        if persistent:
            raise SharedObjectRefused(BAD_PERSISTENCE, "nothing here keeps persistent objects")
        return _Entry(ObjectState(self._rules, version=self._next_version), self._rules.log_length)


class _Entry:
    __slots__ = ("log", "state")

    def __init__(self, state: ObjectState, log_length: int) -> None:
        self.state = state
        self.log: deque[Commit] = deque(maxlen=log_length)
