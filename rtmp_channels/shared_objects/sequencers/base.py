"""What a sequencer offers to the hub of each process."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, TypeAlias, TypeVar

from rtmp_channels.shared_objects.operations import Batch, Commit, ObjectKey, Outcome
from rtmp_channels.shared_objects.state import ObjectState

T = TypeVar("T")

Soon: TypeAlias = Awaitable[T] | T
"""A result that may be there already: the memory sequencer's always is, so that the events of a
call are written before its answer, in the same turn of the loop."""


async def arrived(result: Soon[T]) -> T:
    """The result, waited for if need be."""
    return await result if isinstance(result, Awaitable) else result


class Sequencer(Protocol):
    """The one authority over objects: it decides on batches, one after the other.

    Every method raises SequencerUnavailable when it cannot be asked.
    """

    shared: bool
    """Whether other processes, and code outside of the server, see the same objects."""

    def open(self, key: ObjectKey, *, persistent: bool, create: bool) -> Soon[ObjectState]:
        """This process uses the object from now on: its state, to follow as a replica.

        Raises SharedObjectRefused: it exists with the other persistence (BadPersistence), or does
        not exist and must not be created (ObjectCreationFailed). Twice is as good as once.
        """
        ...

    def close(self, key: ObjectKey) -> None:
        """This process does not use the object any more; a temporary one dies with its last."""
        ...

    def commit(self, key: ObjectKey, batch: Batch) -> Soon[Outcome]:
        """Decides on the batch. The object must be open."""
        ...

    def commits_since(self, key: ObjectKey, sequence: int) -> Soon[list[Commit] | None]:
        """The log after that sequence number, oldest first; None if it does not reach back."""
        ...
