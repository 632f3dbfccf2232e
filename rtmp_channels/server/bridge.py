"""Between a session and daphne's own bookkeeping of connections.

daphne looks after every connection that it finds in `Server.connections`: it logs, reaps and
cancels. Its shape, `{protocol: {"connected", "application_instance", "disconnected"}}`, is pinned
by a test.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from rtmp_channels import goodbye
from rtmp_channels.application import ASGIApplication
from rtmp_channels.conf import RtmpSettings
from rtmp_channels.goodbye import Ending
from rtmp_channels.session import Session
from rtmp_channels.transport import Peer, Transport


class DaphneServer(Protocol):
    """What we use of `daphne.server.Server`."""

    application: ASGIApplication
    connections: dict[Any, dict[str, Any]]

    def protocol_connected(self, protocol: Any) -> None:
        """Adds the protocol to `connections`."""

    def protocol_disconnected(self, protocol: Any) -> None:
        """Marks it; daphne takes it out when its application has ended."""


class DaphneBridge:
    """The protocol object that daphne knows for one RTMP connection."""

    def __init__(self, server: DaphneServer, *, on_closed: Callable[[DaphneBridge], None]) -> None:
        self.peer: Peer | None = None
        self._server = server
        self._on_closed = on_closed
        self._session: Session | None = None
        self._task: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<RTMP connection {self._session}>"

    def open(self, transport: Transport, peer: Peer, *, settings: RtmpSettings) -> Session:
        """Makes the session; daphne hears of it when it has an application."""
        self.peer = peer
        self._session = Session(
            transport, self._server.application, peer=peer, settings=settings, host=self
        )
        return self._session

    def shut_down(self) -> None:
        """The server stops: ends the session and gives its application time to end by itself.

        daphne is about to cancel every application that it knows, so it must not know ours.
        """
        self._server.connections.pop(self, None)
        if self._session is not None:
            description = "The server is shutting down."
            self._session.end(Ending(goodbye.APP_SHUTDOWN, "the server stops", description))

    def cut(self) -> asyncio.Task[None] | None:
        """Cuts the socket and cancels the application; its task, if it was still running."""
        if self._session is not None:
            self._session.cut()
        if self._task is not None and not self._task.done():
            self._task.cancel()
            return self._task
        return None

    # what the session reports

    def application_started(self, session: Session, task: asyncio.Task[None], /) -> None:
        """Registers and starts back to back: daphne trips over a connection without a task."""
        self._task = task
        self._server.protocol_connected(self)
        self._server.connections[self]["application_instance"] = task

    def session_ending(self, session: Session, /) -> None:
        """Marks the connection as disconnected, unless daphne has reaped it already."""
        if self in self._server.connections:
            self._server.protocol_disconnected(self)

    def session_closed(self, session: Session, /) -> None:
        """All is over."""
        self._on_closed(self)

    # what daphne calls

    def handle_exception(self, exception: BaseException) -> None:
        """The application raised; the session has logged and ended already."""
        if self._session is not None:
            self._session.fail()

    def check_timeouts(self) -> None:
        """Every two seconds; the timer wheel sees to it."""
