"""A loopback server that agrees to everything: the protocol floor on asyncio, nothing more."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rtmp_channels.protocol import Connection
from rtmp_channels.protocol.events import (
    CallReceived,
    ConnectRequested,
    DataReceived,
    Event,
    MediaReceived,
    PlayRequested,
    PublishRequested,
    ResultReceived,
    SharedObjectReceived,
    StreamClosed,
)


class Served(asyncio.Protocol):
    """One client's connection; what it asks for by name decides what happens."""

    def __init__(self, server: LoopbackServer) -> None:
        self.server = server
        self.connection = Connection()
        self.events: list[Event] = []
        self.lost = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.clients.append(self)
        self.server.seen.append(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.server.clients.remove(self)
        self.lost.set_result(None)

    def data_received(self, data: bytes) -> None:
        events = self.connection.receive_data(data)
        for event in events:
            self.events.append(event)
            if isinstance(event, ConnectRequested):
                self.connect(event, events)
            else:
                self.handle(event)
        self.flush()

    def connect(self, event: ConnectRequested, events: list[Event]) -> None:
        match event.app:
            case "rejected":
                self.connection.reject_connect(description="Not today.")
            case "closed":
                self.transport.close()
            case "silent":
                pass
            case _:
                events += self.connection.accept_connect(information={"app": event.app})

    def handle(self, event: Event) -> None:  # noqa: PLR0912  # a table would not be shorter
        connection = self.connection
        match event:
            case CallReceived(name="echo", transaction_id=number, arguments=[value]):
                connection.send_result(number, value)
            case CallReceived(name="silent"):
                pass
            case CallReceived(name="garbage"):
                connection.send_raw(b"\xff" * 20)
            case CallReceived(name="bye"):
                self.transport.close()
            case CallReceived(name="callMe", arguments=[name, *arguments]):
                connection.send_call(name, arguments, expect_result=True)
            case CallReceived(name="stray"):
                connection.send_result(999, "nobody asked")
                connection.send_message(9, 9, 0, b"no such stream")
            case CallReceived(name="streamStatus", arguments=[stream, information]):
                connection.send_status(int(stream), information)
            case CallReceived(name="notice"):
                connection.send_status(0, {"level": "status", "code": "Notice"})
            case CallReceived(transaction_id=number, name=name):
                connection.send_error(number, {"level": "error", "code": "X", "description": name})
            case SharedObjectReceived(message=message):
                connection.send_shared_object(message)
            case PublishRequested(message_stream_id=stream, stream_name="refused"):
                connection.reject_publish(stream)
            case PublishRequested(message_stream_id=stream):
                connection.accept_publish(stream)
            case PlayRequested(stream_name="silent"):
                pass
            case PlayRequested(message_stream_id=stream, stream_name="none"):
                connection.reject_play(stream)
            case PlayRequested(message_stream_id=stream, stream_name=name):
                connection.accept_play(stream)
                self.server.players.setdefault(name, []).append((self, stream))
            case MediaReceived() | DataReceived():
                self.relay(event)
            case StreamClosed():
                for player, stream in self.server.players.pop("feed", []):
                    player.connection.finish_play(stream)
                    player.flush()

    def relay(self, event: MediaReceived | DataReceived) -> None:
        type_id = event.type if isinstance(event, MediaReceived) else 18
        for player, stream in self.server.players.get("feed", []):
            player.connection.send_message(stream, type_id, event.timestamp, event.payload)
            player.flush()

    def flush(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(self.connection.data_to_send())

    def answers(self) -> list[ResultReceived]:
        return [event for event in self.events if isinstance(event, ResultReceived)]


class LoopbackServer:
    """Its address, and who is connected."""

    def __init__(self) -> None:
        self.clients: list[Served] = []
        self.seen: list[Served] = []
        self.players: dict[str, list[tuple[Served, int]]] = {}
        self.port = 0
        self.scheme = "rtmp"

    def url(self, path: str = "lobby/room") -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/{path}"


@asynccontextmanager
async def loopback_server(context: ssl.SSLContext | None = None) -> AsyncIterator[LoopbackServer]:
    """Serves on a free port until left."""
    loopback = LoopbackServer()
    loop = asyncio.get_running_loop()
    options: dict[str, Any] = {"ssl": context} if context else {}
    server = await loop.create_server(lambda: Served(loopback), "127.0.0.1", 0, **options)
    loopback.port = server.sockets[0].getsockname()[1]
    loopback.scheme = "rtmps" if context else "rtmp"
    try:
        yield loopback
    finally:
        server.close()
        clients = list(loopback.clients)
        for client in clients:
            client.transport.abort()
        for client in clients:
            await client.lost
        await server.wait_closed()
