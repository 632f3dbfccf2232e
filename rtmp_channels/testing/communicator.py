"""Test an RTMP application without a server: `RtmpCommunicator`."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from unittest import mock
from urllib.parse import unquote, urlsplit

from channels.testing import ApplicationCommunicator

from rtmp_channels.application import ASGIApplication
from rtmp_channels.connections.current import rosters
from rtmp_channels.exceptions import CallFailed
from rtmp_channels.goodbye import CLOSED
from rtmp_channels.protocol.chunk_reader import ChunkReader
from rtmp_channels.protocol.commands import Command
from rtmp_channels.protocol.outbound import SHARED_CHUNK_SIZE
from rtmp_channels.rooms.current import room_hubs
from rtmp_channels.scope import ASGI_VERSION

Message = dict[str, Any]


class RtmpCommunicator(ApplicationCommunicator):  # type: ignore[misc]
    """Plays the server's side of the ASGI dialect, shaped like WebsocketCommunicator.

    ```python
    communicator = RtmpCommunicator(LobbyConsumer.as_asgi(), "/lobby/room1")
    accepted, information = await communicator.connect()
    assert await communicator.call("length", "abc") == 3
    await communicator.disconnect()
    ```
    Rooms and `push` work between communicators: what they call arrives as an `rtmp.call`.
    """

    def __init__(
        self,
        application: ASGIApplication,
        path: str,
        *,
        command_object: Mapping[str, Any] | None = None,
        arguments: Sequence[Any] = (),
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        self.id = secrets.token_hex(16)
        parsed = urlsplit(path)
        scope = {
            "type": "rtmp",
            "asgi": dict(ASGI_VERSION),
            "scheme": "rtmp",
            "path": unquote(parsed.path),
            "root_path": "",
            "query_string": parsed.query.encode(),
            "headers": list(headers),
            "client": ["127.0.0.1", 50_000],
            "server": ["127.0.0.1", 1935],
            "rtmp": {
                "command_object": dict(command_object or {}),
                "arguments": list(arguments),
                "object_encoding": 0,
                "connection_id": self.id,
            },
        }
        super().__init__(_WithHubs(application, self), scope)
        self._last_transaction_id = 1
        self._reader = ChunkReader(
            max_message_length=1 << 24, max_partial_bytes=1 << 24, max_chunk_streams=64
        )
        self._reader.chunk_size = SHARED_CHUNK_SIZE

    async def connect(self, timeout: float = 1) -> tuple[bool, Any]:  # noqa: ASYNC109
        """(True, information) when the application accepts, (False, status code) otherwise."""
        await self.send_input({"type": "rtmp.connect"})
        response = await self.receive_output(timeout)
        if response["type"] == "rtmp.close":
            return False, response.get("code", CLOSED)
        assert response["type"] == "rtmp.accept", response
        return True, response.get("information")

    async def send_call(self, name: str, *arguments: Any) -> int:
        """Calls a method and returns the transaction id of the answer to expect."""
        self._last_transaction_id += 1
        await self.send_input(_call(name, arguments, self._last_transaction_id))
        return self._last_transaction_id

    async def notify(self, name: str, *arguments: Any) -> None:
        """Calls a method without asking for an answer."""
        await self.send_input(_call(name, arguments, 0))

    async def call(self, name: str, *arguments: Any, timeout: float = 1) -> Any:  # noqa: ASYNC109
        """Calls a method; returns its value or raises CallFailed. Nothing may come in between."""
        transaction_id = await self.send_call(name, *arguments)
        response = await self.receive_output(timeout)
        assert response.get("transaction_id") == transaction_id, response
        if response["type"] == "rtmp.error":
            raise CallFailed.of(response["information"])
        assert response["type"] == "rtmp.result", response
        return response["value"]

    async def receive_call(self, timeout: float = 1) -> Message:  # noqa: ASYNC109
        """The application's, or a room's, call to this client."""
        message = await self.receive_output(timeout)
        assert message["type"] == "rtmp.call", message
        return message  # type: ignore[no-any-return]

    async def answer(self, call: Message, value: Any = None) -> None:
        """Answers what `receive_call` returned."""
        answer = {"type": "rtmp.result", "transaction_id": call["transaction_id"], "value": value}
        await self.send_input(answer)

    async def publish(self, stream_name: str, *, publish_type: str = "live") -> bool:
        """Asks to publish on stream 1; whether the application accepts."""
        stream = {"message_stream_id": 1, "stream_name": stream_name, **_NO_QUERY}
        await self.send_input({"type": "rtmp.publish", "publish_type": publish_type, **stream})
        return await self._verdict("rtmp.publish")

    async def play(self, stream_name: str, *, start: float = -2.0) -> bool:
        """Asks to play on stream 1; whether the application accepts."""
        stream = {"message_stream_id": 1, "stream_name": stream_name, **_NO_QUERY}
        times = {"start": start, "duration": -1.0, "reset": True}
        await self.send_input({"type": "rtmp.play", **times, **stream})
        return await self._verdict("rtmp.play")

    async def use_shared_object(self, name: str, *, persistent: bool = False) -> Message | None:
        """Asks to use a shared object: the grant, or None when it is refused."""
        await self.send_input({"type": "rtmp.so.use", "name": name, "persistent": persistent})
        message = await self.receive_output()
        accepted = message["type"] == "rtmp.so.use.accept"
        return message if accepted else None

    async def disconnect(self, code: str = CLOSED, timeout: float = 1) -> None:  # noqa: ASYNC109
        """Ends the connection and waits for the application; raises what it raised."""
        await self.send_input({"type": "rtmp.disconnect", "code": code, "reason": "by the test"})
        await self.wait(timeout)

    async def wait(self, timeout: float = 1) -> None:  # noqa: ASYNC109
        """Waits for the application to end; raises what it raised."""
        # As Channels' communicators do elsewhere: a test's connection is not ours to close.
        with mock.patch("channels.db.close_old_connections"):
            await super().wait(timeout)

    def write_shared(self, data: bytes, /) -> None:
        """What the room's hub calls."""
        self._reader.feed(data)
        while (message := self._reader.next_message()) is not None:
            command = Command.parse(message.payload)
            call = {"name": command.name, "arguments": command.arguments, "transaction_id": 0}
            self.output_queue.put_nowait({"type": "rtmp.call", **call})

    def kick(self, description: str, /) -> None:
        """What `push.kick_client` calls: the application hears that the connection is over."""
        message = {"type": "rtmp.disconnect", "code": CLOSED, "reason": f"kicked: {description}"}
        self.input_queue.put_nowait(message)

    async def _verdict(self, kind: str) -> bool:
        message = await self.receive_output()
        assert message["type"] in {f"{kind}.accept", f"{kind}.reject"}, message
        return bool(message["type"] == f"{kind}.accept")


_NO_QUERY = {"query_string": "", "prefix": ""}


class _WithHubs:
    """Does what a session does for rooms and for pushes."""

    def __init__(self, application: ASGIApplication, member: RtmpCommunicator) -> None:
        self._application = application
        self._member = member

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        async def send_but_rooms(message: Message) -> None:
            hub, member = room_hubs.get(), self._member
            match message:
                case {"type": "rtmp.join", "room": room}:
                    await hub.join(room, member)
                case {"type": "rtmp.leave", "room": room}:
                    hub.leave(room, member)
                case {"type": "rtmp.broadcast", "room": room, "name": name}:
                    exclude = None if message.get("include_self") else member
                    await hub.broadcast(room, name, message.get("arguments", ()), exclude=exclude)
                case {"type": "rtmp.accept"}:
                    rosters.get().add(member, user=str(message.get("user") or ""))
                    await send(message)
                case _:
                    await send(message)

        try:
            await self._application(scope, receive, send_but_rooms)
        finally:
            room_hubs.get().leave_all(self._member)
            rosters.get().discard(self._member)


def _call(name: str, arguments: Sequence[Any], transaction_id: int) -> Message:
    return {
        "type": "rtmp.call",
        "name": name,
        "arguments": list(arguments),
        "transaction_id": transaction_id,
        "message_stream_id": 0,
        "command_object": None,
    }
