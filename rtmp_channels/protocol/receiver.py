"""What arrives on an open chunk stream: every message type's meaning, by table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from rtmp_channels.protocol import status
from rtmp_channels.protocol.acknowledgement import ReceiveWindow
from rtmp_channels.protocol.aggregate import split_aggregate
from rtmp_channels.protocol.chunk import Message
from rtmp_channels.protocol.chunk_reader import ChunkReader
from rtmp_channels.protocol.commands import Command, parse_values
from rtmp_channels.protocol.config import Role
from rtmp_channels.protocol.constants import TIMESTAMP_MODULUS, MessageType
from rtmp_channels.protocol.control import (
    Abort,
    Acknowledgement,
    SetChunkSize,
    SetPeerBandwidth,
    WindowAcknowledgementSize,
)
from rtmp_channels.protocol.errors import RemoteProtocolError
from rtmp_channels.protocol.events import (
    AcknowledgementReceived,
    BufferLengthSet,
    DataReceived,
    Event,
    MediaReceived,
    PingAnswered,
    SharedObjectReceived,
    StreamEventReceived,
)
from rtmp_channels.protocol.link import Link
from rtmp_channels.protocol.shared_object import SharedObjectMessage
from rtmp_channels.protocol.state import ConnectionInput, ConnectionState
from rtmp_channels.protocol.streams import MessageStreams
from rtmp_channels.protocol.user_control import (
    Ping,
    SetBufferLength,
    UserControlType,
    parse_user_control,
)

_SET_DATA_FRAME = "@setDataFrame"
_SERIALIZED_SET_DATA_FRAME = b"\x02\x00\x0d@setDataFrame"
_IN_AGGREGATES = frozenset(
    (MessageType.AUDIO, MessageType.VIDEO, MessageType.DATA_AMF0, MessageType.DATA_AMF3)
)


class Commands(Protocol):
    """Understands the commands that reach one role."""

    def receive(self, message_stream_id: int, command: Command) -> list[Event]: ...


class Receiver:
    """Turns messages into events, and obeys those that are about the connection itself."""

    def __init__(
        self,
        link: Link,
        reader: ChunkReader,
        *,
        role: Role,
        streams: MessageStreams,
        commands: Commands,
    ) -> None:
        self.window = ReceiveWindow()
        self.ping_sent: int | None = None
        """The time in the Ping Request that waits for its answer."""
        self.ping_answers_left = 0
        self._link = link
        self._reader = reader
        self._role = role
        self._streams = streams
        self._commands = commands

    def receive(self, message: Message) -> list[Event]:
        """One message's events; a type nobody documents has none."""
        handler = _HANDLERS.get(message.type)
        return [] if handler is None else handler(self, message)

    # about the connection (types 1 to 6)

    def _set_chunk_size(self, message: Message) -> list[Event]:
        chunk_size = SetChunkSize.parse(message.payload).chunk_size
        least = self._link.config.min_peer_chunk_size
        if chunk_size < least:
            raise RemoteProtocolError(f"a chunk size of {chunk_size} ({least} at least)")
        self._reader.chunk_size = chunk_size
        return []

    def _abort(self, message: Message) -> list[Event]:
        self._reader.abort(Abort.parse(message.payload).chunk_stream_id)
        return []

    def _acknowledgement(self, message: Message) -> list[Event]:
        number = Acknowledgement.parse(message.payload).sequence_number
        return [AcknowledgementReceived(number, self._link.window.outstanding(number))]

    def _window_size(self, message: Message) -> list[Event]:
        self.window.size = WindowAcknowledgementSize.parse(message.payload).window
        return []

    def _set_peer_bandwidth(self, message: Message) -> list[Event]:
        window = SetPeerBandwidth.parse(message.payload).window
        if window != self._link.window.announced:  # §5.4.5: answer when it differs
            self._link.announce_window(window)
        return []

    def _user_control(self, message: Message) -> list[Event]:
        match parse_user_control(message.payload):
            case None:
                return []
            case Ping(event_type=UserControlType.PING_REQUEST, timestamp=timestamp):
                self._answer_ping(timestamp)
                return []
            case Ping(timestamp=timestamp):
                return self._ping_response(timestamp)
            case SetBufferLength() as event:
                return [BufferLengthSet(event.message_stream_id, event.milliseconds)]
            case event:
                return [StreamEventReceived(event.event_type, event.message_stream_id)]

    def _answer_ping(self, timestamp: int) -> None:
        if self.ping_answers_left:
            self.ping_answers_left -= 1
            self._link.write_control(Ping(UserControlType.PING_RESPONSE, timestamp))

    def _ping_response(self, timestamp: int) -> list[Event]:
        if timestamp != self.ping_sent:
            return []
        self.ping_sent = None
        now = int(self._link.now * 1000)
        return [PingAnswered(timestamp, (now - timestamp) % TIMESTAMP_MODULUS)]

    # about what the connection is for

    def _require_connected(self, what: str) -> None:
        if self._link.machine.state is not ConnectionState.CONNECTED:
            self._link.machine.on_received(ConnectionInput.RECEIVE, what)

    def _takes(self, message_stream_id: int) -> bool:
        """Media for a server's stream that does not publish is late, or a mistake: dropped."""
        return self._role is Role.CLIENT or self._streams.is_publishing(message_stream_id)

    def _media(self, message: Message) -> list[Event]:
        self._require_connected("media")
        if not self._takes(message.message_stream_id):
            return []
        return [
            MediaReceived(
                message.message_stream_id,
                MessageType(message.type),
                message.timestamp,
                message.payload,
            )
        ]

    def _data(self, message: Message) -> list[Event]:
        self._require_connected("data")
        if message.message_stream_id and not self._takes(message.message_stream_id):
            return []
        object_encoding = 3 if message.type == MessageType.DATA_AMF3 else 0
        limits = self._link.config.amf_limits
        values = parse_values(message.payload, object_encoding=object_encoding, limits=limits)
        is_data_frame = bool(values) and values[0] == _SET_DATA_FRAME
        return [
            DataReceived(
                message_stream_id=message.message_stream_id,
                timestamp=message.timestamp,
                values=values[1:] if is_data_frame else values,
                payload=_relayed(message),
                is_data_frame=is_data_frame,
            )
        ]

    def _shared_object(self, message: Message) -> list[Event]:
        self._require_connected("a shared object")
        config = self._link.config
        shared_object = SharedObjectMessage.parse(
            message.payload,
            object_encoding=3 if message.type == MessageType.SHARED_OBJECT_AMF3 else 0,
            max_events=config.max_shared_object_events,
            limits=config.amf_limits,
        )
        return [SharedObjectReceived(shared_object)]

    def _command(self, message: Message) -> list[Event]:
        object_encoding = 3 if message.type == MessageType.COMMAND_AMF3 else 0
        try:
            command = Command.parse(
                message.payload,
                object_encoding=object_encoding,
                limits=self._link.config.amf_limits,
            )
        except RemoteProtocolError as error:
            self._link.write_status(0, status.error(status.CALL_BAD_VERSION, str(error)))
            raise
        return self._commands.receive(message.message_stream_id, command)

    def _aggregate(self, message: Message) -> list[Event]:
        events: list[Event] = []
        for number, part in enumerate(split_aggregate(message)):
            if number == self._link.config.max_aggregated_messages:
                raise RemoteProtocolError(f"aggregate: more than {number} messages")
            if part.type in _IN_AGGREGATES:
                events += self.receive(part)
        return events


_HANDLERS: Final[Mapping[int, Callable[[Receiver, Message], list[Event]]]] = {
    MessageType.SET_CHUNK_SIZE: Receiver._set_chunk_size,
    MessageType.ABORT: Receiver._abort,
    MessageType.ACKNOWLEDGEMENT: Receiver._acknowledgement,
    MessageType.USER_CONTROL: Receiver._user_control,
    MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE: Receiver._window_size,
    MessageType.SET_PEER_BANDWIDTH: Receiver._set_peer_bandwidth,
    MessageType.AUDIO: Receiver._media,
    MessageType.VIDEO: Receiver._media,
    MessageType.DATA_AMF3: Receiver._data,
    MessageType.DATA_AMF0: Receiver._data,
    MessageType.SHARED_OBJECT_AMF3: Receiver._shared_object,
    MessageType.SHARED_OBJECT_AMF0: Receiver._shared_object,
    MessageType.COMMAND_AMF3: Receiver._command,
    MessageType.COMMAND_AMF0: Receiver._command,
    MessageType.AGGREGATE: Receiver._aggregate,
}


def _relayed(message: Message) -> bytes:
    """The body for a DATA_AMF0 message: no leading byte of type 15, no `@setDataFrame`."""
    # Behind its first byte, a type 15 body is AMF0 that may switch to AMF3, as type 18 may.
    payload = message.payload
    if message.type == MessageType.DATA_AMF3:
        payload = payload.removeprefix(b"\0")
    return payload.removeprefix(_SERIALIZED_SET_DATA_FRAME)
