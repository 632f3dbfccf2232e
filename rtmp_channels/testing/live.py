"""A server with real sockets for tests: `LiveRtmpServer`."""

from __future__ import annotations

import asyncio
import ssl
import threading
from concurrent.futures import Future
from typing import Any, Self
from unittest import mock

from asgiref.sync import sync_to_async
from channels.routing import get_default_application
from django.db import connections

from rtmp_channels.application import ASGIApplication
from rtmp_channels.conf import rtmp_settings
from rtmp_channels.connections.current import rosters
from rtmp_channels.open_sessions import open_sessions
from rtmp_channels.server.acceptor import Acceptor
from rtmp_channels.server.endpoint import EndpointOptions, open_socket
from rtmp_channels.server.listener import Listener
from rtmp_channels.server.shutdown import close_hubs
from rtmp_channels.session import Session
from rtmp_channels.transport import Peer, Transport

START_SECONDS = 30.0


class LiveRtmpServer:
    """Serves an application on a free port of 127.0.0.1, in a thread, while its block runs.

    ```python
    with LiveRtmpServer(GameConsumer.as_asgi()) as server:
        async with NetConnection(server.url("game/table7")) as client: ...
    ```
    Without an application it serves the project's ASGI_APPLICATION, of which clients see the
    "rtmp" part. `tls` makes it rtmps. Sessions, limits and settings are those under daphne, and
    `push` reaches the clients. Tests that use the database need committed rows
    (TransactionTestCase, pytest's `transactional_db`): the application has connections of its own.
    """

    def __init__(
        self, application: ASGIApplication | None = None, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.port = 0
        """Where it listens, from the block's beginning on."""
        self._application = application
        self._tls = tls
        self._thread = threading.Thread(target=self._run, name="rtmp live server", daemon=True)
        self._started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = Future()

    @property
    def scheme(self) -> str:
        """ "rtmp", or "rtmps" with `tls`."""
        return "rtmps" if self._tls else "rtmp"

    def url(self, path: str) -> str:
        """The address of application and instance, "game/table7"."""
        return f"{self.scheme}://127.0.0.1:{self.port}/{path.lstrip('/')}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._loop, self._end, self.port = self._started.result(START_SECONDS)
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Ends as a server does: clients hear AppShutdown, applications have time to end."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def _run(self) -> None:
        # As Channels' communicators do: a test's connections are not the application's to close.
        with mock.patch("channels.db.close_old_connections"):
            asyncio.run(self._serve())

    async def _serve(self) -> None:
        try:
            loop, end = asyncio.get_running_loop(), asyncio.Event()
            listener = _Listener(self._application or get_default_application(), self.scheme)
            sock = open_socket(EndpointOptions(port=0, interface="127.0.0.1"))
            acceptor = Acceptor(sock, listener, loop=loop, tls=self._tls)
            rosters.get().list_nobody()
            self._started.set_result((loop, end, sock.getsockname()[1]))
        except BaseException as error:
            self._started.set_exception(error)
            return
        await end.wait()
        acceptor.close()
        open_sessions.get().end_all()
        await open_sessions.get().all_closed(rtmp_settings().shutdown_timeout)
        await close_hubs()
        await sync_to_async(connections.close_all)()


class _Listener(Listener):
    """Opens sessions that daphne knows nothing of."""

    def __init__(self, application: ASGIApplication, scheme: str) -> None:
        server: Any = None
        super().__init__(server, scheme=scheme, settings=rtmp_settings())
        self._application = application

    def open_session(self, transport: Transport, peer: Peer) -> Session | None:
        return open_sessions.get().open(
            transport, self._application, peer=peer, settings=self.settings
        )
