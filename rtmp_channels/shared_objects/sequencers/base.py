"""What a sequencer offers to the hub of each process."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar, runtime_checkable

from rtmp_channels.shared_objects.operations import Batch, Commit, ObjectKey, Outcome
from rtmp_channels.shared_objects.state import ObjectState

T = TypeVar("T")

FAREWELL = 2.0
"""Seconds for what is under way with the sequencer, or has to be told to it, when a hub closes."""

Soon: TypeAlias = Awaitable[T] | T
"""A result that may be there already: the memory sequencer's always is, so that the events of a
call are written before its answer, in the same turn of the loop."""


async def arrived(result: Soon[T]) -> T:
    """The result, waited for if need be."""
    return await result if isinstance(result, Awaitable) else result


class LogLost(Exception):
    """The log does not reach back, or the object is not the one we know: `restore` it."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What happened before our batches, and what became of them."""

    missed: Sequence[Commit]
    """Everything committed after what we knew, oldest first."""
    outcomes: Sequence[Outcome]
    """One per batch, in their order: they follow what was missed, with nothing in between."""


class Sequencer(Protocol):
    """The one authority over objects: it decides on batches, one after the other.

    Every method that asks it raises SequencerUnavailable when it cannot be asked.
    """

    shared: bool
    """Whether other processes, and code outside of the server, see the same objects."""

    def open(
        self, key: ObjectKey, *, persistent: bool, create: bool, seed: ObjectState | None = None
    ) -> Soon[ObjectState]:
        """This process uses the object from now on: its state, to follow as a replica.

        An object that does not exist begins as `seed`, which was kept elsewhere, or empty.
        Raises SharedObjectRefused: it exists with the other persistence (BadPersistence), or does
        not exist and must not be created (ObjectCreationFailed). Twice is as good as once.
        """
        ...

    def close(self, key: ObjectKey) -> None:
        """This process does not use the object any more; a temporary one dies with its last."""
        ...

    def exchange(self, key: ObjectKey, since: int, batches: Sequence[Batch]) -> Soon[Exchange]:
        """Tells what was committed after the sequence number `since`, then decides on batches.

        The object must be open. Raises LogLost, having decided on nothing.
        """
        ...

    def restore(self, key: ObjectKey, replica: ObjectState) -> Soon[ObjectState]:
        """The object as it is; if the sequencer has lost it, first made anew from the replica."""
        ...

    def heads(self, keys: Sequence[ObjectKey]) -> Soon[Sequence[int | None]]:
        """The last sequence numbers, None for what is lost: to notice that nothing was heard."""
        ...

    async def finish(self) -> None:
        """Gives up connections, after all objects were closed."""


@runtime_checkable
class SharedSequencer(Sequencer, Protocol):
    """One that other processes ask, too: what they commit may be told without asking it."""

    def pack_news(self, key: ObjectKey, commits: Sequence[Commit]) -> bytes:
        """Commits for other processes."""
        ...

    def unpack_news(self, key: ObjectKey, news: bytes) -> Sequence[Commit]:
        """What another process has packed; nothing if that was of another object of that name:
        one that was lost, or died, and was made anew."""
        ...
