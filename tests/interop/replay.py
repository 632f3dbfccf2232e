"""What a recorded client said, cut where it waited for an answer, and a socket to say it again."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

from rtmp_channels.protocol import Connection, Role
from rtmp_channels.protocol.chunk import Message
from rtmp_channels.protocol.chunk_reader import ChunkReader
from rtmp_channels.protocol.commands import Command
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.events import (
    CallReceived,
    ConnectRequested,
    Event,
    PlayRequested,
    PublishRequested,
    SharedObjectReceived,
    StreamCreated,
)
from rtmp_channels.protocol.shared_object import (
    RequestChange,
    RequestRemove,
    SharedObjectMessage,
    Use,
)

C0_C1 = 1 + 1536
S0_S1_S2 = 1 + 2 * 1536
SECONDS = 10.0
_ASKS = (Use, RequestChange, RequestRemove)


@dataclass(frozen=True)
class Step:
    """Bytes up to ``end`` of the recording, and the request that they complete."""

    end: int
    event: Event


def steps(recording: bytes) -> list[Step]:
    """The requests of a recorded client that a server owes an answer, with their positions."""
    connection = Connection(Role.SERVER)
    found: list[Step] = []
    for position in range(len(recording)):
        pending = connection.receive_data(recording[position : position + 1])
        while pending:
            event = pending.pop(0)
            if _is_answered(event):
                found.append(Step(position + 1, event))
            if isinstance(event, ConnectRequested):
                pending += connection.accept_connect()
    return found


def _is_answered(event: Event) -> bool:
    match event:
        case ConnectRequested() | StreamCreated() | PlayRequested() | PublishRequested():
            return True
        case CallReceived(transaction_id=transaction_id):
            return transaction_id != 0
        case SharedObjectReceived(message=message):
            return any(isinstance(each, _ASKS) for each in message.events)
    return False


class Peer:
    """A TCP connection to a server: plain bytes out, messages in."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = ChunkReader(
            max_message_length=2**20, max_partial_bytes=2**20, max_chunk_streams=16
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def shake_hands(self, c0_c1: bytes) -> bytes:
        """Sends C0 and C1; returns S0, S1 and S2."""
        self._socket.sendall(c0_c1)
        answer = b""
        while len(answer) < S0_S1_S2:
            answer += self._receive(S0_S1_S2 - len(answer))
        return answer

    def send(self, data: bytes, *, size: int | None = None) -> None:
        """At once, or so many bytes a write."""
        for at in range(0, len(data), size or len(data) or 1):
            self._socket.sendall(data[at : at + (size or len(data))])

    def finish(self) -> None:
        """Says that nothing more will come and waits until the server has closed its side too."""
        self._socket.shutdown(socket.SHUT_WR)
        while self._socket.recv(65_536):
            pass

    def messages(self) -> Iterator[Message]:
        """What the server sends, as it comes."""
        while True:
            while (message := self._reader.next_message()) is not None:
                if message.type == MessageType.SET_CHUNK_SIZE:
                    self._reader.chunk_size = int.from_bytes(message.payload, "big")
                yield message
            self._reader.feed(self._receive(65_536))

    def _receive(self, size: int) -> bytes:
        data = self._socket.recv(size)
        assert data, "the server closed the connection"
        return data

    def answer(self, event: Event) -> Any:
        """What the server answers to a request: a command, or the events of a shared object."""
        match event:
            case ConnectRequested() | StreamCreated() | CallReceived():
                return self._command(lambda it: it.transaction_id == event.transaction_id)
            case PlayRequested() | PublishRequested():
                return self._command(lambda it: it.name == "onStatus")
        shared = MessageType.SHARED_OBJECT_AMF0
        message = next(message for message in self.messages() if message.type == shared)
        return SharedObjectMessage.parse(message.payload)

    def _command(self, wanted: Callable[[Command], bool]) -> Command:
        for message in self.messages():
            if message.type == MessageType.COMMAND_AMF0:
                command = Command.parse(message.payload)
                if wanted(command):
                    return command
        raise AssertionError("unreachable")
