"""`NetStream`: packets out to, or in from, one stream."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, TypeAlias

from rtmp_channels.client.errors import StreamFailed
from rtmp_channels.client.wire import Wire
from rtmp_channels.protocol.commands import serialize_values
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.events import (
    DataReceived,
    Event,
    MediaReceived,
    StatusReceived,
    StreamEventReceived,
)
from rtmp_channels.protocol.user_control import UserControlType

if TYPE_CHECKING:
    from rtmp_channels.client.net_connection import NetConnection

Packet: TypeAlias = MediaReceived | DataReceived

_PUBLISHED = "NetStream.Publish.Start"
_PLAYING = "NetStream.Play.Start"
_ENDED = frozenset(("NetStream.Play.Stop", "NetStream.Play.UnpublishNotify"))


class NetStream:
    """One message stream; `NetConnection.create_stream` makes it.

    ```python
    stream = await connection.create_stream()
    await stream.play("feed")
    async for packet in stream:
        ...
    ```
    Packets that nobody takes wait, up to `max_waiting`; then the connection reads no further.
    """

    def __init__(self, connection: NetConnection, wire: Wire, message_stream_id: int) -> None:
        self.id = message_stream_id
        self.statuses: deque[Any] = deque(maxlen=100)
        """Status objects about this stream, the latest last."""
        self.max_waiting = 1000
        self._connection = connection
        self._wire = wire
        self._waiting: deque[Packet] = deque()
        self._news = asyncio.Event()
        self._ended = False
        self._over: Exception | None = None
        """Why nothing can be sent any more."""
        self._awaited = ""
        self._started: asyncio.Future[None] | None = None

    # out

    async def publish(self, name: str, publish_type: str = "live") -> None:
        """Starts to publish; raises StreamFailed when the server refuses, and TimeoutError.

        This and all that sends raises ConnectionClosed when the connection has ended, also when it
        was opened again, and StreamFailed after `close`: a new stream is needed.
        """
        await self._start(_PUBLISHED, "publish", name, publish_type)

    def send_audio(self, timestamp: int, payload: bytes) -> None:
        """Sends one audio message: an FLV tag's body, at so many milliseconds."""
        self._send(MessageType.AUDIO, timestamp, payload)

    def send_video(self, timestamp: int, payload: bytes) -> None:
        """Sends one video message."""
        self._send(MessageType.VIDEO, timestamp, payload)

    def send_data(self, name: str, *values: Any, timestamp: int = 0) -> None:
        """Calls a handler on every player, as NetStream.send does."""
        payload = serialize_values([name, *values])
        self._send(MessageType.DATA_AMF0, timestamp, payload)

    def send_metadata(self, properties: dict[str, Any], *, timestamp: int = 0) -> None:
        """Sends onMetaData, which the server keeps for those who join later."""
        self.send_data("@setDataFrame", "onMetaData", properties, timestamp=timestamp)

    async def drain(self) -> None:
        """Waits while the server reads slower than we write; call it between packets."""
        await self._wire.drain()

    # in

    async def play(
        self, name: str, *, start: float = -2, duration: float = -1, reset: bool = True
    ) -> None:
        """Starts to play, times in milliseconds; iterate over the stream for its packets.

        `start` -2 is live, else recorded; -1 is live only. Raises StreamFailed and TimeoutError.
        """
        await self._start(_PLAYING, "play", name, start, duration, reset)

    async def __aiter__(self) -> AsyncIterator[Packet]:
        while True:
            while self._waiting:
                packet = self._waiting.popleft()
                if len(self._waiting) == self.max_waiting // 2:
                    self._wire.resume()
                yield packet
            if self._ended:
                return
            self._news.clear()
            await self._news.wait()

    # both

    def close(self) -> None:
        """Deletes the stream; harmless when the connection is gone."""
        if self._connection.is_connected and not self._ended:
            connection = self._wire.connection
            connection.send_call("closeStream", message_stream_id=self.id)
            connection.send_call("deleteStream", [self.id])
            self._wire.flush()
        self._connection.forget_stream(self)
        self._waiting.clear()
        self._wire.resume()
        self.end(None)

    # what the connection reports

    def receive(self, event: Event) -> None:
        """Takes an event of this stream."""
        match event:
            case MediaReceived() | DataReceived():
                self._waiting.append(event)
                if len(self._waiting) > self.max_waiting:
                    self._wire.pause()
            case StatusReceived(information=information):
                self._on_status(information)
            case StreamEventReceived(type=UserControlType.STREAM_EOF):
                self._ended = True
        self._news.set()

    def end(self, error: Exception | None) -> None:
        """Nothing more will come, nor go."""
        self._ended = True
        self._over = self._over or error or StreamFailed("closed by us")
        self._news.set()
        if self._started is not None and not self._started.done():
            self._started.set_exception(self._over)

    def _on_status(self, information: Any) -> None:
        self.statuses.append(information)
        if not isinstance(information, dict):
            return
        code = information.get("code")
        is_error = information.get("level") == "error"
        if code in _ENDED:
            self._ended = True
        if self._started is None or self._started.done():
            self._ended |= is_error  # a player whose publisher did not come in time, say
            return
        if code == self._awaited:
            self._started.set_result(None)
        elif is_error:
            self._started.set_exception(StreamFailed(information))

    async def _start(self, awaited: str, command: str, *arguments: Any) -> None:
        self._check()
        self._ended = False
        self._awaited = awaited
        self._started = asyncio.get_running_loop().create_future()
        self._wire.connection.send_call(command, arguments, message_stream_id=self.id)
        self._wire.flush()
        async with asyncio.timeout(self._connection.timeout):
            await self._started

    def _send(self, message_type: MessageType, timestamp: int, payload: bytes) -> None:
        self._check()
        self._wire.connection.send_message(self.id, message_type, timestamp, payload)
        self._wire.flush()

    def _check(self) -> None:
        if self._over is not None:
            raise self._over.with_traceback(None)
