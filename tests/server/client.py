"""The tests' own client: the protocol floor in its client role on asyncio streams."""

import asyncio
import socket
from contextlib import asynccontextmanager, suppress

from rtmp_channels.protocol.config import Role
from rtmp_channels.protocol.connection import Connection
from rtmp_channels.protocol.errors import ProtocolError
from rtmp_channels.protocol.events import (
    CallReceived,
    ConnectAccepted,
    ConnectRejected,
    HandshakeCompleted,
    ResultReceived,
    StreamEventReceived,
)


class Closed(Exception):
    """The server closed the connection."""


class RtmpClient:
    """One connection; events that nobody waited for stay in `events`."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.connection = Connection(Role.CLIENT)
        self.events = []
        self.methods = {}

    async def flush(self):
        self.writer.write(self.connection.data_to_send())
        await self.writer.drain()

    async def receive(self):
        """Reads once, and answers what the server calls."""
        data = await self.reader.read(65536)
        if not data:
            raise Closed
        for event in self.connection.receive_data(data):
            if isinstance(event, CallReceived) and event.name in self.methods:
                value = self.methods[event.name](*event.arguments)
                self.connection.send_result(event.transaction_id, value)
            elif not isinstance(event, StreamEventReceived):
                self.events.append(event)
        await self.flush()

    async def wait_for(self, kind, **fields):
        """The first event of that kind with these fields; taken out of `events`."""
        async with asyncio.timeout(10):
            while True:
                for event in self.events:
                    if isinstance(event, kind) and all(
                        getattr(event, name) == value for name, value in fields.items()
                    ):
                        self.events.remove(event)
                        return event
                await self.receive()

    async def handshake(self):
        await self.flush()
        await self.wait_for(HandshakeCompleted)

    async def connect(self, app="lobby/room1", arguments=(), **command_object):
        await self.handshake()
        url = f"rtmp://127.0.0.1/{app}"
        self.connection.send_connect({"app": app, "tcUrl": url, **command_object}, arguments)
        await self.flush()
        return await self.wait_for((ConnectAccepted, ConnectRejected))

    async def call(self, name, *arguments):
        """The answer's value; AssertionError with the information if it is an error."""
        event = await self.call_event(name, *arguments)
        assert not event.is_error, event.values
        return event.values[0]

    async def call_event(self, name, *arguments):
        transaction_id = self.connection.send_call(name, arguments, expect_result=True)
        await self.flush()
        return await self.wait_for(ResultReceived, transaction_id=transaction_id)

    async def wait_closed(self):
        """Reads until the server closes; what it said before is in `events`."""
        async with asyncio.timeout(10):
            while True:
                try:
                    await self.receive()
                except (Closed, ConnectionError, ProtocolError):
                    return


@asynccontextmanager
async def connection(port, *, window=None, ssl=None):
    """Reader and writer of a TCP connection; `window` bytes of receive buffer, for stalling."""
    if window is None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=ssl)
    else:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        server_hostname = None if ssl is None else "127.0.0.1"
        reader, writer = await asyncio.open_connection(
            sock=sock, limit=window, ssl=ssl, server_hostname=server_hostname
        )
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


@asynccontextmanager
async def rtmp_client(port, *, window=None, ssl=None):
    async with connection(port, window=window, ssl=ssl) as (reader, writer):
        yield RtmpClient(reader, writer)
