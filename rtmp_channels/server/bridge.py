"""Between a session and daphne's own bookkeeping of connections.

daphne looks after every connection that it finds in `Server.connections`: it logs, reaps and
cancels. Its shape, `{protocol: {"connected", "application_instance", "disconnected"}}`, is pinned
by a test.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from rtmp_channels.application import ASGIApplication
from rtmp_channels.open_sessions import SessionHolder
from rtmp_channels.session import Session


class DaphneServer(Protocol):
    """What we use of `daphne.server.Server`."""

    application: ASGIApplication
    connections: dict[Any, dict[str, Any]]

    def protocol_connected(self, protocol: Any) -> None:
        """Adds the protocol to `connections`."""

    def protocol_disconnected(self, protocol: Any) -> None:
        """Marks it; daphne takes it out when its application has ended."""


class DaphneBridge(SessionHolder):
    """The protocol object that daphne knows for one RTMP connection."""

    def __init__(self, server: DaphneServer) -> None:
        super().__init__()
        self._server = server

    def shut_down(self) -> None:
        """daphne is about to cancel every application that it knows, so it must not know ours."""
        self._server.connections.pop(self, None)
        super().shut_down()

    # what the session reports

    def application_started(self, session: Session, task: asyncio.Task[None], /) -> None:
        """Registers and starts back to back: daphne trips over a connection without a task."""
        super().application_started(session, task)
        self._server.protocol_connected(self)
        self._server.connections[self]["application_instance"] = task

    def session_ending(self, session: Session, /) -> None:
        """Marks the connection as disconnected, unless daphne has reaped it already."""
        if self in self._server.connections:
            self._server.protocol_disconnected(self)

    # what daphne calls

    def handle_exception(self, exception: BaseException) -> None:
        """The application raised; the session has logged and ended already."""
        self.session.fail()

    def check_timeouts(self) -> None:
        """Every two seconds; the timer wheel sees to it."""
