"""A session's transport whose bytes somebody else carries: HTTP requests, WebSocket frames."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from rtmp_channels.held_memory import held_memory
from rtmp_channels.session import Session
from rtmp_channels.transport import Peer

PIECE = 65_536
"""Bytes that a session takes in one turn of the loop."""

_HEADERS = frozenset({b"host", b"origin", b"cookie", b"user-agent", b"accept-language"})
"""What applications may want to know of the request that opened a tunnel."""


class TunnelTransport:
    """Keeps what the session writes until a carrier takes it, and feeds it what one brings."""

    session: Session
    """Whoever makes the session sets it."""

    def __init__(self, *, high_water: int) -> None:
        self.is_closing = False
        """The session writes and reads nothing more; what it wrote may still be taken."""
        self.is_lost = False
        """The session has heard that it is over."""
        self._loop = asyncio.get_running_loop()
        self._memory = held_memory.get()
        self._high_water = high_water
        self._unsent: list[bytes] = []
        self._unsent_bytes = 0
        self._leaving_bytes = 0
        """Taken by the carrier, which has not got rid of them yet."""
        self._is_full = False
        self._unread = bytearray()
        self._is_reading = True
        self._feeding: asyncio.Handle | None = None
        self._changed = asyncio.Event()
        """Something for the carrier to look at."""

    # what the session calls: see `rtmp_channels.transport`

    @property
    def buffered_bytes(self) -> int:
        """Bytes that have not left yet."""
        return self._unsent_bytes + self._leaving_bytes

    def write(self, data: bytes, /) -> int:
        """Keeps the bytes for the carrier."""
        if self.is_closing:
            return 0
        self._unsent.append(data)
        self._unsent_bytes += len(data)
        self._memory.grow(len(data))
        self._changed.set()
        if not self._is_full and self.buffered_bytes > self._high_water:
            self._is_full = True
            self.session.pause_writing()
        return self.buffered_bytes

    def silence(self) -> float:
        """Unknown, as the host at the other end may be a proxy; but somebody asked for it."""
        return 0.0

    def pause_reading(self) -> None:
        """Lets what the carrier brings wait."""
        self._is_reading = False

    def resume_reading(self) -> None:
        """Goes on, in a later turn of the loop."""
        self._is_reading = True
        self._feed_soon()

    def join_writes(self) -> None:
        """The carrier sends as it likes."""

    def gather(self, gathers: bool, /) -> None:
        """What the carrier brings is handed on at once."""

    def read_now(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Ends the connection when the carrier has taken everything."""
        self._stop()
        if not self.buffered_bytes:
            self._loop.call_soon(self.all_left)

    def abort(self) -> None:
        """Ends the connection now."""
        self._stop()
        self._unsent.clear()
        self._unsent_bytes = 0
        self._loop.call_soon(self.lose)

    def _stop(self) -> None:
        self.is_closing = True
        self._unread.clear()
        self._changed.set()

    # what the carrier calls

    @property
    def has_output(self) -> bool:
        """Whether there is something to take."""
        return bool(self._unsent)

    @property
    def is_full(self) -> bool:
        """Whether the session waits for the carrier to take something."""
        return self._is_full

    @property
    def unread_bytes(self) -> int:
        """What was brought and waits for the session."""
        return len(self._unread)

    def bring(self, data: bytes) -> None:
        """Hands the session what came from the client, now or when it reads on."""
        if not self.is_closing:
            self._unread += data
            self._memory.grow(len(data))
            if self._feeding is None:
                self._feed()

    def take(self) -> bytes:
        """Everything to be sent; `left` must follow."""
        data = self._unsent[0] if len(self._unsent) == 1 else b"".join(self._unsent)
        self._unsent.clear()
        self._unsent_bytes = 0
        self._leaving_bytes += len(data)
        return data

    def left(self) -> None:
        """What was taken is on its way to the client, or lost with the carrier."""
        self._leaving_bytes = 0
        if self._is_full and self._unsent_bytes <= self._high_water // 4:
            self._is_full = False
            self.session.resume_writing()
        if self.is_closing and not self._unsent:
            self.all_left()

    def all_left(self) -> None:
        """Nothing remains to be carried."""
        self.lose()

    def lose(self, error: Exception | None = None) -> None:
        """The client is gone, or all is said; harmless twice."""
        if self.is_lost:
            return
        self.is_lost = True
        self._stop()
        self.session.connection_lost(error)

    async def changed(self) -> None:
        """Waits for output, for room in the input, or for the end."""
        self._changed.clear()
        await self._changed.wait()

    def _feed_soon(self) -> None:
        if self._unread and self._feeding is None:
            self._feeding = self._loop.call_soon(self._feed)

    def _feed(self) -> None:
        """One piece per turn of the loop: others have their turn in between."""
        self._feeding = None
        if not self._is_reading or self.is_closing:
            return
        piece = bytes(self._unread[:PIECE])
        del self._unread[:PIECE]
        self.session.data_received(piece)
        if self._unread:
            self._feed_soon()
        else:
            self._changed.set()


def peer_of(scope: dict[str, Any], scheme: str) -> Peer:
    """Who opened the tunnel, by the scope of the request that did."""
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    known = tuple((name, value) for name, value in headers if name in _HEADERS)
    return Peer(scheme, _address(scope, "client"), _address(scope, "server"), known)


def _address(scope: dict[str, Any], key: str) -> tuple[str, int] | None:
    with suppress(TypeError, ValueError, KeyError):  # None, or a unix socket's path
        host, port = scope[key]
        return str(host), int(port)
    return None
