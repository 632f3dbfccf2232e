"""Refusals, with the codes that clients know (event 7, Status)."""

from __future__ import annotations

NO_READ_ACCESS = "SharedObject.NoReadAccess"
NO_WRITE_ACCESS = "SharedObject.NoWriteAccess"
OBJECT_CREATION_FAILED = "SharedObject.ObjectCreationFailed"
BAD_PERSISTENCE = "SharedObject.BadPersistence"


class SharedObjectError(Exception):
    """Root of what this package raises."""


class SharedObjectRefused(SharedObjectError):
    """A use that is not to be: `code` goes to the client, `reason` to the log."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


class SequencerUnavailable(SharedObjectError):
    """The sequencer cannot be asked now; nothing was changed as far as we know."""
