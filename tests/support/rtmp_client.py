"""A blocking RTMP client for tests, on the client role of our own protocol floor."""

import socket
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Self

from rtmp_channels.protocol import Connection, Role
from rtmp_channels.protocol.events import (
    CallReceived,
    ConnectAccepted,
    ConnectRejected,
    Event,
    HandshakeCompleted,
    ResultReceived,
)

TIMEOUT_SECONDS = 20.0


class RtmpRefusal(Exception):
    """`_error`: the first argument is what the server sent with it."""


class RtmpClient:
    """Connects on construction; every wait ends after TIMEOUT_SECONDS with TimeoutError."""

    def __init__(
        self,
        port: int,
        app: str,
        *,
        arguments: Sequence[object] = (),
        object_encoding: int = 0,
        host: str = "127.0.0.1",
    ) -> None:
        self.connection = Connection(Role.CLIENT)
        self.socket = socket.create_connection((host, port), TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self.events: deque[Event] = deque()
        self.flush()
        self.wait_for(lambda event: isinstance(event, HandshakeCompleted))
        self.connection.send_connect(
            {
                "app": app,
                "tcUrl": f"rtmp://{host}:{port}/{app}",
                "objectEncoding": object_encoding,
            },
            arguments,
        )
        self.flush()
        answer = self.wait_for(lambda event: isinstance(event, ConnectAccepted | ConnectRejected))
        if isinstance(answer, ConnectRejected):
            self.close()
            raise RtmpRefusal(answer.information)

    def call(self, name: str, *arguments: object) -> Any:
        """The value of the server's `_result`; RtmpRefusal for `_error`."""
        return self.result(self.send(name, *arguments))

    def send(self, name: str, *arguments: object) -> int:
        """Calls without waiting; returns the transaction id."""
        transaction_id = self.connection.send_call(name, arguments, expect_result=True)
        self.flush()
        return transaction_id

    def result(self, transaction_id: int) -> Any:
        """Waits for the answer to this call of ours."""

        def wanted(event: Event) -> bool:
            return isinstance(event, ResultReceived) and event.transaction_id == transaction_id

        result = self.wait_for(wanted)
        value = result.values[0] if result.values else None
        if result.is_error:
            raise RtmpRefusal(value)
        return value

    def next_call(self, name: str) -> CallReceived:
        """Waits for the server to call `name`; other events stay queued."""
        return self.wait_for(lambda event: isinstance(event, CallReceived) and event.name == name)

    def answer(self, call: CallReceived, value: object) -> None:
        self.connection.send_result(call.transaction_id, value)
        self.flush()

    def refuse(self, call: CallReceived, information: object) -> None:
        """Answers with an error."""
        self.connection.send_error(call.transaction_id, information)
        self.flush()

    def wait_for(self, wanted: Callable[[Event], bool]) -> Any:
        """Takes the first event that is `wanted` out of the queue, reading until there is one."""
        while True:
            for event in self.events:
                if wanted(event):
                    self.events.remove(event)
                    return event
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("the server closed the connection")
            self.events.extend(self.connection.receive_data(data))
            self.flush()

    def flush(self) -> None:
        """Sends what the connection has queued."""
        self.socket.sendall(self.connection.data_to_send())

    def close(self) -> None:
        with suppress(OSError):
            self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
