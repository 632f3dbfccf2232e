"""RTMP in the binary frames of a WebSocket, for browsers: frames are as arbitrary as reads."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import OriginValidator

from rtmp_channels import goodbye
from rtmp_channels.application import ASGIApplication
from rtmp_channels.conf import allowed_hosts, rtmp_settings
from rtmp_channels.goodbye import Ending
from rtmp_channels.open_sessions import open_sessions
from rtmp_channels.tunnels.transport import TunnelTransport, peer_of

SUBPROTOCOL = "binary"
"""What some socket proxies' clients ask for; agreed to, not demanded."""

NORMAL, UNSUPPORTED = 1000, 1003
"""Close codes (RFC 6455 §7.4.1)."""

FRAME = 262_144
"""Bytes in one frame: daphne refuses messages of more than 1 MiB, ours included."""

_LAST_WORDS = 1.0
"""Seconds to say why, when the server stops."""


class WebSocketTunnel:
    """Serves RTMP for `application` inside a WebSocket; route its `as_asgi(…)` as a consumer's.

    Pages of `allowed_origins` (as in Channels' OriginValidator; ALLOWED_HOSTS if None) may open
    it, and programs that are no pages and send no origin. Text frames end the connection.
    """

    def __init__(
        self, application: ASGIApplication, *, allowed_origins: Sequence[str] | None = None
    ) -> None:
        self._application = application
        self._allowed_origins = allowed_origins

    @classmethod
    def as_asgi(cls, *args: Any, **kwargs: Any) -> Any:
        """The same; Django's `path()` takes whatever is not annotated more closely."""
        return cls(*args, **kwargs)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        settings = rtmp_settings()
        transport = WebSocketTransport(high_water=settings.write_high_water)
        session = None
        if self._is_allowed(scope):
            session = open_sessions.get().open(
                transport, self._application, peer=peer_of(scope, "ws"), settings=settings
            )
        if session is None:
            await send({"type": "websocket.close"})
            return
        transport.session = session
        subprotocol = SUBPROTOCOL if SUBPROTOCOL in scope["subprotocols"] else None
        await send({"type": "websocket.accept", "subprotocol": subprotocol})
        await transport.carry(receive, send)

    def _is_allowed(self, scope: dict[str, Any]) -> bool:
        origin = dict(scope["headers"]).get(b"origin")
        if origin is None:
            return True
        allowed = allowed_hosts() if self._allowed_origins is None else self._allowed_origins
        try:
            parsed = urlsplit(origin.decode("latin-1").lower())
            return bool(OriginValidator(None, allowed).valid_origin(parsed))
        except ValueError:
            return False


class WebSocketTransport(TunnelTransport):
    """The session's transport, and the coroutines that carry its bytes."""

    def __init__(self, *, high_water: int) -> None:
        super().__init__(high_water=high_water)
        self._writing: asyncio.Task[None] | None = None
        self._close_code = NORMAL
        self._is_disconnected = False

    def silence(self) -> float:
        """For ever: what has left may wait in daphne, in kernels and in proxies for a host that is
        gone. Only an answer to a ping shows that the client lives."""
        return math.inf

    def abort(self) -> None:
        """Also while a frame waits for a client that does not read."""
        super().abort()
        if self._writing is not None:
            self._writing.cancel()

    def all_left(self) -> None:
        """But for the close frame, which `carry` sends."""

    async def carry(self, receive: Any, send: Any) -> None:
        """Moves bytes both ways until either side ends the connection."""
        reading = asyncio.create_task(self._read(receive))
        self._writing = writing = asyncio.create_task(self._write(send))
        try:
            await asyncio.wait({writing})
        finally:  # a server that stops cancels us, and the client is to be told why
            if self.is_closing:
                await asyncio.wait({writing}, timeout=_LAST_WORDS)
            for task in (reading, writing):
                task.cancel()
            await asyncio.gather(reading, writing, return_exceptions=True)
            try:
                if not self._is_disconnected:
                    await send({"type": "websocket.close", "code": self._close_code})
            finally:
                self.lose()

    async def _write(self, send: Any) -> None:
        while True:
            if self.has_output:
                try:
                    await _send_frames(send, self.take())
                finally:
                    self.left()
            elif self.is_closing:
                return
            else:
                await self.changed()

    async def _read(self, receive: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                self._is_disconnected = True
                self.lose()
                return
            data = message.get("bytes")
            if data is None:
                self._refuse_text()
                return
            self.bring(data)
            while self.unread_bytes and not self.is_closing:
                await self.changed()

    def _refuse_text(self) -> None:
        self._close_code = UNSUPPORTED
        ending = Ending(goodbye.FAILED, "a text frame in a tunnel", level=logging.INFO, tell=False)
        self.session.end(ending)


async def _send_frames(send: Any, data: bytes) -> None:
    for start in range(0, len(data), FRAME):
        await send({"type": "websocket.send", "bytes": data[start : start + FRAME]})
