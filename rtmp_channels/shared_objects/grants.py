"""What the application lets one connection do with one object."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Changed:
    """What a client changed."""

    name: str
    """The object's."""
    slots: Mapping[str, Any]
    """The new values; None: removed."""
    cleared: bool = False
    """Whether all other slots are gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The answer to a use; later changes are held against it without asking again."""

    read: bool = True
    """False refuses the use: `SharedObject.NoReadAccess`."""

    create: bool = True
    """False refuses the use of an object that does not exist: `ObjectCreationFailed`."""

    write: bool = True
    """False refuses changes, removals and clears: `SharedObject.NoWriteAccess`."""

    send: bool = True
    """False refuses sends: `SharedObject.NoWriteAccess`."""

    validate: Callable[[str, Any], bool] | None = None
    """Called with the slot's name and its new value (None: to be removed) before each change, and
    for every slot before a clear. False, or an exception, refuses; it must not block."""

    on_change: Callable[[Changed], None] | None = None
    """Called once for every message of this client that changed something, as soon as that is
    decided, in the process that has the connection; it must not block."""


@dataclass(frozen=True, slots=True)
class UseRequest:
    """What the application is asked when a connection wants to use an object."""

    name: str
    persistent: bool
    """Whether the object is to outlive its users."""


Authorise = Callable[[UseRequest], Awaitable[Grant]]
"""Asks the application; raises `SharedObjectRefused` to refuse with a code of its own."""
