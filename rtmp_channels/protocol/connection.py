"""One RTMP connection without I/O: bytes in, events out (RTMP 1.0, all of it but the sockets).

```python
connection = Connection(Role.SERVER)
for event in connection.receive_data(data, now=loop.time()):
    match event:
        case ConnectRequested():
            events += connection.accept_connect()
transport.write(connection.data_to_send())
```
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from rtmp_channels.protocol import status
from rtmp_channels.protocol.chunk import Message
from rtmp_channels.protocol.chunk_reader import ChunkReader
from rtmp_channels.protocol.client_commands import CONNECT_TRANSACTION_ID, ClientCommands
from rtmp_channels.protocol.commands import Command
from rtmp_channels.protocol.config import ConnectionConfig, Role
from rtmp_channels.protocol.constants import TIMESTAMP_MODULUS, MessageType
from rtmp_channels.protocol.control import Acknowledgement
from rtmp_channels.protocol.errors import LocalProtocolError, RemoteProtocolError
from rtmp_channels.protocol.events import Event, HandshakeCompleted
from rtmp_channels.protocol.handshake import ClientHandshake, Handshake, ServerHandshake
from rtmp_channels.protocol.link import Link
from rtmp_channels.protocol.receiver import Commands, Receiver
from rtmp_channels.protocol.server_commands import ServerCommands
from rtmp_channels.protocol.shared_object import SharedObjectMessage
from rtmp_channels.protocol.state import ConnectionInput, ConnectionState, StreamInput, StreamState
from rtmp_channels.protocol.streams import MessageStream, MessageStreams
from rtmp_channels.protocol.user_control import (
    Ping,
    SetBufferLength,
    StreamEvent,
    UserControlType,
)


class Connection:
    """One side of an RTMP connection.

    Methods that write only queue bytes; `data_to_send` hands them out. They raise
    LocalProtocolError when the state does not allow them, or a value cannot be written.
    """

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

    def data_to_send(self) -> bytes:
        """Everything queued since the last call; empty when there is nothing to write."""
        return self._link.take()

    def send_raw(self, data: bytes) -> None:
        """Queues bytes from `outbound`, chunked at this connection's chunk size, as they are."""
        self._sending("shared bytes")
        self._link.write(data)

    def pass_on(self, data: bytes) -> bytes:
        """`send_raw` and `data_to_send` in one step, for each packet to each player of a stream."""
        link = self._link
        if link.queued_bytes:
            self.send_raw(data)
            return link.take()
        if link.machine.state is not ConnectionState.CONNECTED:
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

    def _fail(self, error: RemoteProtocolError, events: list[Event]) -> None:
        error.events = events
        self.has_more = False
        self._machine.on_received(ConnectionInput.FAIL, "failure")

    # connect

    def send_connect(
        self, command_object: Mapping[str, Any], arguments: Sequence[Any] = ()
    ) -> None:
        """Client: asks to connect; allowed from HandshakeCompleted on.

        `command_object` holds at least "app" and "tcUrl"; "objectEncoding" 3 asks for AMF3.
        Reported by ConnectAccepted or ConnectRejected.
        """
        self._require(Role.CLIENT, "send_connect")
        options = dict(command_object)
        command = Command("connect", CONNECT_TRANSACTION_ID, options, list(arguments))
        payload = command.serialize()
        self._machine.on_sent(ConnectionInput.CONNECT, "connect")
        self._client.wanted_object_encoding = 3 if options.get("objectEncoding") == 3 else 0
        self._link.announce_chunk_size()
        self._link.write_message(Message(MessageType.COMMAND_AMF0, 0, 0, payload))

    def accept_connect(
        self,
        *,
        properties: Mapping[str, Any] | None = None,
        information: Mapping[str, Any] | None = None,
    ) -> list[Event]:
        """Server: answers ConnectRequested, and returns the events held back behind it.

        Writes WindowAcknowledgementSize, SetPeerBandwidth, SetChunkSize, StreamBegin 0 and
        `_result`. The two mappings add to, and override, what the answer says by itself. May raise
        RemoteProtocolError as `receive_data` does, for what was held back.
        """
        self._require(Role.SERVER, "accept_connect")
        answer = self._connect_answer(properties or {}, information or {})
        self._machine.on_sent(ConnectionInput.ACCEPT, "accept_connect")
        self._reader.max_message_length = self.config.max_message_length
        self._reader.max_partial_bytes = self.config.max_partial_bytes
        self._link.announce_all()
        self._link.write_message(Message(MessageType.COMMAND_AMF0, 0, 0, answer))
        return self._release_held()

    def _connect_answer(
        self, properties: Mapping[str, Any], information: Mapping[str, Any]
    ) -> bytes:
        """Always type 20, as `connect` itself is: AMF3 begins after it."""
        arguments = (
            self._server.connect_transaction_id,
            self.object_encoding,
            self.config.server_version,
        )
        if properties or information:
            return _answer(*arguments, properties, information)
        return _usual_answer(*arguments)

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

    def reject_connect(
        self,
        code: str = status.CONNECT_REJECTED,
        description: str = "Connection rejected.",
        *,
        information: Mapping[str, Any] | None = None,
    ) -> None:
        """Server: answers ConnectRequested with `_error`; the connection is over, close it.

        `information` adds to the status object (`application`, `ex`).
        """
        self._require(Role.SERVER, "reject_connect")
        refusal = status.error(code, description, information)
        command = Command("_error", self._server.connect_transaction_id, None, [refusal])
        payload = command.serialize()
        self._machine.on_sent(ConnectionInput.REJECT, "reject_connect")
        self._link.write_message(Message(MessageType.COMMAND_AMF0, 0, 0, payload))
        self._held = bytearray()

    # calls

    def send_call(
        self,
        name: str,
        arguments: Sequence[Any] = (),
        *,
        expect_result: bool = False,
        message_stream_id: int = 0,
    ) -> int:
        """Calls a method of the peer; returns the transaction id, 0 when no result is expected.

        The answer comes as ResultReceived with that id.
        """
        self._sending(f"call of {name!r}")
        transaction_id = self._last_transaction_id + 1 if expect_result else 0
        self._link.write_command(
            name, transaction_id, *arguments, message_stream_id=message_stream_id
        )
        if expect_result:
            self._last_transaction_id = transaction_id
        return transaction_id

    def send_result(
        self, transaction_id: float, value: Any = None, *, message_stream_id: int = 0
    ) -> None:
        """Answers CallReceived with `_result`; nothing is written for transaction id 0."""
        self._sending("result")
        if transaction_id:
            self._link.write_command(
                "_result", transaction_id, value, message_stream_id=message_stream_id
            )

    def send_error(
        self, transaction_id: float, information: Any, *, message_stream_id: int = 0
    ) -> None:
        """Answers CallReceived with `_error`; nothing is written for transaction id 0."""
        self._sending("error")
        if transaction_id:
            self._link.write_command(
                "_error", transaction_id, information, message_stream_id=message_stream_id
            )

    def send_status(self, message_stream_id: int, information: Mapping[str, Any]) -> None:
        """Sends onStatus: to the connection (stream 0) or to one stream."""
        self._sending("status")
        self._link.write_status(message_stream_id, dict(information))

    # streams

    def send_create_stream(self) -> int:
        """Client: asks for a message stream; StreamCreated reports it with this transaction id."""
        self._require(Role.CLIENT, "send_create_stream")
        transaction_id = self.send_call("createStream", expect_result=True)
        self._client.expect_stream(transaction_id)
        return transaction_id

    def accept_publish(self, message_stream_id: int) -> None:
        """Server: answers PublishRequested with NetStream.Publish.Start."""
        stream = self._busy(message_stream_id, StreamState.PUBLISHING, "accept_publish")
        information = status.status(status.PUBLISH_START, f"{stream.label} is now published.")
        self._link.write_status(stream.id, information)

    def reject_publish(
        self,
        message_stream_id: int,
        code: str = status.PUBLISH_BAD_NAME,
        description: str = "Publishing refused.",
    ) -> None:
        """Server: refuses PublishRequested; the stream is idle again and its media dropped."""
        stream = self._busy(message_stream_id, StreamState.PUBLISHING, "reject_publish")
        self._link.write_status(stream.id, status.error(code, description))
        stream.change(StreamInput.CLOSE)

    def accept_play(self, message_stream_id: int, *, is_recorded: bool = False) -> None:
        """Server: answers PlayRequested with all that precedes onMetaData.

        StreamBegin, StreamIsRecorded if it is, Play.Reset if asked, Play.Start, |RtmpSampleAccess.
        """
        stream = self._busy(message_stream_id, StreamState.PLAYING, "accept_play")
        link = self._link
        if is_recorded:
            link.write_control(StreamEvent(UserControlType.STREAM_IS_RECORDED, stream.id))
        link.write_control(StreamEvent(UserControlType.STREAM_BEGIN, stream.id))
        if stream.reset:
            description = f"Playing and resetting {stream.label}."
            link.write_status(stream.id, status.status(status.PLAY_RESET, description))
        description = f"Started playing {stream.label}."
        link.write_status(stream.id, status.status(status.PLAY_START, description))
        link.write_values(stream.id, ["|RtmpSampleAccess", True, True])

    def reject_play(
        self,
        message_stream_id: int,
        code: str = status.PLAY_STREAM_NOT_FOUND,
        description: str = "No such stream.",
    ) -> None:
        """Server: refuses PlayRequested; the stream is idle again."""
        stream = self._busy(message_stream_id, StreamState.PLAYING, "reject_play")
        self._link.write_status(stream.id, status.error(code, description))
        stream.change(StreamInput.CLOSE)

    def finish_play(self, message_stream_id: int, *, complete: bool = False) -> None:
        """Server: the stream ended; sends StreamEof and Play.Stop, and the stream is idle again.

        `complete` (a recording played to its end) sends onPlayStatus Play.Complete first.
        """
        stream = self._busy(message_stream_id, StreamState.PLAYING, "finish_play")
        if complete:
            information = status.status(status.PLAY_COMPLETE, "")
            self._link.write_values(stream.id, ["onPlayStatus", information])
        self._link.write_control(StreamEvent(UserControlType.STREAM_EOF, stream.id))
        description = f"Stopped playing {stream.label}."
        self._link.write_status(stream.id, status.status(status.PLAY_STOP, description))
        stream.change(StreamInput.CLOSE)

    # everything else

    def send_message(
        self, message_stream_id: int, type: int, timestamp: int, payload: bytes
    ) -> None:
        """Sends one message as it is: media, data, or whatever has no method of its own."""
        self._sending("message")
        self._link.write_message(Message(type, message_stream_id, timestamp, payload))

    def send_shared_object(self, message: SharedObjectMessage) -> None:
        """Sends a shared-object message, as type 19 or 16 by its `object_encoding`."""
        self._sending("shared object")
        self._link.write_message(Message(message.type, 0, 0, message.serialize()))

    def send_ping(self, now: float) -> None:
        """Asks the peer for a sign of life; PingAnswered reports it. `now` in seconds."""
        self._sending("ping")
        timestamp = int(now * 1000) % TIMESTAMP_MODULUS
        self._receiver.ping_sent = timestamp
        self._link.write_control(Ping(UserControlType.PING_REQUEST, timestamp))

    def send_stream_event(self, event_type: UserControlType, message_stream_id: int) -> None:
        """Sends StreamBegin, StreamEof and the like."""
        self._sending("stream event")
        self._link.write_control(StreamEvent(event_type, message_stream_id))

    def send_buffer_length(self, message_stream_id: int, milliseconds: int) -> None:
        """Client: says how much of a stream it buffers."""
        self._sending("buffer length")
        self._link.write_control(SetBufferLength(message_stream_id, milliseconds))

    def _sending(self, what: str) -> None:
        if self._machine.state is not ConnectionState.CONNECTED:  # else the table says the same
            self._machine.on_sent(ConnectionInput.SEND, what)

    def _require(self, role: Role, what: str) -> None:
        if self.role is not role:
            raise LocalProtocolError(f"{what} is for the {role.value}")

    def _busy(self, message_stream_id: int, state: StreamState, what: str) -> MessageStream:
        self._sending(what)
        stream = self._streams.get(message_stream_id)
        if stream is None or stream.state is not state:
            raise LocalProtocolError(f"{what}: stream {message_stream_id} is not {state.name}")
        return stream


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


def _answer(
    transaction_id: float,
    object_encoding: int,
    server_version: str,
    properties: Mapping[str, Any],
    information: Mapping[str, Any],
) -> bytes:
    defaults = {"fmsVer": server_version, "capabilities": 31, "mode": 1}
    success = status.status(
        status.CONNECT_SUCCESS, "Connection succeeded.", objectEncoding=object_encoding
    )
    return Command(
        "_result",
        transaction_id,
        defaults | dict(properties),
        [success | dict(information)],
    ).serialize()


@functools.lru_cache(maxsize=16)
def _usual_answer(transaction_id: float, object_encoding: int, server_version: str) -> bytes:
    """To nearly everyone: clients ask with transaction 1."""
    return _answer(transaction_id, object_encoding, server_version, {}, {})
