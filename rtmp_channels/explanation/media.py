"""Audio and video messages: the head is explained, the codec's own data is not."""

from __future__ import annotations

from amf_remoting.amf import Limits
from rtmp_channels.explanation.values import Fields, Steps
from rtmp_channels.media.tags import read_head
from rtmp_channels.protocol.chunk import Message
from rtmp_channels.protocol.constants import MessageType

_ENHANCED_VIDEO = 0x80
_ENHANCED_AUDIO = 9
_AAC = 10
_WITH_COMPOSITION_TIME = frozenset((7, 12, 13))
_PACKET_TYPES = {0: "sequence header", 1: "media", 2: "end of sequence"}


def media_summary(message: Message) -> str:
    """Codec and kind of frame, as a relay sees them."""
    head = read_head(MessageType(message.type), message.payload)
    return ", ".join(filter(None, (head.codec, head.kind.name.lower())))


def media_steps(message: Message, limits: Limits) -> Steps:
    """The head's fields (FLV 10.1 §E.4), then the data."""
    fields = Fields(message.payload)
    if message.payload:
        is_video = message.type == MessageType.VIDEO
        yield from _video(fields) if is_video else _audio(fields)
    if fields.cursor.left:
        yield fields.raw(fields.cursor.left, "Data")


def _video(fields: Fields) -> Steps:
    first = fields.cursor.data[0]
    if first & _ENHANCED_VIDEO:
        detail = f"frame type {first >> 4 & 7}, packet type {first & 15}"
        yield fields.number(1, "Enhanced Video Head", detail)
        yield from _four_cc(fields)
        return
    detail = f"frame type {first >> 4}, codec {first & 15}"
    yield fields.number(1, "Frame Type and Codec", detail)
    if first & 15 in _WITH_COMPOSITION_TIME and fields.cursor.left >= 4:
        yield fields.coded(1, "Packet Type", _PACKET_TYPES)
        position = fields.cursor.position
        time = int.from_bytes(fields.cursor.data[position : position + 3], "big", signed=True)
        yield fields.raw(3, "Composition Time", f"{time} ms")


def _audio(fields: Fields) -> Steps:
    first = fields.cursor.data[0]
    if first >> 4 == _ENHANCED_AUDIO:
        yield fields.number(1, "Enhanced Audio Head", f"packet type {first & 15}")
        yield from _four_cc(fields)
        return
    yield fields.number(1, "Sound Format", f"format {first >> 4}")
    if first >> 4 == _AAC and fields.cursor.left:
        yield fields.coded(1, "Packet Type", _PACKET_TYPES)


def _four_cc(fields: Fields) -> Steps:
    """Where the plain form has it; modifiers and tracks are left to the data."""
    code = fields.cursor.data[1:5]
    if len(code) == 4 and code.isalnum():
        yield fields.raw(4, "FourCC", code.decode("ascii"))
