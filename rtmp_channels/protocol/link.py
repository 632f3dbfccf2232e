"""What both roles write through: one queue, the chunk size, the encoding of commands."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, TypeAlias

from rtmp_channels.protocol.acknowledgement import SendWindow
from rtmp_channels.protocol.chunk import Message, serialize_message
from rtmp_channels.protocol.commands import Command, serialize_values
from rtmp_channels.protocol.config import ConnectionConfig
from rtmp_channels.protocol.constants import DEFAULT_CHUNK_SIZE, MessageType
from rtmp_channels.protocol.control import (
    Abort,
    Acknowledgement,
    LimitType,
    SetChunkSize,
    SetPeerBandwidth,
    WindowAcknowledgementSize,
)
from rtmp_channels.protocol.outbound import chunk_stream_id_of
from rtmp_channels.protocol.state import StateMachine
from rtmp_channels.protocol.user_control import StreamEvent, UserControlEvent, UserControlType

ControlMessage: TypeAlias = (
    SetChunkSize
    | Abort
    | Acknowledgement
    | WindowAcknowledgementSize
    | SetPeerBandwidth
    | UserControlEvent
)


class Link:
    """The writing half of a connection."""

    __slots__ = (
        "_chunk_size",
        "_queue",
        "config",
        "machine",
        "now",
        "object_encoding",
        "queued_bytes",
        "window",
    )

    def __init__(self, config: ConnectionConfig) -> None:
        self.config = config
        self.machine = StateMachine()
        self.window = SendWindow()
        self.object_encoding = 0
        self.now = 0.0
        """Seconds, by the clock of whoever calls."""
        self._chunk_size = DEFAULT_CHUNK_SIZE
        self.queued_bytes = 0
        self._queue: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Queues bytes as they are."""
        if data:
            self._queue.append(data)
            self.queued_bytes += len(data)

    def take(self) -> bytes:
        """Everything queued since the last call."""
        queue = self._queue
        if not queue:
            return b""
        data = queue.pop() if len(queue) == 1 else b"".join(queue)
        queue.clear()
        self.queued_bytes = 0
        self.window.sent += len(data)
        return data

    def write_message(self, message: Message) -> None:
        self.write(
            serialize_message(
                message,
                chunk_stream_id=chunk_stream_id_of(message.type),
                chunk_size=self._chunk_size,
            )
        )

    def write_control(self, control: ControlMessage) -> None:
        self.write_message(Message(control.type, 0, 0, control.serialize()))

    def announce_chunk_size(self) -> None:
        """Our chunks are `config.chunk_size` long from here on."""
        self.write_control(SetChunkSize(self.config.chunk_size))
        self._chunk_size = self.config.chunk_size

    def announce_window(self, window: int) -> None:
        """Asks the peer for acknowledgements."""
        self.write_control(WindowAcknowledgementSize(window))
        self.window.announced = window

    def announce_all(self) -> None:
        """What precedes connect's answer: our window, the peer's, our chunk size, StreamBegin 0."""
        config = self.config
        window, chunk_size = config.window_acknowledgement_size, config.chunk_size
        self.write(_announcements(window, config.peer_bandwidth, chunk_size))
        self.window.announced = window
        self._chunk_size = chunk_size

    def write_command(
        self,
        name: str,
        transaction_id: float,
        *arguments: Any,
        command_object: Any = None,
        message_stream_id: int = 0,
    ) -> None:
        """A command in the connection's encoding."""
        command = Command(name, transaction_id, command_object, list(arguments))
        self.write_encoded(command, self.object_encoding, message_stream_id)

    def write_encoded(
        self, command: Command, object_encoding: int, message_stream_id: int = 0
    ) -> None:
        """A command as type 20 or, with `object_encoding` 3, as type 17."""
        message_type = (
            MessageType.COMMAND_AMF3 if object_encoding == 3 else MessageType.COMMAND_AMF0
        )
        payload = command.serialize(object_encoding)
        self.write_message(Message(message_type, message_stream_id, 0, payload))

    def write_status(self, message_stream_id: int, information: Any) -> None:
        self.write_command("onStatus", 0, information, message_stream_id=message_stream_id)

    def write_values(self, message_stream_id: int, values: Sequence[Any]) -> None:
        """A data message; AMF0, which clients of either encoding read."""
        payload = serialize_values(list(values))
        self.write_message(Message(MessageType.DATA_AMF0, message_stream_id, 0, payload))


@functools.lru_cache(maxsize=8)
def _announcements(window: int, peer_bandwidth: int, chunk_size: int) -> bytes:
    """The same bytes for every connection of a server."""
    messages = (
        WindowAcknowledgementSize(window),
        SetPeerBandwidth(peer_bandwidth, LimitType.DYNAMIC),
        SetChunkSize(chunk_size),
        StreamEvent(UserControlType.STREAM_BEGIN, 0),
    )
    return b"".join(
        serialize_message(
            Message(message.type, 0, 0, message.serialize()),
            chunk_stream_id=chunk_stream_id_of(message.type),
            chunk_size=DEFAULT_CHUNK_SIZE,
        )
        for message in messages
    )
