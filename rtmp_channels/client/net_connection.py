"""`NetConnection`: one connection to an RTMP application, for as long as it lasts."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from rtmp_channels.client.address import Address, WebSocketAddress
from rtmp_channels.client.errors import ConnectFailed
from rtmp_channels.client.methods import Method, Methods
from rtmp_channels.client.net_stream import NetStream
from rtmp_channels.client.opening import open_transport
from rtmp_channels.client.shared_object import SharedObject
from rtmp_channels.client.wire import Wire
from rtmp_channels.exceptions import CallFailed, ConnectionClosed
from rtmp_channels.protocol.config import ConnectionConfig, Role
from rtmp_channels.protocol.connection import Connection
from rtmp_channels.protocol.errors import LocalProtocolError
from rtmp_channels.protocol.events import (
    CallReceived,
    ConnectAccepted,
    ConnectRejected,
    Event,
    HandshakeCompleted,
    ResultReceived,
    SharedObjectReceived,
    StatusReceived,
    StreamCreated,
)
from rtmp_channels.protocol.names import method_name
from rtmp_channels.protocol.shared_object import SharedObjectMessage

logger = logging.getLogger(__name__)

FLASH_VERSION = "LNX 32,0,0,465"
"""What servers expect of a player; `command_object` overrides it."""


class NetConnection:
    """A client's connection; use it as an async context manager, or `connect` and `close`.

    `arguments` follow connect's command object; `command_object` adds to it. `object_encoding` is
    0 or 3. `tunnel` is the ws:// or wss:// URL of a WebSocket to go through; `ssl_context` is for
    rtmps, rtmpts and wss. `timeout`, in seconds, is for connecting and for every answer. After an
    end, whoever's, `connect` may be called again: methods stay registered.
    """

    def __init__(  # noqa: PLR0913  # by keyword, each with its default
        self,
        url: str,
        *,
        arguments: Sequence[Any] = (),
        command_object: Mapping[str, Any] | None = None,
        object_encoding: int = 0,
        tunnel: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        config: ConnectionConfig | None = None,
        timeout: float = 10,
    ) -> None:
        self.address = Address.parse(url)
        self.properties: Any = None
        """What the server said of itself in connect's answer."""
        self.information: Any = None
        """Connect's status object."""
        self.timeout = timeout
        self.methods = Methods(self)
        """What the server may call."""
        self.on_status: Callable[[Any], None] | None = None
        """Called with each status object about the connection as a whole."""
        self.on_shared_object: Callable[[SharedObjectMessage], None] | None = None
        """Called with each shared-object message, whoever takes it."""
        self._arguments = list(arguments)
        self._command_object = {
            "app": self.address.app,
            "flashVer": FLASH_VERSION,
            "tcUrl": url,
            "fpad": False,
            "capabilities": 239,
            "audioCodecs": 3575,
            "videoCodecs": 252,
            "videoFunction": 1,
            "objectEncoding": object_encoding,
            **(command_object or {}),
        }
        self._tunnel = None if tunnel is None else WebSocketAddress.parse(tunnel)
        self._ssl = ssl_context
        self._config = config
        self._wire: Wire | None = None
        self._is_connected = False
        self._accepted: asyncio.Future[None] | None = None
        self._calls: dict[float, asyncio.Future[Any]] = {}
        self._streams: dict[int, NetStream] = {}
        self._shared_objects: dict[str, SharedObject] = {}
        self._end_reason = "not connected"

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    # the connection

    @property
    def is_connected(self) -> bool:
        """Whether calls can be made."""
        return self._is_connected

    async def connect(self) -> Any:
        """Opens the connection; returns connect's status object.

        Raises OSError when nothing listens, TimeoutError, and ConnectFailed when the server, or a
        web server on the way, refuses or ends the connection.
        """
        if self._wire is not None:
            raise LocalProtocolError("connect: already connected")
        loop = asyncio.get_running_loop()
        self._accepted = loop.create_future()
        connection = Connection(Role.CLIENT, self._config)
        wire = Wire(connection, on_event=self._on_event, on_end=self._on_end)
        self._wire = wire
        try:
            async with asyncio.timeout(self.timeout):
                await open_transport(wire, self.address, tunnel=self._tunnel, ssl_context=self._ssl)
                await self._accepted
        except BaseException:
            self._wire, self._is_connected = None, False
            wire.abort()
            raise
        return self.information

    async def close(self) -> None:
        """Ends the connection, which need not be open, and waits until it is gone."""
        wire = self._wire
        if wire is None:
            return
        wire.close("closed by us")
        try:
            async with asyncio.timeout(self.timeout):
                await asyncio.shield(wire.closed)
        except TimeoutError:
            wire.abort()
            await wire.closed

    async def wait_closed(self) -> str:
        """Waits for the connection's end; returns why it ended."""
        if self._wire is not None:
            await asyncio.shield(self._wire.closed)
        return self._end_reason

    async def drain(self) -> None:
        """Waits while the server reads slower than we write."""
        if self._wire is not None:
            await self._wire.drain()

    # calls

    async def call(self, name: str, *arguments: Any, timeout: float | None = None) -> Any:  # noqa: ASYNC109
        """Calls a method of the server; returns its result.

        Raises CallFailed when it answers with an error, ConnectionClosed, and TimeoutError after
        `timeout` seconds (the connection's own, if None).
        """
        connection = self._connection()
        transaction_id = connection.send_call(method_name(name), arguments, expect_result=True)
        return await self._answer(transaction_id, timeout)

    def send(self, name: str, *arguments: Any) -> None:
        """Calls a method of the server without asking for a result."""
        self._connection().send_call(method_name(name), arguments)
        self.flush()

    def method(self, name: str) -> Callable[[Method], Method]:
        """Registers what the server may call under this name, as a decorator; see `Methods`."""
        return self.methods.register(name)

    # streams and shared objects

    async def create_stream(self) -> NetStream:
        """A new message stream, to publish or play on."""
        transaction_id = self._connection().send_create_stream()
        stream: NetStream = await self._answer(transaction_id, None)
        return stream

    def shared_object(
        self,
        name: str,
        *,
        persistent: bool = False,
        echo: bool = True,
        object_encoding: int = 0,
    ) -> SharedObject:
        """A copy of the object of that name, to be used: `async with`, or `await use()`.

        It stays registered when the connection ends; a later one of that name takes its place.
        `object_encoding` 3 sends type 16 instead of 19.
        """
        shared = SharedObject(
            self, name, persistent=persistent, echo=echo, object_encoding=object_encoding
        )
        self._shared_objects[name] = shared
        return shared

    def send_shared_object(self, message: SharedObjectMessage) -> None:
        """Sends a shared-object message."""
        self._connection().send_shared_object(message)
        self.flush()

    def flush(self) -> None:
        """Writes what is queued; streams call it."""
        if self._wire is not None:
            self._wire.flush()

    def forget_stream(self, stream: NetStream) -> None:
        """The stream is gone; streams call it."""
        if self._streams.get(stream.id) is stream:  # not one of a later connection
            del self._streams[stream.id]

    def send_result(self, transaction_id: float, value: Any) -> None:
        """Answers a call of the server; dropped when the connection is gone."""
        if self._is_connected:
            self._connection().send_result(transaction_id, value)
            self.flush()

    def send_error(self, transaction_id: float, information: Any) -> None:
        """Answers a call of the server with an error; dropped likewise."""
        if self._is_connected:
            self._connection().send_error(transaction_id, information)
            self.flush()

    # inside

    def _connection(self) -> Connection:
        if self._wire is None or not self._is_connected:
            raise ConnectionClosed(self._end_reason)
        return self._wire.connection

    async def _answer(self, transaction_id: int, timeout: float | None) -> Any:  # noqa: ASYNC109
        future = asyncio.get_running_loop().create_future()
        self._calls[transaction_id] = future
        self.flush()
        try:
            async with asyncio.timeout(self.timeout if timeout is None else timeout):
                return await future
        finally:
            self._calls.pop(transaction_id, None)

    def _on_event(self, event: Event) -> None:
        match event:
            case CallReceived():
                self.methods.called(event)
            case ResultReceived(transaction_id=transaction_id, values=values, is_error=is_error):
                self._answered(transaction_id, values[0] if values else None, is_error=is_error)
            case HandshakeCompleted():
                self._send_connect()
            case ConnectAccepted(properties=properties, information=information):
                self._on_accepted(properties, information)
            case ConnectRejected(information=information):
                self._on_rejected(information)
            case StreamCreated(message_stream_id=stream_id, transaction_id=transaction_id):
                self._on_stream_created(stream_id, transaction_id)
            case StatusReceived(message_stream_id=0, information=information):
                self._tell(self.on_status, information)
            case SharedObjectReceived(message=message):
                self._on_shared_object(message)
            case _:
                stream = self._streams.get(getattr(event, "message_stream_id", 0))
                if stream is not None:
                    stream.receive(event)

    def _on_shared_object(self, message: SharedObjectMessage) -> None:
        self._tell(self.on_shared_object, message)
        shared = self._shared_objects.get(message.name)
        if shared is not None:
            shared.receive(message)

    def _tell(self, listener: Callable[[Any], None] | None, news: Any) -> None:
        """What a listener raises is not the connection's affair."""
        if listener is None:
            return
        try:
            listener(news)
        except Exception:
            logger.exception("%s failed", listener)

    def _send_connect(self) -> None:
        assert self._wire is not None
        self._wire.connection.send_connect(self._command_object, self._arguments)

    def _on_accepted(self, properties: Any, information: Any) -> None:
        self.properties, self.information = properties, information
        self._is_connected = True
        self._settle(None)

    def _on_rejected(self, information: Any) -> None:
        assert self._wire is not None
        self._settle(ConnectFailed(information))
        self._wire.close("rejected by the server")

    def _settle(self, error: ConnectFailed | None) -> None:
        """Lets `connect` go on, if it still waits."""
        assert self._accepted is not None
        if self._accepted.done():
            return
        if error is None:
            self._accepted.set_result(None)
        else:
            self._accepted.set_exception(error)

    def _on_stream_created(self, stream_id: int, transaction_id: float) -> None:
        assert self._wire is not None
        future = self._waiting(transaction_id)
        if future is not None:
            stream = self._streams[stream_id] = NetStream(self, self._wire, stream_id)
            future.set_result(stream)

    def _answered(self, transaction_id: float, value: Any, *, is_error: bool) -> None:
        future = self._waiting(transaction_id)
        if future is None:
            return
        if is_error:
            future.set_exception(CallFailed.of(value))
        else:
            future.set_result(value)

    def _waiting(self, transaction_id: float) -> asyncio.Future[Any] | None:
        """Who waits for this answer, if anybody still does."""
        future = self._calls.get(transaction_id)
        return None if future is None or future.done() else future

    def _on_end(self, wire: Wire, reason: str) -> None:
        if wire is not self._wire:  # given up before; another one may be open
            return
        self._end_reason = reason
        self._wire, self._is_connected = None, False
        closed = ConnectionClosed(reason)
        self._settle(ConnectFailed({"description": reason}))
        waiting = [future for future in self._calls.values() if not future.done()]
        for future in waiting:
            future.set_exception(closed)
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            stream.end(closed)
        for shared in self._shared_objects.values():
            shared.end(closed)
        self.methods.cancel()
