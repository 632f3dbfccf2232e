"""The other side of a Connection under test: hand-made chunks in, what it wrote taken apart."""

from __future__ import annotations

from typing import Any

from amf_remoting import amf
from rtmp_channels.protocol import Connection, ConnectionConfig
from rtmp_channels.protocol.chunk import Message
from rtmp_channels.protocol.chunk_reader import ChunkReader
from rtmp_channels.protocol.events import ConnectRequested, Event, HandshakeCompleted

from .chunks import message

PLAIN_HANDSHAKE = b"\x03" + bytes(1536) + bytes(1536)


def command(name: str, transaction_id: float, *rest: Any, stream: int = 0) -> bytes:
    """The chunks of a type 20 command; `rest` is the command object and the arguments."""
    return message(amf.dumps_many([name, transaction_id, *rest], 0), type=20, stream=stream)


def call(name: str, transaction_id: float, *arguments: Any, stream: int = 0) -> bytes:
    """The chunks of a command with a null command object."""
    return command(name, transaction_id, None, *arguments, stream=stream)


def connect(**options: Any) -> bytes:
    """The chunks of a `connect` to lobby/room."""
    values = {"app": "lobby/room", "tcUrl": "rtmp://127.0.0.1/lobby/room"} | options
    return command("connect", 1, values)


class Written:
    """Takes apart what a connection wrote, handshake first."""

    def __init__(self, connection: Connection, *, handshake_size: int = 3073) -> None:
        self._connection = connection
        self._skip = handshake_size
        self._reader = ChunkReader(
            max_message_length=1 << 24, max_partial_bytes=1 << 25, max_chunk_streams=8
        )

    def messages(self) -> list[Message]:
        """Whole messages written since the last call."""
        data = self._connection.data_to_send()
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        self._reader.feed(data[skipped:])
        found = []
        while (next_one := self._reader.next_message()) is not None:
            if next_one.type == 1:
                self._reader.chunk_size = int.from_bytes(next_one.payload, "big")
            found.append(next_one)
        assert self._reader.partial_bytes == 0
        return found

    def commands(self) -> list[tuple[int, list[Any]]]:
        """(message stream id, values) of the commands written since the last call."""
        return [
            (found.message_stream_id, values_of(found))
            for found in self.messages()
            if found.type in (17, 20)
        ]


def values_of(found: Message) -> list[Any]:
    """The AMF values of a command or data message."""
    payload = found.payload[1:] if found.type in (15, 17) else found.payload
    return amf.loads_many(payload, 0, avmplus_tables="fresh")


def open_server(**config: Any) -> tuple[Connection, Written]:
    """A server whose peer has shaken hands, plainly."""
    connection = Connection(config=ConnectionConfig(**config))
    assert connection.receive_data(PLAIN_HANDSHAKE) == [HandshakeCompleted(None)]
    return connection, Written(connection)


def connected_server(
    options: dict[str, Any] | None = None, **config: Any
) -> tuple[Connection, Written]:
    """A server that has accepted its peer; what it wrote so far is read."""
    connection, written = open_server(**config)
    (requested,) = connection.receive_data(connect(**(options or {})))
    assert isinstance(requested, ConnectRequested)
    assert connection.accept_connect() == []
    written.messages()
    return connection, written


def publishing_server(**config: Any) -> tuple[Connection, Written]:
    """A connected server whose peer publishes "a" on stream 1."""
    connection, written = connected_server(**config)
    connection.receive_data(call("createStream", 2) + call("publish", 3, "a", stream=1))
    written.messages()
    return connection, written


def receive_one(connection: Connection, data: bytes) -> Event:
    """The only event in these bytes."""
    (event,) = connection.receive_data(data)
    return event
