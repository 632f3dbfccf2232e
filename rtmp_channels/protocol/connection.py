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
from rtmp_channels.protocol.client_commands import CONNECT_TRANSACTION_ID
from rtmp_channels.protocol.commands import Command
from rtmp_channels.protocol.config import Role
from rtmp_channels.protocol.constants import TIMESTAMP_MODULUS, MessageType
from rtmp_channels.protocol.errors import LocalProtocolError
from rtmp_channels.protocol.events import Event
from rtmp_channels.protocol.exchange import Exchange
from rtmp_channels.protocol.shared_object import SharedObjectMessage
from rtmp_channels.protocol.state import ConnectionInput, StreamInput, StreamState
from rtmp_channels.protocol.streams import MessageStream
from rtmp_channels.protocol.user_control import (
    Ping,
    SetBufferLength,
    StreamEvent,
    UserControlType,
)


class Connection(Exchange):
    """One side of an RTMP connection.

    Methods that write only queue bytes; `data_to_send` hands them out. They raise
    LocalProtocolError when the state does not allow them, or a value cannot be written.
    """

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

    def _busy(self, message_stream_id: int, state: StreamState, what: str) -> MessageStream:
        self._sending(what)
        stream = self._streams.get(message_stream_id)
        if stream is None or stream.state is not state:
            raise LocalProtocolError(f"{what}: stream {message_stream_id} is not {state.name}")
        return stream


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
