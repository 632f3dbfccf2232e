"""What `Connection.receive_data` reports, in the order it came.

AMF values appear as `amf_remoting.amf` decodes them. Times are milliseconds, modulo 2**32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.shared_object import SharedObjectMessage
from rtmp_channels.protocol.user_control import UserControlType


@dataclass(frozen=True, slots=True)
class HandshakeCompleted:
    """Both sides have exchanged their 3,073 bytes (§5.2)."""

    digest_scheme: int | None
    """0 or 1 for the digest handshake, None for the plain one."""


@dataclass(frozen=True, slots=True)
class ConnectRequested:
    """Server: `connect` arrived; answer with `accept_connect` or `reject_connect` (§7.2.1.1).

    What the peer sends meanwhile is held back; `accept_connect` returns its events.
    """

    transaction_id: float
    command_object: dict[str, Any]
    arguments: list[Any]
    """What follows the command object (`rtmpdump -C`, NetConnection.connect's extra arguments)."""
    object_encoding: int
    """0 or 3: the AMF version the client asked for."""
    app: str
    """Application and instance ("lobby/room1"), without query and outer slashes; may be empty."""
    query_string: str
    """The query of `app`, else that of `tcUrl`, without the "?"."""
    tc_url: str


@dataclass(frozen=True, slots=True)
class ConnectAccepted:
    """Client: the server answered `connect` with `_result`."""

    properties: Any
    information: Any


@dataclass(frozen=True, slots=True)
class ConnectRejected:
    """Client: the server answered `connect` with `_error`; the connection is over."""

    information: Any


# As `Message`: without slots and with a constructor of its own, because every call makes one.
@dataclass
class CallReceived:
    """A command that the protocol leaves to the application (§7.2.1.2).

    With a transaction id other than 0 the peer waits for `send_result` or `send_error`.
    """

    message_stream_id: int
    transaction_id: float
    name: str
    command_object: Any
    arguments: list[Any]

    def __init__(
        self,
        message_stream_id: int,
        transaction_id: float,
        name: str,
        command_object: Any,
        arguments: list[Any],
    ) -> None:
        self.message_stream_id = message_stream_id
        self.transaction_id = transaction_id
        self.name = name
        self.command_object = command_object
        self.arguments = arguments


@dataclass(frozen=True, slots=True)
class ResultReceived:
    """`_result` or `_error` to a call of ours; an id we never used is reported too: ignore it."""

    transaction_id: float
    values: list[Any]
    """What follows the command object; usually one value."""
    is_error: bool


@dataclass(frozen=True, slots=True)
class StatusReceived:
    """`onStatus`: on stream 0 about the connection, else about that stream (§7.2.2)."""

    message_stream_id: int
    information: Any


@dataclass(frozen=True, slots=True)
class StreamCreated:
    """createStream: on a server already answered, on a client the answer (§7.2.1.3)."""

    message_stream_id: int
    transaction_id: float


@dataclass(frozen=True, slots=True)
class PublishRequested:
    """Answer with `accept_publish` or `reject_publish` (§7.2.2.6).

    Media may follow at once: some publishers do not wait for the answer.
    """

    message_stream_id: int
    transaction_id: float
    stream_name: str
    """Without prefix and query."""
    publish_type: str
    """"live", "record" or "append"."""
    query_string: str = ""
    prefix: str = ""
    """"mp4", "flv" or "mp3", when the name began so."""


@dataclass(frozen=True, slots=True)
class PlayRequested:
    """Answer with `accept_play` or `reject_play` (§7.2.2.1)."""

    message_stream_id: int
    transaction_id: float
    stream_name: str
    start: float
    """Milliseconds into a recording; -2: live, else recorded; -1: live only."""
    duration: float
    """Milliseconds; -1: all of it."""
    reset: bool
    """Whether an earlier play list ends."""
    query_string: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class PauseRequested:
    """`pause`: the player halts at, or goes on from, `position` (§7.2.2.8)."""

    message_stream_id: int
    transaction_id: float
    paused: bool
    position: float
    """Milliseconds."""


@dataclass(frozen=True, slots=True)
class SeekRequested:
    """`seek` (§7.2.2.7)."""

    message_stream_id: int
    transaction_id: float
    position: float
    """Milliseconds."""


@dataclass(frozen=True, slots=True)
class ReceiveSwitched:
    """`receiveAudio` or `receiveVideo`: the player wants that kind, or not (§7.2.2.4, §7.2.2.5)."""

    message_stream_id: int
    type: MessageType
    """AUDIO or VIDEO."""
    enabled: bool


@dataclass(frozen=True, slots=True)
class StreamClosed:
    """A busy stream became idle (closeStream, FCUnpublish) and can be used again."""

    message_stream_id: int


@dataclass(frozen=True, slots=True)
class StreamDeleted:
    """deleteStream: the stream is gone; no StreamClosed comes before it (§7.2.2.3)."""

    message_stream_id: int


@dataclass(frozen=True, slots=True)
class MediaReceived:
    """One audio or video message (§7.1.4, §7.1.5)."""

    message_stream_id: int
    type: MessageType
    """AUDIO or VIDEO."""
    timestamp: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class DataReceived:
    """A data message such as onMetaData (§7.1.2); `@setDataFrame` is stripped.

    Of a stream that publishes, or of stream 0: the connection as a whole.
    """

    message_stream_id: int
    timestamp: int
    values: list[Any]
    """The handler's name, then its arguments."""
    payload: bytes
    """The same values as the body of a DATA_AMF0 message, ready to relay."""
    is_data_frame: bool
    """`@setDataFrame` came before it: keep it for those who join later."""


@dataclass(frozen=True, slots=True)
class SharedObjectReceived:
    """A shared-object message, type 19 or 16 (§7.1.3)."""

    message: SharedObjectMessage


@dataclass(frozen=True, slots=True)
class BufferLengthSet:
    """SetBufferLength: how much the player buffers; may come before createStream (§7.1.7)."""

    message_stream_id: int
    milliseconds: int


@dataclass(frozen=True, slots=True)
class StreamEventReceived:
    """StreamBegin, StreamEof, StreamDry, StreamIsRecorded, BufferEmpty or BufferReady (§7.1.7)."""

    type: UserControlType
    message_stream_id: int


@dataclass(frozen=True, slots=True)
class PingAnswered:
    """The peer answered our Ping Request (§7.1.7)."""

    timestamp: int
    """What the request carried."""
    round_trip: int
    """Milliseconds, by the clock passed to `send_ping` and `receive_data`."""


@dataclass(frozen=True, slots=True)
class AcknowledgementReceived:
    """The peer says how many bytes it has received (§5.4.3)."""

    sequence_number: int
    """Bytes modulo 2**32; some peers count the handshake, others do not."""
    outstanding: int
    """Bytes we have handed out since, modulo 2**32; never a reason to stall."""


Event: TypeAlias = (
    HandshakeCompleted
    | ConnectRequested
    | ConnectAccepted
    | ConnectRejected
    | CallReceived
    | ResultReceived
    | StatusReceived
    | StreamCreated
    | PublishRequested
    | PlayRequested
    | PauseRequested
    | SeekRequested
    | ReceiveSwitched
    | StreamClosed
    | StreamDeleted
    | MediaReceived
    | DataReceived
    | SharedObjectReceived
    | BufferLengthSet
    | StreamEventReceived
    | PingAnswered
    | AcknowledgementReceived
)
