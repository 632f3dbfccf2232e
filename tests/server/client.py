"""The tests' own client: the protocol floor in its client role on asyncio streams."""

import asyncio
from contextlib import asynccontextmanager, suppress

from rtmp_channels.protocol.config import ConnectionConfig, Role
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

    def __init__(self, reader, writer, **config):
        self.reader, self.writer = reader, writer
        self.connection = Connection(Role.CLIENT, ConnectionConfig(**config))
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

    async def close(self):
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


@asynccontextmanager
async def rtmp_client(port, *, ssl=None, config=None):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=ssl)
    client = RtmpClient(reader, writer, **(config or {}))
    try:
        yield client
    finally:
        await client.close()
