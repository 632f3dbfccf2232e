"""From the protocol's events to the application's messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rtmp_channels.phase import Phase
from rtmp_channels.protocol.events import (
    CallReceived,
    ConnectRequested,
    DataReceived,
    Event,
    HandshakeCompleted,
    MediaReceived,
    PauseRequested,
    PingAnswered,
    PlayRequested,
    PublishRequested,
    ReceiveSwitched,
    ResultReceived,
    SharedObjectReceived,
    StreamClosed,
    StreamDeleted,
)

if TYPE_CHECKING:
    from rtmp_channels.session import Session


def handle(session: Session, event: Event, size: int) -> None:
    """Acts on one event; `size` is about what it had on the wire."""
    handler = _HANDLERS.get(type(event))
    if handler is not None:
        handler(session, event, size)


def _handshake_completed(session: Session, event: HandshakeCompleted, size: int) -> None:
    session.enter(Phase.CONNECT)


def _connect_requested(session: Session, event: ConnectRequested, size: int) -> None:
    session.path = event.app
    session.program = str(event.command_object.get("flashVer") or "")
    session.enter(Phase.ACCEPT)
    session.application.start(event)


def _call_received(session: Session, event: CallReceived, size: int) -> None:
    session.application.call(event, size)


def _result_received(session: Session, event: ResultReceived, size: int) -> None:
    session.application.answer(event, size)


def _ping_answered(session: Session, event: PingAnswered, size: int) -> None:
    session.ping_answered(event.round_trip)


def _publish_requested(session: Session, event: PublishRequested, size: int) -> None:
    message = {
        "type": "rtmp.publish",
        "message_stream_id": event.message_stream_id,
        "stream_name": event.stream_name,
        "publish_type": event.publish_type,
        "query_string": event.query_string,
        "prefix": event.prefix,
    }
    session.application.media.request_publish(message, size)


def _play_requested(session: Session, event: PlayRequested, size: int) -> None:
    message = {
        "type": "rtmp.play",
        "message_stream_id": event.message_stream_id,
        "stream_name": event.stream_name,
        "start": event.start,
        "duration": event.duration,
        "reset": event.reset,
        "query_string": event.query_string,
        "prefix": event.prefix,
    }
    session.application.media.request_play(message, size)


def _stream_ended(session: Session, event: StreamClosed | StreamDeleted, size: int) -> None:
    session.application.media.end(event.message_stream_id)


def _data_received(session: Session, event: DataReceived, size: int) -> None:
    if event.message_stream_id != 0:
        session.application.media.take_data(event)
        return
    message = {
        "type": "rtmp.data",
        "values": event.values,
        "timestamp": event.timestamp,
        "size": size,
    }
    session.application.put(message, size)


def _media_received(session: Session, event: MediaReceived, size: int) -> None:
    session.application.media.take_media(event)


def _receive_switched(session: Session, event: ReceiveSwitched, size: int) -> None:
    session.application.media.switch(event)


def _pause_requested(session: Session, event: PauseRequested, size: int) -> None:
    session.application.media.pause(event)


def _shared_object_received(session: Session, event: SharedObjectReceived, size: int) -> None:
    session.application.shared_objects.receive(event.message)


_HANDLERS: dict[type, Callable[[Session, Any, int], None]] = {
    HandshakeCompleted: _handshake_completed,
    ConnectRequested: _connect_requested,
    CallReceived: _call_received,
    ResultReceived: _result_received,
    PingAnswered: _ping_answered,
    PublishRequested: _publish_requested,
    PlayRequested: _play_requested,
    StreamClosed: _stream_ended,
    StreamDeleted: _stream_ended,
    DataReceived: _data_received,
    MediaReceived: _media_received,
    ReceiveSwitched: _receive_switched,
    PauseRequested: _pause_requested,
    SharedObjectReceived: _shared_object_received,
}
