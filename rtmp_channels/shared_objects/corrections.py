"""What one writer has been told of its slots, so that an acknowledgement is enough only if it is.

A Flash client shows its own change at once and takes event 5 for "it stays so". But a correction
(4 or 9) that answers an earlier change may still be on its way, and will undo what is shown. Since
a correction does not raise the version, nothing the client sends tells whether it has arrived.
"""

from __future__ import annotations

from rtmp_channels.shared_objects.operations import (
    Answer,
    Operation,
    RemoveSlot,
    SetSlot,
    Verdict,
)

LIMIT = 1_024
"""Slots remembered one by one; beyond that, all slots are held to be corrected."""


class Corrections:
    """The corrections sent to one writer for one object."""

    __slots__ = ("_of_all", "_of_slots")

    def __init__(self) -> None:
        self._of_slots: dict[str, int] = {}
        self._of_all = -1

    def answer(self, operation: Operation, answer: Answer, *, known: int, before: int) -> Answer:
        """The answer, with the value told where an acknowledgement is not enough.

        `known` is the version that the writer had seen, `before` the highest that it can know
        without having got this answer.
        """
        if isinstance(operation, SetSlot) and answer.verdict is Verdict.ACCEPTED:
            if not self._may_be_under_way(operation.key, known):
                return answer
            answer = Answer(Verdict.OVERRODE, operation.value)
        if isinstance(operation, SetSlot | RemoveSlot):
            self._note(operation.key, before)
        return answer

    def note_all(self, version: int) -> None:
        """The writer is told all slots, under this version: what it shows of its own is undone."""
        self._of_all = version

    def _may_be_under_way(self, key: str, known: int) -> bool:
        return known <= max(self._of_slots.get(key, -1), self._of_all)

    def _note(self, key: str, before: int) -> None:
        self._of_slots[key] = before
        if len(self._of_slots) > LIMIT:
            self._of_slots.clear()
            self._of_all = max(self._of_all, before)
