"""The commands of clients: what the protocol answers itself, and what it reports (RTMP 1.0 §7.2).

Commands that only concern media servers (releaseStream, FCPublish, ...) are answered here whatever
the application does: encoders give up on an `_error` to one of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from amf_remoting import amf
from rtmp_channels.protocol import status
from rtmp_channels.protocol.bandwidth import NAMES, BandwidthCheck
from rtmp_channels.protocol.commands import Command
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.errors import RemoteProtocolError
from rtmp_channels.protocol.events import (
    CallReceived,
    ConnectRequested,
    Event,
    PauseRequested,
    PlayRequested,
    PublishRequested,
    ReceiveSwitched,
    ResultReceived,
    SeekRequested,
    StatusReceived,
    StreamClosed,
    StreamCreated,
    StreamDeleted,
)
from rtmp_channels.protocol.link import Link
from rtmp_channels.protocol.names import split_app, split_stream_name
from rtmp_channels.protocol.state import (
    ConnectionInput,
    ConnectionState,
    StreamInput,
    StreamState,
)
from rtmp_channels.protocol.streams import MessageStream, MessageStreams

LIVE_OR_RECORDED = -2
LIVE = -1
ALL = -1

_DEFAULT_PUBLISH_TYPE = "live"


class ServerCommands:
    """Understands the commands that reach a server."""

    def __init__(self, link: Link, streams: MessageStreams) -> None:
        self._link = link
        self._streams = streams
        self._bandwidth: BandwidthCheck | None = None
        self.connect_transaction_id = 1.0

    def receive(self, message_stream_id: int, command: Command) -> list[Event]:
        """What one command means; answers are queued on the link."""
        if self._link.machine.state is ConnectionState.OPEN or command.name == "connect":
            return self._connect(command)
        on_connection = _ON_CONNECTION.get(command.name)
        if on_connection is not None:
            return on_connection(self, message_stream_id, command)
        on_stream = _ON_STREAM.get(command.name)
        # On stream 0 these are the application's: it may well have a `play` of its own.
        if on_stream is None or message_stream_id == 0:
            return [_call(message_stream_id, command)]
        stream = self._streams.get(message_stream_id)
        if stream is None:
            self._refuse(command, f"No message stream {message_stream_id}.", message_stream_id)
            return []
        return on_stream(self, stream, command)

    # the connection

    def _connect(self, command: Command) -> list[Event]:
        if command.name != "connect":
            raise RemoteProtocolError(f"command {command.name[:64]!r} before connect")
        self._link.machine.on_received(ConnectionInput.CONNECT, "connect")
        options = command.command_object
        if isinstance(options, amf.MixedArray):
            options = options.named
        if not isinstance(options, dict):
            raise RemoteProtocolError("connect: its command object is not an object")
        self.connect_transaction_id = command.transaction_id
        self._link.object_encoding = 3 if options.get("objectEncoding") == 3 else 0
        tc_url = _text(options.get("tcUrl"))
        app, query_string = split_app(_text(options.get("app")), tc_url)
        return [
            ConnectRequested(
                transaction_id=command.transaction_id,
                command_object=options,
                arguments=command.arguments,
                object_encoding=self._link.object_encoding,
                app=app,
                query_string=query_string,
                tc_url=tc_url,
            )
        ]

    def _result(self, message_stream_id: int, command: Command) -> list[Event]:
        if self._bandwidth is not None and self._bandwidth.answered(command.transaction_id):
            return []
        is_error = command.name == "_error"
        return [ResultReceived(command.transaction_id, command.arguments, is_error)]

    def _status(self, message_stream_id: int, command: Command) -> list[Event]:
        return [StatusReceived(message_stream_id, _argument(command, 0))]

    def _create_stream(self, message_stream_id: int, command: Command) -> list[Event]:
        stream = self._streams.create()
        if stream is None:
            self._refuse(command, "Too many message streams.")
            return []
        self._link.write_command("_result", command.transaction_id, stream.id)
        return [StreamCreated(stream.id, command.transaction_id)]

    def _delete_stream(self, message_stream_id: int, command: Command) -> list[Event]:
        target = _argument(command, 0)
        if isinstance(target, str):  # GStreamer's rtmp2 names the stream it published
            stream = self._streams.find(target)
            target = stream.id if stream else None
        stream_id = int(_number(target, 0))
        return [StreamDeleted(stream_id)] if self._streams.delete(stream_id) else []

    def _acknowledge(self, message_stream_id: int, command: Command) -> list[Event]:
        self._answer(command, None)
        return []

    def _check_bandwidth(self, message_stream_id: int, command: Command) -> list[Event]:
        self._answer(command, None)
        if self._bandwidth is None:
            self._bandwidth = BandwidthCheck(self._link)
        self._bandwidth.start(command.name)
        return []

    def _fc_publish(self, message_stream_id: int, command: Command) -> list[Event]:
        return self._announce(command, "onFCPublish", status.PUBLISH_START)

    def _fc_subscribe(self, message_stream_id: int, command: Command) -> list[Event]:
        return self._announce(command, "onFCSubscribe", status.PLAY_START)

    def _fc_unpublish(self, message_stream_id: int, command: Command) -> list[Event]:
        self._announce(command, "onFCUnpublish", status.UNPUBLISH_SUCCESS)
        stream = self._streams.find(_text(_argument(command, 0)))
        if stream is None or stream.state is not StreamState.PUBLISHING:
            return []
        return self._close(stream)

    def _announce(self, command: Command, answer: str, code: str) -> list[Event]:
        """Flash Media Server's way: `_result`, and a call that the encoder may wait for."""
        self._answer(command, None)
        name = _text(_argument(command, 0))[:256]
        self._link.write_command(answer, 0, status.status(code, name))
        return []

    def _get_stream_length(self, message_stream_id: int, command: Command) -> list[Event]:
        self._answer(command, 0)  # seconds; a live stream has no length
        return []

    # one stream

    def _publish(self, stream: MessageStream, command: Command) -> list[Event]:
        name = _argument(command, 0)
        if name is False or name is None:  # NetStream.publish(false)
            return self._close(stream)
        if not isinstance(name, str) or not stream.change(StreamInput.PUBLISH, name):
            self._refuse_stream(stream, status.PUBLISH_BAD_NAME, "Not to be published here.")
            return []
        publish_type = _argument(command, 1)
        parts = split_stream_name(name)
        return [
            PublishRequested(
                message_stream_id=stream.id,
                transaction_id=command.transaction_id,
                stream_name=parts.name,
                publish_type=_text(publish_type) or _DEFAULT_PUBLISH_TYPE,
                query_string=parts.query_string,
                prefix=parts.prefix,
            )
        ]

    def _play(self, stream: MessageStream, command: Command) -> list[Event]:
        name = _argument(command, 0)
        if name is False or name is None:  # NetStream.play(false)
            return self._close(stream)
        if not isinstance(name, str) or not stream.change(StreamInput.PLAY, name):
            self._refuse_stream(stream, status.PLAY_FAILED, "Not to be played here.")
            return []
        stream.reset = _argument(command, 3, default=True) not in (False, 0)
        parts = split_stream_name(name)
        return [
            PlayRequested(
                message_stream_id=stream.id,
                transaction_id=command.transaction_id,
                stream_name=parts.name,
                start=_start(_argument(command, 1)),
                duration=_duration(_argument(command, 2)),
                reset=stream.reset,
                query_string=parts.query_string,
                prefix=parts.prefix,
            )
        ]

    def _pause(self, stream: MessageStream, command: Command) -> list[Event]:
        paused = bool(_argument(command, 0))
        position = _number(_argument(command, 1), 0)
        return [PauseRequested(stream.id, command.transaction_id, paused, position)]

    def _seek(self, stream: MessageStream, command: Command) -> list[Event]:
        position = _number(_argument(command, 0), 0)
        return [SeekRequested(stream.id, command.transaction_id, position)]

    def _receive_audio(self, stream: MessageStream, command: Command) -> list[Event]:
        return [ReceiveSwitched(stream.id, MessageType.AUDIO, bool(_argument(command, 0)))]

    def _receive_video(self, stream: MessageStream, command: Command) -> list[Event]:
        return [ReceiveSwitched(stream.id, MessageType.VIDEO, bool(_argument(command, 0)))]

    def _close_stream(self, stream: MessageStream, command: Command) -> list[Event]:
        return self._close(stream)

    def _close(self, stream: MessageStream) -> list[Event]:
        if stream.is_idle:
            return []
        if stream.state is StreamState.PUBLISHING:
            information = status.status(status.UNPUBLISH_SUCCESS, f"{stream.label} is unpublished.")
            self._link.write_status(stream.id, information)
        stream.change(StreamInput.CLOSE)
        return [StreamClosed(stream.id)]

    # answers

    def _answer(self, command: Command, value: Any) -> None:
        if command.transaction_id:
            self._link.write_command("_result", command.transaction_id, value)

    def _refuse(self, command: Command, description: str, message_stream_id: int = 0) -> None:
        if command.transaction_id:
            self._link.write_command(
                "_error",
                command.transaction_id,
                status.error(status.CALL_FAILED, description),
                message_stream_id=message_stream_id,
            )

    def _refuse_stream(self, stream: MessageStream, code: str, description: str) -> None:
        self._link.write_status(stream.id, status.error(code, description))


_ON_CONNECTION: Final[Mapping[str, Callable[[ServerCommands, int, Command], list[Event]]]] = {
    "_result": ServerCommands._result,
    "_error": ServerCommands._result,
    "onStatus": ServerCommands._status,
    "createStream": ServerCommands._create_stream,
    "deleteStream": ServerCommands._delete_stream,
    "releaseStream": ServerCommands._acknowledge,
    "FCPublish": ServerCommands._fc_publish,
    "FCUnpublish": ServerCommands._fc_unpublish,
    "FCSubscribe": ServerCommands._fc_subscribe,
    "FCUnsubscribe": ServerCommands._acknowledge,
    "getStreamLength": ServerCommands._get_stream_length,
    **dict.fromkeys(NAMES, ServerCommands._check_bandwidth),
}
_ON_STREAM: Final[Mapping[str, Callable[[ServerCommands, MessageStream, Command], list[Event]]]] = {
    "publish": ServerCommands._publish,
    "play": ServerCommands._play,
    "pause": ServerCommands._pause,
    "pauseRaw": ServerCommands._pause,
    "seek": ServerCommands._seek,
    "receiveAudio": ServerCommands._receive_audio,
    "receiveVideo": ServerCommands._receive_video,
    "closeStream": ServerCommands._close_stream,
}


def _call(message_stream_id: int, command: Command) -> CallReceived:
    return CallReceived(
        message_stream_id=message_stream_id,
        transaction_id=command.transaction_id,
        name=command.name,
        command_object=command.command_object,
        arguments=command.arguments,
    )


def _argument(command: Command, index: int, default: Any = None) -> Any:
    return command.arguments[index] if len(command.arguments) > index else default


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any, default: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return default
    return value


def _start(value: Any) -> float:
    """Some clients multiply -2 and -1 by 1,000, as they do with seconds (§7.2.2.1)."""
    start = _number(value, LIVE_OR_RECORDED)
    if start >= 0:
        return start
    return LIVE if start in (-1, -1000) else LIVE_OR_RECORDED


def _duration(value: Any) -> float:
    duration = _number(value, ALL)
    return duration if duration >= 0 else ALL
