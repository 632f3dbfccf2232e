"""Which sockets can be read or written: one epoll inside of the event loop's own.

The loop is told of one descriptor. To have it look at every socket costs a selector's key and a
handle for each, and more for each time that a socket is ready: half of what a transport costs.
"""

from __future__ import annotations

import asyncio
import logging
import select
from collections.abc import Callable
from typing import Protocol, TypeAlias

logger = logging.getLogger(__name__)

READ = 1
"""EPOLLIN; handlers are told of anything that only reading explains, an error for example."""
WRITE = 4
"""EPOLLOUT."""

RECEIVE_BUFFER_BYTES = 65_536
"""What one read takes at most; ONE buffer serves all connections of an endpoint."""

_EVENTS_PER_TURN = 256

Handler: TypeAlias = Callable[[int], None]
"""Called with what is possible: READ, WRITE, both, or other bits that epoll has for errors."""


class Poller(Protocol):
    """Calls handlers when their descriptors are ready."""

    receive_buffer: memoryview
    """For handlers: what is read into it is handled before anyone else reads."""

    def watch(self, number: int, interest: int, handler: Handler, /) -> None:
        """Calls `handler` from now on whenever that is possible; with 0 no longer."""

    def close_when_idle(self) -> None:
        """Closes itself once nothing is watched any more."""


class Epoll:
    """For Linux."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.receive_buffer = memoryview(bytearray(RECEIVE_BUFFER_BYTES))
        self._loop = loop
        self._epoll = self._open()
        self._handlers: dict[int, Handler] = {}
        self._is_wanted = True

    def watch(self, number: int, interest: int, handler: Handler, /) -> None:
        """See `Poller`; OSError when the kernel watches as many as it may."""
        handlers = self._handlers
        if number in handlers:
            if interest:
                self._epoll.modify(number, interest)
            else:
                del handlers[number]
                self._epoll.unregister(number)
                if not self._is_wanted:
                    self.close_when_idle()
        elif interest:
            if self._epoll.closed:  # nothing was watched, but this one was only paused
                self._epoll = self._open()
            self._epoll.register(number, interest)
            handlers[number] = handler

    def close_when_idle(self) -> None:
        """See `Poller`."""
        self._is_wanted = False
        if not self._handlers and not self._epoll.closed:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()

    def _open(self) -> select.epoll:
        epoll = select.epoll()
        self._loop.add_reader(epoll.fileno(), self._turn)
        return epoll

    def _turn(self) -> None:
        for number, ready in self._epoll.poll(0, _EVENTS_PER_TURN):
            # One of those before may have closed it; its number may even be another's by now, who
            # then finds nothing to read.
            handler = self._handlers.get(number)
            if handler is not None:
                try:
                    handler(ready)
                except Exception:
                    logger.exception("A socket that was ready could not be handled")


class LoopPoller:
    """For systems without epoll: the loop watches."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.receive_buffer = memoryview(bytearray(RECEIVE_BUFFER_BYTES))
        self._loop = loop

    def watch(self, number: int, interest: int, handler: Handler, /) -> None:
        """See `Poller`."""
        if interest & READ:
            self._loop.add_reader(number, handler, READ)
        else:
            self._loop.remove_reader(number)
        if interest & WRITE:
            self._loop.add_writer(number, handler, WRITE)
        else:
            self._loop.remove_writer(number)

    def close_when_idle(self) -> None:
        """There is nothing to close."""


def make_poller(loop: asyncio.AbstractEventLoop) -> Poller:
    """The best there is; the loop need not run yet."""
    return Epoll(loop) if hasattr(select, "epoll") else LoopPoller(loop)
