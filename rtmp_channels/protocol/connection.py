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

from collections.abc import Mapping, Sequence
from typing import Any

from rtmp_channels.protocol.config import ConnectionConfig, Role
from rtmp_channels.protocol.events import Event
from rtmp_channels.protocol.shared_object import SharedObjectMessage
from rtmp_channels.protocol.user_control import UserControlType


class Connection:
    """One side of an RTMP connection.

    Methods that write only queue bytes; `data_to_send` hands them out. They raise
    LocalProtocolError when the state does not allow them, or a value cannot be written.
    """

    def __init__(self, role: Role = Role.SERVER, config: ConnectionConfig | None = None) -> None:
        self.role = role
        self.config = config or ConnectionConfig()
        self.object_encoding = 0
        """0 or 3: what `connect` settled; commands travel in it."""

    # bytes

    def receive_data(self, data: bytes | bytearray | memoryview, now: float = 0.0) -> list[Event]:
        """Takes what the transport read and reports what it means.

        `now` is any monotonic clock in seconds, used for round-trip times. Raises
        RemoteProtocolError when the peer breaks the protocol or a limit (its `events` hold what
        came before), and LocalProtocolError when the connection is over already.
        """
        raise NotImplementedError

    def data_to_send(self) -> bytes:
        """Everything queued since the last call; empty when there is nothing to write."""
        raise NotImplementedError

    def send_raw(self, data: bytes) -> None:
        """Queues bytes from `outbound`, chunked at this connection's chunk size, as they are."""
        raise NotImplementedError

    # connect

    def send_connect(
        self,
        command_object: Mapping[str, Any],
        arguments: Sequence[Any] = (),
    ) -> None:
        """Client: asks to connect; allowed from HandshakeCompleted on.

        `command_object` holds at least "app" and "tcUrl"; "objectEncoding" 3 asks for AMF3.
        Reported by ConnectAccepted or ConnectRejected.
        """
        raise NotImplementedError

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
        raise NotImplementedError

    def reject_connect(
        self,
        code: str = "NetConnection.Connect.Rejected",
        description: str = "Connection rejected.",
        *,
        information: Mapping[str, Any] | None = None,
    ) -> None:
        """Server: answers ConnectRequested with `_error`; the connection is over, close it.

        `information` adds to the status object (`application`, `ex`).
        """
        raise NotImplementedError

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
        raise NotImplementedError

    def send_result(
        self, transaction_id: float, value: Any = None, *, message_stream_id: int = 0
    ) -> None:
        """Answers CallReceived with `_result`; nothing is written for transaction id 0."""
        raise NotImplementedError

    def send_error(
        self, transaction_id: float, information: Any, *, message_stream_id: int = 0
    ) -> None:
        """Answers CallReceived with `_error`; nothing is written for transaction id 0."""
        raise NotImplementedError

    def send_status(self, message_stream_id: int, information: Mapping[str, Any]) -> None:
        """Sends onStatus: to the connection (stream 0) or to one stream."""
        raise NotImplementedError

    # streams

    def send_create_stream(self) -> int:
        """Client: asks for a message stream; StreamCreated reports it with this transaction id."""
        raise NotImplementedError

    def accept_publish(self, message_stream_id: int) -> None:
        """Server: answers PublishRequested with NetStream.Publish.Start."""
        raise NotImplementedError

    def reject_publish(
        self,
        message_stream_id: int,
        code: str = "NetStream.Publish.BadName",
        description: str = "Publishing refused.",
    ) -> None:
        """Server: refuses PublishRequested; the stream is idle again and its media dropped."""
        raise NotImplementedError

    def accept_play(self, message_stream_id: int, *, is_recorded: bool = False) -> None:
        """Server: answers PlayRequested with all that precedes onMetaData.

        StreamBegin, StreamIsRecorded if it is, Play.Reset if asked, Play.Start, |RtmpSampleAccess.
        """
        raise NotImplementedError

    def reject_play(
        self,
        message_stream_id: int,
        code: str = "NetStream.Play.StreamNotFound",
        description: str = "No such stream.",
    ) -> None:
        """Server: refuses PlayRequested; the stream is idle again."""
        raise NotImplementedError

    def finish_play(self, message_stream_id: int, *, complete: bool = False) -> None:
        """Server: the stream ended; sends StreamEof and Play.Stop, and the stream is idle again.

        `complete` (a recording played to its end) sends onPlayStatus Play.Complete first.
        """
        raise NotImplementedError

    # everything else

    def send_message(
        self, message_stream_id: int, type: int, timestamp: int, payload: bytes
    ) -> None:
        """Sends one message as it is: media, data, or whatever has no method of its own."""
        raise NotImplementedError

    def send_shared_object(self, message: SharedObjectMessage) -> None:
        """Sends a shared-object message, as type 19 or 16 by its `object_encoding`."""
        raise NotImplementedError

    def send_ping(self, now: float) -> None:
        """Asks the peer for a sign of life; PingAnswered reports it. `now` in seconds."""
        raise NotImplementedError

    def send_stream_event(self, event_type: UserControlType, message_stream_id: int) -> None:
        """Sends StreamBegin, StreamEof and the like."""
        raise NotImplementedError

    def send_buffer_length(self, message_stream_id: int, milliseconds: int) -> None:
        """Client: says how much of a stream it buffers."""
        raise NotImplementedError
