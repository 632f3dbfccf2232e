"""One object per running event loop: hubs are made lazily, since daphne has no lifespan."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, Protocol, TypeAlias, TypeVar
from weakref import WeakKeyDictionary, ref


class Closable(Protocol):
    """What a `LoopLocal` holds."""

    async def close(self) -> None:
        """Ends tasks and gives up what others hold for us; more than once is harmless."""


T = TypeVar("T", bound=Closable)

_LoopReference: TypeAlias = Callable[[], asyncio.AbstractEventLoop | None]


def _no_loop() -> None:
    """A reference to none."""


class LoopLocal(Generic[T]):
    """Makes one object per event loop on first use and closes it at shutdown.

    A process may run several loops one after the other (tests) or side by side (threads); what
    belongs to one loop must not be touched from another.
    """

    def __init__(self, factory: Callable[[], T]) -> None:
        self._factory = factory
        self._objects: WeakKeyDictionary[asyncio.AbstractEventLoop, T] = WeakKeyDictionary()
        self._last: tuple[_LoopReference, T | None] = (_no_loop, None)
        """What was found last: a process has one loop, mostly, which asks all the time."""

    def get(self) -> T:
        """The running loop's object, made now if there is none; RuntimeError without a loop."""
        last, found = self._last
        if found is not None and last() is asyncio.get_running_loop():
            return found
        found = self.peek()
        if found is None:
            found = self._objects[asyncio.get_running_loop()] = self._factory()
        return found

    def peek(self) -> T | None:
        """The running loop's object, or None if nobody has asked for it yet."""
        loop = asyncio.get_running_loop()
        last, found = self._last
        if last() is not loop:
            found = self._objects.get(loop)
            if found is not None:
                self._last = ref(loop), found
        return found

    def all(self) -> list[T]:
        """The objects of all loops, to look at; from any thread."""
        return list(self._objects.values())

    def elsewhere(self) -> list[tuple[asyncio.AbstractEventLoop, T]]:
        """The objects of other loops, for `loop.call_soon_threadsafe`; from any thread."""
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        found = list(self._objects.items())
        return [(loop, one) for loop, one in found if loop is not here and loop.is_running()]

    async def close(self) -> None:
        """Closes the running loop's object, if any; the next `get` makes a new one."""
        self._last = _no_loop, None
        found = self._objects.pop(asyncio.get_running_loop(), None)
        if found is not None:
            await found.close()
