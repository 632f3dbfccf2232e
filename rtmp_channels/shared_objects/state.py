"""A shared object's slots, versions and rules; no clients, no clock.

The sequencer's state decides (`commit`); a replica follows (`apply`). Both answer what has changed
since a version, for clients that come back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rtmp_channels.shared_objects.operations import (
    ACCEPTED,
    Answer,
    Batch,
    ClearSlots,
    Commit,
    EventKind,
    ObjectEvent,
    Operation,
    Outcome,
    RemoveSlot,
    Send,
    SetSlot,
    Verdict,
)
from rtmp_channels.shared_objects.rules import SharedObjectRules


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot, or what is remembered of a removed one."""

    value: bytes | None
    version: int
    """The object's version when it was last changed."""
    writer: str


VERSIONS_PER_LOSS = 65_536
"""An object that was lost begins so many versions later than what is known of it: what clients may
have seen of changes that are lost is not taken for changes made since."""


class SequenceGap(Exception):
    """A commit does not follow the last one applied: some are missing in between."""


class ObjectState:
    """One object, as of `sequence`."""

    def __init__(
        self,
        rules: SharedObjectRules,
        *,
        persistent: bool = False,
        version: int = 0,
        sequence: int = 0,
    ) -> None:
        self.rules = rules
        self.persistent = persistent
        self.version = version
        self.sequence = sequence
        self.first_version = version
        """The version it was made with: what a client knows from before that is another object."""
        self.forgotten = 0
        """The version of the last removals that left no tombstone."""
        self._slots: dict[str, Slot] = {}
        self._tombstones: dict[str, Slot] = {}
        self.size = 0
        """Bytes of keys and values."""

    def restore(
        self,
        slots: Mapping[str, Slot],
        tombstones: Mapping[str, Slot],
        *,
        first_version: int,
        forgotten: int,
    ) -> None:
        """Takes over what was kept elsewhere; tombstones in the order of their versions."""
        self.first_version = first_version
        self.forgotten = forgotten
        self._slots = dict(slots)
        self._tombstones = dict(tombstones)
        self.size = sum(_slot_bytes(key, slot) for key, slot in slots.items())

    def revived(self) -> ObjectState:
        """The same slots after a loss: nobody knows a version of it."""
        version = self.version + VERSIONS_PER_LOSS
        state = ObjectState(
            self.rules, persistent=self.persistent, version=version, sequence=self.sequence
        )
        slots = {key: Slot(value, version, "") for key, value in self.values()}
        state.restore(slots, {}, first_version=version, forgotten=0)
        return state

    def slots(self) -> Iterator[tuple[str, Slot]]:
        """All slots, with their versions."""
        return iter(self._slots.items())

    def tombstones(self) -> Iterator[tuple[str, Slot]]:
        """What is remembered of removed slots."""
        return iter(self._tombstones.items())

    def get(self, key: str) -> bytes | None:
        """The slot's value, or None."""
        slot = self._slots.get(key)
        return slot.value if slot is not None else None

    def values(self) -> Iterator[tuple[str, bytes]]:
        """All slots, in the order they were made."""
        for key, slot in self._slots.items():
            if slot.value is not None:
                yield key, slot.value

    def __len__(self) -> int:
        return len(self._slots)

    def __bool__(self) -> bool:
        return True  # an empty object is one, too

    def changes_since(self, version: int) -> list[tuple[str, bytes | None]] | None:
        """Slots changed or removed (None) after the version; None if that is not known in full."""
        if not max(self.first_version, self.forgotten) <= version <= self.version:
            return None
        known = {**self._slots, **self._tombstones}
        return [(key, slot.value) for key, slot in known.items() if slot.version > version]

    def commit(self, batch: Batch) -> Outcome:
        """Decides on a batch and carries it out: the version rises once, if at all."""
        if batch.if_version not in (None, self.version):
            lost = Answer(Verdict.LOST)
            return Outcome((lost,) * len(batch.operations), self.version, None)
        version = self.version + 1
        events: list[ObjectEvent] = []
        answers = []
        for operation in batch.operations:
            answer, event = self._decide(operation, batch)
            answers.append(answer)
            if event is not None:
                events.append(event)
                self._carry_out(event, version, batch.writer)
        if not events:
            return Outcome(tuple(answers), self.version, None)
        if all(event.kind is EventKind.SEND for event in events):
            version = self.version
        self.version = version
        self.sequence += len(events)
        commit = Commit(self.sequence, version, batch.writer, tuple(events))
        return Outcome(tuple(answers), version, commit)

    def apply(self, commit: Commit) -> bool:
        """Follows the sequencer; False if this was known already. Raises SequenceGap."""
        if commit.sequence <= self.sequence:
            return False
        if commit.previous_sequence != self.sequence:
            raise SequenceGap(f"{commit.previous_sequence} does not follow {self.sequence}")
        for event in commit.events:
            self._carry_out(event, commit.version, commit.writer)
        self.version = commit.version
        self.sequence = commit.sequence
        return True

    def _decide(self, operation: Operation, batch: Batch) -> tuple[Answer, ObjectEvent | None]:
        match operation:
            case SetSlot(key, value):
                return self._decide_set(key, value, batch)
            case RemoveSlot(key):
                present = key in self._slots
                return ACCEPTED, ObjectEvent(EventKind.REMOVE, key) if present else None
            case ClearSlots():
                return ACCEPTED, ObjectEvent(EventKind.CLEAR)
            case Send(data):
                if len(data) > self.rules.send_bytes:
                    return _refused(f"a send of {len(data)} bytes"), None
                return ACCEPTED, ObjectEvent(EventKind.SEND, data=data)

    def _decide_set(
        self, key: str, value: bytes | None, batch: Batch
    ) -> tuple[Answer, ObjectEvent | None]:
        current = self.get(key)
        if value == current:
            return ACCEPTED, None
        if self.rules.reject_lost_changes and self._missed_by(batch, self._last_change(key)):
            return Answer(Verdict.LOST, current), None
        reason = self._limit_against(key, value) if value is not None else ""
        if reason:
            return _refused(reason, current), None
        answer = Answer(Verdict.OVERRODE, value) if self._will_be_undone(key, batch) else ACCEPTED
        if value is None:
            return answer, ObjectEvent(EventKind.REMOVE, key)
        return answer, ObjectEvent(EventKind.CHANGE, key, value)

    def _last_change(self, key: str) -> Slot | None:
        return self._slots.get(key) or self._tombstones.get(key)

    def _missed_by(self, batch: Batch, slot: Slot | None) -> bool:
        """Whether another writer changed the slot, and this one did not know when it wrote."""
        if slot is None or batch.known_version is None:
            return False
        return slot.version > batch.known_version and slot.writer != batch.writer

    def _will_be_undone(self, key: str, batch: Batch) -> bool:
        """Whether the writer has yet to hear of something that will take its own value away."""
        if batch.known_version is None:
            return False
        slot = self._last_change(key)
        if slot is not None and slot.value is not None:
            return self._missed_by(batch, slot)
        return max(self.forgotten, slot.version if slot else 0) > batch.known_version

    def _limit_against(self, key: str, value: bytes) -> str:
        rules = self.rules
        key_bytes = _key_bytes(key)
        if key_bytes > rules.key_bytes:
            return f"a slot's name of {key_bytes} bytes ({rules.key_bytes} at most)"
        if len(value) > rules.value_bytes:
            return f"a value of {len(value)} bytes ({rules.value_bytes} at most)"
        current = self._slots.get(key)
        if current is None and len(self._slots) >= rules.slots:
            return f"the object has {rules.slots} slots, which is the most"
        if self.size - _slot_bytes(key, current) + key_bytes + len(value) > rules.object_bytes:
            return f"the object would exceed {rules.object_bytes} bytes"
        return ""

    def _carry_out(self, event: ObjectEvent, version: int, writer: str) -> None:
        match event.kind:
            case EventKind.CHANGE:
                self._put(event.key, Slot(event.data, version, writer))
            case EventKind.REMOVE:
                self._bury(event.key, Slot(None, version, writer))
            case EventKind.CLEAR:
                self._slots.clear()
                self._tombstones.clear()
                self.size = 0
                self.forgotten = version

    def _put(self, key: str, slot: Slot) -> None:
        self.size += _slot_bytes(key, slot) - _slot_bytes(key, self._slots.get(key))
        self._slots[key] = slot
        self._tombstones.pop(key, None)

    def _bury(self, key: str, tombstone: Slot) -> None:
        self.size -= _slot_bytes(key, self._slots.pop(key, None))
        self._tombstones.pop(key, None)
        self._tombstones[key] = tombstone
        if len(self._tombstones) > self.rules.tombstones:
            oldest = next(iter(self._tombstones))
            self.forgotten = self._tombstones.pop(oldest).version


def _refused(reason: str, value: bytes | None = None) -> Answer:
    return Answer(Verdict.REFUSED, value, reason)


def _key_bytes(key: str) -> int:
    return len(key.encode("utf-8", "surrogatepass"))


def _slot_bytes(key: str, slot: Slot | None) -> int:
    return 0 if slot is None else _key_bytes(key) + len(slot.value or b"")
