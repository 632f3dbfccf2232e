"""A connection's bytes: the handshake, then messages in chunks, and what waits to be written."""

from __future__ import annotations

from rtmp_channels.protocol.chunk_reader import ChunkReader
from rtmp_channels.protocol.client_commands import CONNECT_TRANSACTION_ID, ClientCommands
from rtmp_channels.protocol.config import ConnectionConfig, Role
from rtmp_channels.protocol.control import Acknowledgement
from rtmp_channels.protocol.errors import LocalProtocolError, RemoteProtocolError
from rtmp_channels.protocol.events import Event, HandshakeCompleted
from rtmp_channels.protocol.handshake import ClientHandshake, Handshake, ServerHandshake
from rtmp_channels.protocol.link import Link
from rtmp_channels.protocol.receiver import Commands, Receiver
from rtmp_channels.protocol.server_commands import ServerCommands
from rtmp_channels.protocol.state import ConnectionInput, ConnectionState
from rtmp_channels.protocol.streams import MessageStreams

_CONNECTED = ConnectionState.CONNECTED
"""By itself: looked up in its class it costs a shared message's way to a thousand connections."""


class Exchange:
    """What a `Connection` does with bytes, whatever they mean."""

    def __init__(self, role: Role = Role.SERVER, config: ConnectionConfig | None = None) -> None:
        self.role = role
        self.config = config or ConnectionConfig()
        self._link = Link(self.config)
        self._machine = self._link.machine
        self._handshake: Handshake | None = _handshake(role, self.config)
        self._link.write(self._handshake.data_to_send())
        self._streams = MessageStreams(self.config.max_message_streams)
        commands: Commands
        if role is Role.SERVER:
            self._server = commands = ServerCommands(self._link, self._streams)
        else:
            self._client = commands = ClientCommands(self._link)
        self._reader = _reader(role, self.config)
        self._receiver = Receiver(
            self._link, self._reader, role=role, streams=self._streams, commands=commands
        )
        self.has_more = False
        """Whether messages wait in what was received: see `messages_per_turn`."""
        self._held = bytearray()
        self._last_transaction_id = CONNECT_TRANSACTION_ID

    @property
    def state(self) -> ConnectionState:
        """Where the connection is; see `state`."""
        return self._machine.state

    @property
    def object_encoding(self) -> int:
        """0 or 3: what `connect` settled; commands travel in it."""
        return self._link.object_encoding

    # bytes

    def receive_data(self, data: bytes | bytearray | memoryview, now: float = 0.0) -> list[Event]:
        """Takes what the transport read and reports what it means; nothing once CLOSED.

        `now` is any monotonic clock in seconds, used for round-trip times. Raises
        RemoteProtocolError when the peer breaks the protocol or a limit; its `events` hold what
        came before.
        """
        events: list[Event] = []
        if self.state is ConnectionState.CLOSED:
            return events
        self._link.now = now
        self._receiver.ping_answers_left = self.config.max_ping_answers
        try:
            self._receive(data if isinstance(data, bytes) else bytes(data), events)
        except RemoteProtocolError as error:
            self._fail(error, events)
            raise
        return events

    def receive_more(self) -> list[Event]:
        """Goes on with what was received, as `receive_data` does, while `has_more`."""
        events: list[Event] = []
        if self.has_more:
            try:
                self._read_messages(events)
            except RemoteProtocolError as error:
                self._fail(error, events)
                raise
        return events

    @property
    def sent_bytes(self) -> int:
        """How much was handed out so far."""
        return self._link.window.sent

    @property
    def queued_bytes(self) -> int:
        """How much `data_to_send` would hand out."""
        return self._link.queued_bytes

    @property
    def received_bytes(self) -> int:
        """How much `receive_data` has taken so far."""
        return self._receiver.window.received

    @property
    def unfinished_bytes(self) -> int:
        """How much was received that is no event yet."""
        return self._reader.partial_bytes + len(self._held)

    def drop_unfinished(self) -> None:
        """Gives up what was received that is no event yet: `receive_data` must not be called."""
        self._reader.clear()
        self._held = bytearray()
        self.has_more = False

    def data_to_send(self) -> bytes:
        """Everything queued since the last call; empty when there is nothing to write."""
        return self._link.take()

    def send_raw(self, data: bytes) -> None:
        """Queues bytes from `outbound`, chunked at this connection's chunk size, as they are."""
        link = self._link
        if link.machine.state is not _CONNECTED:
            self._sending("shared bytes")
        link.write(data)

    def pass_on(self, data: bytes) -> bytes:
        """`send_raw` and `data_to_send` in one step, for each packet to each player of a stream."""
        link = self._link
        if link.queued_bytes:
            self.send_raw(data)
            return link.take()
        if link.machine.state is not _CONNECTED:
            self._sending("shared bytes")
        link.window.sent += len(data)
        return data

    def _receive(self, data: bytes, events: list[Event]) -> None:
        sequence_number = self._receiver.window.receive(len(data))
        if self._handshake is not None:
            data = self._shake_hands(self._handshake, data, events)
        if self._is_held:
            self._hold(data)
        elif data:
            self._reader.feed(data)
            self._read_messages(events)
        if sequence_number is not None:
            self._link.write_control(Acknowledgement(sequence_number))

    def _shake_hands(self, handshake: Handshake, data: bytes, events: list[Event]) -> bytes:
        rest = handshake.receive_data(data)
        self._link.write(handshake.data_to_send())
        if handshake.is_complete:
            self._handshake = None
            self._machine.on_received(ConnectionInput.HANDSHAKE_DONE, "handshake")
            events.append(HandshakeCompleted(handshake.digest_scheme))
        return rest

    def _read_messages(self, events: list[Event]) -> None:
        reader, receiver = self._reader, self._receiver
        left = self.config.messages_per_turn
        self.has_more = False
        while (message := reader.next_message()) is not None:
            events += receiver.receive(message)
            if self._is_held:
                return
            if left is not None:
                left -= 1
                if not left:
                    self.has_more = True
                    return

    @property
    def _is_held(self) -> bool:
        """Whether `connect` waits for the application, and what follows it for that."""
        return self.role is Role.SERVER and self.state is ConnectionState.CONNECTING

    def _hold(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > self.config.max_held_bytes:
            raise RemoteProtocolError(
                f"more than {self.config.max_held_bytes} bytes behind an unanswered connect"
            )

    def _release_held(self) -> list[Event]:
        events: list[Event] = []
        held = bytes(self._held)
        self._held = bytearray()
        try:
            self._reader.feed(held)
            self._read_messages(events)
        except RemoteProtocolError as error:
            self._fail(error, events)
            raise
        return events

    def _fail(self, error: RemoteProtocolError, events: list[Event]) -> None:
        error.events = events
        self._machine.on_received(ConnectionInput.FAIL, "failure")

    def _sending(self, what: str) -> None:
        if self._machine.state is not _CONNECTED:  # else the table says the same
            self._machine.on_sent(ConnectionInput.SEND, what)

    def _require(self, role: Role, what: str) -> None:
        if self.role is not role:
            raise LocalProtocolError(f"{what} is for the {role.value}")


def _handshake(role: Role, config: ConnectionConfig) -> Handshake:
    if role is Role.SERVER:
        return ServerHandshake(config.random_bytes)
    return ClientHandshake(config.random_bytes, offer_digest=config.digest_handshake)


def _reader(role: Role, config: ConnectionConfig) -> ChunkReader:
    """A server's takes little until `connect` is accepted."""
    limits = config.max_message_length, config.max_partial_bytes
    if role is Role.SERVER:
        limits = config.max_connect_length, config.max_connect_length
    return ChunkReader(
        max_message_length=limits[0],
        max_partial_bytes=limits[1],
        max_chunk_streams=config.max_chunk_streams,
    )
