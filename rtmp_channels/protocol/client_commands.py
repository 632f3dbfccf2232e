"""The commands of servers, as a client understands them (RTMP 1.0 §7.2)."""

from __future__ import annotations

from typing import Any

from rtmp_channels.protocol.commands import Command
from rtmp_channels.protocol.events import (
    CallReceived,
    ConnectAccepted,
    ConnectRejected,
    Event,
    ResultReceived,
    StatusReceived,
    StreamCreated,
)
from rtmp_channels.protocol.link import Link
from rtmp_channels.protocol.state import ConnectionInput, ConnectionState

CONNECT_TRANSACTION_ID = 1
"""connect is the first command of every connection (§7.2.1.1)."""


class ClientCommands:
    """Understands the commands that reach a client."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._stream_requests: set[float] = set()
        self.wanted_object_encoding = 0

    def expect_stream(self, transaction_id: int) -> None:
        """The answer to this transaction will be a message stream's id."""
        self._stream_requests.add(transaction_id)

    def receive(self, message_stream_id: int, command: Command) -> list[Event]:
        """What one command means; answers are queued on the link."""
        self._link.machine.on_received(ConnectionInput.RECEIVE, f"command {command.name[:64]!r}")
        if command.name in ("_result", "_error"):
            return self._result(command, is_error=command.name == "_error")
        if command.name == "onStatus":
            return [StatusReceived(message_stream_id, _first(command.arguments))]
        return [
            CallReceived(
                message_stream_id=message_stream_id,
                transaction_id=command.transaction_id,
                name=command.name,
                command_object=command.command_object,
                arguments=command.arguments,
            )
        ]

    def _result(self, command: Command, *, is_error: bool) -> list[Event]:
        connecting = self._link.machine.state is ConnectionState.CONNECTING
        if connecting and command.transaction_id == CONNECT_TRANSACTION_ID:
            return [self._rejected(command) if is_error else self._accepted(command)]
        value = _first(command.arguments)
        if command.transaction_id in self._stream_requests:
            self._stream_requests.discard(command.transaction_id)
            if not is_error and isinstance(value, int | float) and 0 < value < 1 << 32:
                return [StreamCreated(int(value), command.transaction_id)]
        return [ResultReceived(command.transaction_id, command.arguments, is_error)]

    def _accepted(self, command: Command) -> Event:
        self._link.machine.on_received(ConnectionInput.ACCEPT, "connect's answer")
        self._link.object_encoding = self.wanted_object_encoding
        if not self._link.window.announced:  # Set Peer Bandwidth has not asked for one
            self._link.announce_window(self._link.config.window_acknowledgement_size)
        return ConnectAccepted(command.command_object, _first(command.arguments))

    def _rejected(self, command: Command) -> Event:
        self._link.machine.on_received(ConnectionInput.REJECT, "connect's refusal")
        return ConnectRejected(_first(command.arguments))


def _first(values: list[Any]) -> Any:
    return values[0] if values else None
