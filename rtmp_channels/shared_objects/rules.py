"""What a shared object may hold, and how disputes end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedObjectRules:
    """Limits, and the policy for lost changes; bytes are those on the wire.

    A change beyond a limit is refused with `SharedObject.NoWriteAccess`, a use with
    `SharedObject.ObjectCreationFailed`.
    """

    objects_per_connection: int = 64
    """Objects that one connection uses at a time."""

    name_bytes: int = 255
    """An object's name, in UTF-8."""

    key_bytes: int = 255
    """A slot's name, in UTF-8."""

    value_bytes: int = 65_536
    """A slot's value, encoded."""

    slots: int = 1_024
    """Slots of one object."""

    object_bytes: int = 1_048_576
    """All keys and values of one object."""

    send_bytes: int = 65_536
    """One `send`: its handler's name and arguments, encoded."""

    operations_per_message: int = 256
    """Changes, removals, clears and sends in one message of a client."""

    tick_ms: int = 0
    """Milliseconds over which events are gathered for those who only read; 0: told at once. A
    writer's answers never wait."""

    operations_per_second: int = 5_000
    """Of one connection, on average; as many may come at once."""

    waiting_messages: int = 256
    """Messages of one connection that wait for grants or the sequencer; closed beyond that."""

    waiting_bytes: int = 1_048_576
    """What those messages hold, in keys and values."""

    tombstones: int = 1_024
    """Removed slots remembered for clients that come back; a full state is sent beyond that."""

    log_length: int = 1_024
    """Commits that the sequencer's log keeps."""

    reject_lost_changes: bool = True
    """Whether a change is lost to one of another writer that the sender had not seen yet: it gets
    the winning value instead of its acknowledgement. False: the last one wins."""

    without_sequencer: Literal["read_only", "refuse"] = "read_only"
    """What objects are while the sequencer, another process, does not answer: "read_only", as they
    were, also for new users where others have them in use; "refuse", nobody is shown what may be
    old."""
