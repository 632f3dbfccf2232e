"""Moves bytes between a socket and the protocol floor, and stops when either side is full."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rtmp_channels.protocol.connection import Connection
from rtmp_channels.protocol.errors import RemoteProtocolError
from rtmp_channels.protocol.events import Event


class Wire(asyncio.Protocol):
    """One TCP connection; reports events, and its end with a reason."""

    def __init__(
        self,
        connection: Connection,
        *,
        on_event: Callable[[Event], None],
        on_end: Callable[[Wire, str], None],
    ) -> None:
        self.connection = connection
        self.closed = asyncio.get_running_loop().create_future()
        """Done when the socket is gone."""
        self._on_event = on_event
        self._on_end = on_end
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._reason = ""

    def flush(self) -> None:
        """Writes what the protocol floor has queued."""
        data = self.connection.data_to_send()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    async def drain(self) -> None:
        """Waits while the server reads slower than we write."""
        await self._writable.wait()

    def pause(self) -> None:
        """Reads nothing until `resume`."""
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self, reason: str) -> None:
        """Ends the connection when what is written has left, or as soon as there is one."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Ends the connection now, or the wait for one."""
        self._reason = self._reason or "given up"
        if self._transport is not None:
            self._transport.abort()
        elif not self.closed.done():
            self.closed.set_result(None)

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._reason:
            transport.abort()
        self.flush()

    def data_received(self, data: bytes) -> None:
        try:
            events = self.connection.receive_data(data, asyncio.get_running_loop().time())
        except RemoteProtocolError as error:
            events = error.events
            self.close(f"protocol error: {error}")
        for event in events:
            self._on_event(event)
        self.flush()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, error: Exception | None) -> None:
        self._writable.set()
        self._on_end(self, self._reason or (str(error) if error else "closed by the server"))
        if not self.closed.done():
            self.closed.set_result(None)
