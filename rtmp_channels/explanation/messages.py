"""What the payload of each message type says, field by field (RTMP 1.0 §5.4, §7.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import IntEnum
from itertools import chain, islice
from typing import TypeAlias

from amf_remoting.amf import DecodeError, Limits, Step
from rtmp_channels.explanation.media import media_steps, media_summary
from rtmp_channels.explanation.shared_objects import shared_object_steps
from rtmp_channels.explanation.values import NOWHERE, Fields, Steps, Values
from rtmp_channels.protocol.chunk import Message
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.control import LimitType
from rtmp_channels.protocol.user_control import UserControlType

Explain: TypeAlias = Callable[[Message, Limits], Steps]

_ACRONYMS = {"Amf0": "AMF0", "Amf3": "AMF3"}
_HEAD_SIZE = 11
"""Of a message within an aggregate: it is laid out as an FLV tag."""
_IN_AGGREGATES = frozenset(
    (MessageType.AUDIO, MessageType.VIDEO, MessageType.DATA_AMF0, MessageType.DATA_AMF3)
)
_LOOK_AHEAD = 5
"""Steps in which a command's name and its first argument are looked for."""
_LONGEST = 60
"""Letters of a name or argument in a summary."""


def _spoken(member: IntEnum) -> str:
    words = member.name.title().split("_")
    return " ".join(_ACRONYMS.get(word, word) for word in words)


_LIMIT_TYPES = {member.value: _spoken(member) for member in LimitType}
_USER_CONTROLS = {member.value: _spoken(member) for member in UserControlType}


def type_name(message_type: int) -> str:
    """The specification's name of a message type."""
    try:
        return _spoken(MessageType(message_type))
    except ValueError:
        return f"Message of type {message_type}"


def explain_message(message: Message, limits: Limits) -> tuple[str, Steps]:
    """What the message is in a few words, and its steps, with offsets in the payload.

    The steps cover the payload: the last one may be "Not understood", with the reason.
    """
    explain = _EXPLAIN.get(message.type, _unknown)
    steps = _guarded(explain(message, limits), message.payload)
    if message.type in (MessageType.AUDIO, MessageType.VIDEO):
        return media_summary(message), steps
    first = list(islice(steps, _LOOK_AHEAD))
    return _summary(message.type, first), chain(first, steps)


def _summary(message_type: int, steps: list[Step]) -> str:
    if message_type in (MessageType.COMMAND_AMF0, MessageType.COMMAND_AMF3):
        return " ".join(_texts(steps, ("command name", "argument 1")))
    if message_type in (MessageType.DATA_AMF0, MessageType.DATA_AMF3):
        return " ".join(_texts(steps, ("value 1", "value 2")))
    if message_type in (MessageType.SHARED_OBJECT_AMF0, MessageType.SHARED_OBJECT_AMF3):
        events = [step.detail for step in steps if step.kind == "Event Type"]
        return ", ".join([*_texts(steps, ("name",)), *events])
    if message_type == MessageType.USER_CONTROL:
        return next((step.detail for step in steps), "")
    return ", ".join(str(step.value) for step in steps if isinstance(step.value, int))


def _texts(steps: list[Step], names: tuple[str, ...]) -> list[str]:
    found = {step.path[0]: step.value for step in steps if len(step.path) == 1}
    return [text[:_LONGEST] for name in names if isinstance(text := found.get(name), str)]


def _guarded(steps: Steps, payload: bytes) -> Steps:
    """Ends with a step for what was not understood, or is not looked at."""
    end, reason = 0, ""
    try:
        for step in steps:
            end = step.end
            yield step
    except DecodeError as error:
        reason = str(error)
    except RecursionError:
        reason = "nested deeper than the stack"
    if end < len(payload) or reason:
        kind = "Not understood" if reason else "Ignored"
        yield Step(offset=end, end=len(payload), path=NOWHERE, kind=kind, detail=reason)


def _set_chunk_size(message: Message, limits: Limits) -> Steps:
    yield Fields(message.payload).number(4, "Chunk Size", "bytes, from the next chunk on")


def _abort(message: Message, limits: Limits) -> Steps:
    detail = "its unfinished message is dropped"
    yield Fields(message.payload).number(4, "Chunk Stream Id", detail)


def _acknowledgement(message: Message, limits: Limits) -> Steps:
    yield Fields(message.payload).number(4, "Sequence Number", "bytes received so far")


def _window(message: Message, limits: Limits) -> Steps:
    yield Fields(message.payload).number(4, "Acknowledgement Window Size", "bytes")


def _peer_bandwidth(message: Message, limits: Limits) -> Steps:
    fields = Fields(message.payload)
    yield fields.number(4, "Acknowledgement Window Size", "bytes")
    yield fields.coded(1, "Limit Type", _LIMIT_TYPES)


def _user_control(message: Message, limits: Limits) -> Steps:
    fields = Fields(message.payload)
    event = fields.coded(2, "Event Type", _USER_CONTROLS)
    yield event
    if event.value in (UserControlType.PING_REQUEST, UserControlType.PING_RESPONSE):
        yield fields.number(4, "Timestamp", "ms")
    elif event.value in list(UserControlType):
        yield fields.number(4, "Message Stream Id")
    if event.value == UserControlType.SET_BUFFER_LENGTH:
        yield fields.number(4, "Buffer Length", "ms")


def _command(message: Message, limits: Limits) -> Steps:
    def names() -> Iterator[str]:
        yield from ("command name", "transaction id", "command object")
        yield from _counted("argument")

    return _values(message, names(), MessageType.COMMAND_AMF3, limits)


def _data(message: Message, limits: Limits) -> Steps:
    return _values(message, _counted("value"), MessageType.DATA_AMF3, limits)


def _counted(word: str) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield f"{word} {number}"


def _values(
    message: Message, names: Iterator[str], with_amf3: MessageType, limits: Limits
) -> Steps:
    is_amf3 = message.type == with_amf3
    values = Values(message.payload, limits, fresh_tables=is_amf3)
    if is_amf3 and values.cursor.next_is(0):
        yield values.format_byte()
    while values.cursor.left:
        yield from values.value((next(names),))


def _aggregate(message: Message, limits: Limits) -> Steps:
    """Messages laid out as FLV tags (§7.1.6)."""
    fields = Fields(message.payload)
    cursor = fields.cursor
    number = 0
    while cursor.left:
        number += 1
        path = (f"message {number}",)
        head = message.payload[cursor.position : cursor.position + _HEAD_SIZE].ljust(_HEAD_SIZE)
        length = int.from_bytes(head[1:4], "big")
        time = head[7] << 24 | int.from_bytes(head[4:7], "big")
        detail = f"{type_name(head[0])}, {length} bytes, at {time} ms"
        yield fields.raw(_HEAD_SIZE, "Header", detail, path=path)
        start = cursor.position
        inside = Message(head[0], message.message_stream_id, time, cursor.raw(length))
        yield from _moved(inside, start, path, limits)
        if cursor.left:
            yield fields.number(min(4, cursor.left), "Back Pointer", path=path)


def _moved(message: Message, start: int, path: tuple[str, ...], limits: Limits) -> Steps:
    explain = _EXPLAIN[message.type] if message.type in _IN_AGGREGATES else _unknown
    for step in _guarded(explain(message, limits), message.payload):
        yield Step(
            offset=start + step.offset,
            end=start + step.end,
            path=(*path, *step.path),
            kind=step.kind,
            marker=step.marker,
            value=step.value,
            detail=step.detail,
        )


def _unknown(message: Message, limits: Limits) -> Steps:
    if message.payload:
        yield Step(offset=0, end=len(message.payload), path=NOWHERE, kind="Payload")


_EXPLAIN: dict[int, Explain] = {
    MessageType.SET_CHUNK_SIZE: _set_chunk_size,
    MessageType.ABORT: _abort,
    MessageType.ACKNOWLEDGEMENT: _acknowledgement,
    MessageType.USER_CONTROL: _user_control,
    MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE: _window,
    MessageType.SET_PEER_BANDWIDTH: _peer_bandwidth,
    MessageType.AUDIO: media_steps,
    MessageType.VIDEO: media_steps,
    MessageType.DATA_AMF3: _data,
    MessageType.SHARED_OBJECT_AMF3: shared_object_steps,
    MessageType.COMMAND_AMF3: _command,
    MessageType.DATA_AMF0: _data,
    MessageType.SHARED_OBJECT_AMF0: shared_object_steps,
    MessageType.COMMAND_AMF0: _command,
    MessageType.AGGREGATE: _aggregate,
}
