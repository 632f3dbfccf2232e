"""RTMPT from the client's side: a transport whose bytes travel in HTTP requests."""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import suppress

from rtmp_channels.client.address import Address
from rtmp_channels.client.errors import ConnectFailed
from rtmp_channels.client.posts import Posts

HIGH_WATER = 65_536
"""Bytes that wait for a request, from which on writers wait."""

_REQUEST_BYTES = 524_288
"""The most that one request carries: nginx takes 1 MiB unless told otherwise."""

_SESSION = re.compile(r"[\w-]{1,64}", re.ASCII)
_INTERVAL_UNIT = 0.01
"""Seconds to wait for something to send, for each unit of what the server advises."""

_OK, _GONE = 200, 404


class PolledTransport(asyncio.Transport):
    """Asks the server again and again; while reading is paused, nothing is sent either."""

    def __init__(self, protocol: asyncio.Protocol, posts: Posts, session_id: str) -> None:
        super().__init__()
        self._protocol = protocol
        self._posts = posts
        self._session_id = session_id
        self._number = 0
        """That of the next request."""
        self._unsent = bytearray()
        self._is_full = False
        self._is_closing = False
        self._may_ask = asyncio.Event()
        self._may_ask.set()
        self._has_news = asyncio.Event()
        protocol.connection_made(self)
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._carry())
        self._task.add_done_callback(self._ended)

    @classmethod
    async def open(
        cls, protocol: asyncio.Protocol, address: Address, context: ssl.SSLContext | None
    ) -> PolledTransport:
        """Opens a session. Raises OSError, and ConnectFailed when the web server refuses."""
        posts = Posts(address.host, address.port, context)
        try:
            answer = await posts.post("/open/1", b"\0")
            session_id = answer.content.decode("latin-1").strip()
            if answer.status != _OK or not _SESSION.fullmatch(session_id):
                raise ConnectFailed({"description": f"HTTP {answer.status} to /open/1"})
        except EOFError as error:
            raise ConnectFailed({"description": "closed by the server"}) from error
        except BaseException:
            await posts.close()
            raise
        return cls(protocol, posts, session_id)

    # what asyncio's protocols call

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keeps the bytes for the next request."""
        self._unsent += data
        self._has_news.set()
        if not self._is_full and len(self._unsent) > HIGH_WATER:
            self._is_full = True
            self._protocol.pause_writing()

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        """Ends the session when everything is sent."""
        self._is_closing = True
        self._has_news.set()
        self._may_ask.set()

    def abort(self) -> None:
        """Ends it now; the server will notice that nobody asks any more."""
        self._is_closing = True
        self._task.cancel()

    def is_reading(self) -> bool:
        return self._may_ask.is_set()

    def pause_reading(self) -> None:
        if not self._is_closing:
            self._may_ask.clear()

    def resume_reading(self) -> None:
        self._may_ask.set()

    # inside

    async def _carry(self) -> None:
        interval = 0
        while True:
            await self._may_ask.wait()
            # An idle request is held for a while, and what is written meanwhile has to wait for it.
            await self._wait(interval * _INTERVAL_UNIT)
            data = self._take()
            if self._is_closing and not data:
                break
            interval, received = await self._ask(data)
            if received is None:
                return
            if received:
                self._protocol.data_received(received)
        await self._posts.post(self._path("close"), b"\0")

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._is_closing = True
        self._posts.abort()
        error = None if task.cancelled() else task.exception()
        if error is None or isinstance(error, EOFError):
            self._protocol.connection_lost(None)
        elif isinstance(error, OSError | ConnectFailed):
            self._protocol.connection_lost(error)
        else:
            message = "what came through RTMPT could not be handled"
            self._loop.call_exception_handler({"message": message, "exception": error})
            self._protocol.connection_lost(None)

    def _take(self) -> bytes:
        data = bytes(self._unsent[:_REQUEST_BYTES])
        del self._unsent[:_REQUEST_BYTES]
        return data

    async def _ask(self, data: bytes) -> tuple[int, bytes | None]:
        """How long to wait before the next request, and what came; None at the session's end."""
        answer = await self._posts.post(self._path("send" if data else "idle"), data or b"\0")
        if self._is_full and len(self._unsent) <= HIGH_WATER // 4:
            self._is_full = False
            self._protocol.resume_writing()
        if answer.status == _GONE:
            return 0, None
        if answer.status != _OK or not answer.content:
            raise ConnectFailed({"description": f"HTTP {answer.status} in the tunnel"})
        return answer.content[0], answer.content[1:]

    async def _wait(self, seconds: float) -> None:
        """Until there is something to send, but no longer."""
        if not self._unsent and not self._is_closing:
            self._has_news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._has_news.wait()

    def _path(self, command: str) -> str:
        number, self._number = self._number, self._number + 1
        return f"/{command}/{self._session_id}/{number}"
