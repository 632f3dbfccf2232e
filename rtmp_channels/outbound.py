"""From the application's messages to what the connection writes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from rtmp_channels import goodbye
from rtmp_channels.connections.current import rosters
from rtmp_channels.goodbye import Ending
from rtmp_channels.phase import Phase
from rtmp_channels.protocol.commands import serialize_values
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.errors import LocalProtocolError
from rtmp_channels.protocol.names import method_name
from rtmp_channels.rooms.current import room_hubs
from rtmp_channels.shared_objects.grants import Grant
from rtmp_channels.shared_objects.refusals import NO_READ_ACCESS

if TYPE_CHECKING:
    from rtmp_channels.application import ApplicationLink

Message = dict[str, Any]


def _text(message: Message, key: str, default: str) -> str:
    """What the client is to read, translated now: a translation of Django's becomes text only when
    asked, and machine code takes nothing but text."""
    value = message.get(key)
    return default if value is None else str(value)


def _accept(link: ApplicationLink, message: Message) -> Awaitable[None] | None:
    joining = rosters.get().joining()
    if joining is not None:
        return _accept_once(joining, link, message)
    link.accept(message)
    return None


async def _accept_once(
    joining: asyncio.Task[None], link: ApplicationLink, message: Message
) -> None:
    """The process's first connections: from the answer on, other processes must reach them."""
    await asyncio.shield(joining)
    if link.session.phase < Phase.CLOSING:
        link.accept(message)
        link.session.flush()


def _close(link: ApplicationLink, message: Message) -> None:
    code = _text(message, "code", goodbye.CLOSED)
    description = _text(message, "description", "Connection closed.")
    link.session.end(Ending(code, "closed by the application", description))


def _call(link: ApplicationLink, message: Message) -> None:
    transaction_id = message.get("transaction_id", 0)
    wire_id = link.connection.send_call(
        method_name(message["name"]),
        message.get("arguments", ()),
        expect_result=bool(transaction_id),
        message_stream_id=message.get("message_stream_id", 0),
    )
    if transaction_id:
        link.expect_answer(wire_id, transaction_id)


def _result(link: ApplicationLink, message: Message) -> None:
    link.call_limits.answered(message)
    link.connection.send_result(
        message["transaction_id"],
        message.get("value"),
        message_stream_id=message.get("message_stream_id", 0),
    )


def _error(link: ApplicationLink, message: Message) -> None:
    link.call_limits.answered(message)
    link.connection.send_error(
        message["transaction_id"],
        message["information"],
        message_stream_id=message.get("message_stream_id", 0),
    )


def _status(link: ApplicationLink, message: Message) -> None:
    link.connection.send_status(message.get("message_stream_id", 0), message["information"])


def _data(link: ApplicationLink, message: Message) -> None:
    link.connection.send_message(
        message.get("message_stream_id", 0),
        MessageType.DATA_AMF0,
        message.get("timestamp", 0),
        serialize_values(list(message["values"])),
    )


def _accept_publish(link: ApplicationLink, message: Message) -> None:
    _accept_stream(link, message)


def _reject_publish(link: ApplicationLink, message: Message) -> None:
    if link.media.reject(message):
        link.connection.reject_publish(
            message["message_stream_id"],
            _text(message, "code", "NetStream.Publish.Denied"),
            _text(message, "description", "Publishing refused."),
        )


def _accept_play(link: ApplicationLink, message: Message) -> None:
    _accept_stream(link, message)


def _accept_stream(link: ApplicationLink, message: Message) -> None:
    if not link.media.accept(message):
        stream = message["message_stream_id"]
        raise LocalProtocolError(f"{message['type']}: nothing is asked on stream {stream}")


def _reject_play(link: ApplicationLink, message: Message) -> None:
    if link.media.reject(message):
        link.connection.reject_play(
            message["message_stream_id"],
            _text(message, "code", "NetStream.Play.Failed"),
            _text(message, "description", "Playing refused."),
        )


def _accept_use(link: ApplicationLink, message: Message) -> None:
    keys = ("read", "create", "write", "send", "validate", "on_change")
    grant = Grant(**{key: message[key] for key in keys if key in message})
    link.shared_objects.accept(message["name"], grant)


def _reject_use(link: ApplicationLink, message: Message) -> None:
    link.shared_objects.reject(message["name"], message.get("code", NO_READ_ACCESS))


def _join(link: ApplicationLink, message: Message) -> Awaitable[None]:
    return room_hubs.get().join(message["room"], link.session)


def _leave(link: ApplicationLink, message: Message) -> None:
    room_hubs.get().leave(message["room"], link.session)


def broadcast(link: ApplicationLink, message: Message) -> Awaitable[None]:
    """Calls a method of everyone in a room; also for a session that is over."""
    return room_hubs.get().broadcast(
        message["room"],
        message["name"],
        message.get("arguments", ()),
        exclude=None if message.get("include_self", False) else link.session,
    )


SENDERS: dict[str, Callable[[ApplicationLink, Message], Awaitable[None] | None]] = {
    "rtmp.accept": _accept,
    "rtmp.close": _close,
    "rtmp.call": _call,
    "rtmp.result": _result,
    "rtmp.error": _error,
    "rtmp.status": _status,
    "rtmp.data": _data,
    "rtmp.publish.accept": _accept_publish,
    "rtmp.publish.reject": _reject_publish,
    "rtmp.play.accept": _accept_play,
    "rtmp.play.reject": _reject_play,
    "rtmp.so.use.accept": _accept_use,
    "rtmp.so.use.reject": _reject_use,
    "rtmp.join": _join,
    "rtmp.leave": _leave,
    "rtmp.broadcast": broadcast,
}
"""Every message type that an application may send."""
