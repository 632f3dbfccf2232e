"""The first bytes of audio and video messages: codec and kind, nothing of the codec's own data.

The body of an audio or video message is that of an FLV tag (FLV 10.1 §E.4.2, §E.4.3), or Enhanced
RTMP's (v1 and v2). Reading never fails: what is cut short or unknown is relayed as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from rtmp_channels.media.enhanced import (
    AUDIO_MULTITRACK,
    VIDEO_MULTITRACK,
    EnhancedHead,
    read_enhanced_head,
)
from rtmp_channels.protocol.constants import MessageType


class TagKind(Enum):
    """What a message is to a relay."""

    SETUP = auto()
    """Needed before the first frame: a sequence header, colour information, a channel layout."""
    KEYFRAME = auto()
    """Video of the main track that needs no earlier frame."""
    FRAME = auto()
    """All other media: audio, frames between keyframes."""
    SIGNAL = auto()
    """Carries no media: the end of a sequence, a command, an empty message."""


@dataclass(frozen=True, slots=True)
class TagHead:
    """What the first bytes say."""

    kind: TagKind
    codec: str = ""
    """A FourCC ("avc1", "mp4a"), a name where the codec has none, or "" for unknown."""
    setup: tuple[int, ...] = ()
    """Which of a stream's setup messages this is: a later one with the same key replaces it."""


_VIDEO_CODECS = {
    2: "h263",
    3: "screen",
    4: "vp6",
    5: "vp6a",
    6: "screen2",
    7: "avc1",
    12: "hvc1",  # 12 and 13 are in no specification, but in use
    13: "av01",
}
_WITH_SEQUENCE_HEADER = frozenset((7, 12, 13))
_AUDIO_CODECS = {
    0: "pcm",
    1: "adpcm",
    2: ".mp3",
    3: "pcm",
    4: "nellymoser",
    5: "nellymoser",
    6: "nellymoser",
    7: "alaw",
    8: "ulaw",
    10: "mp4a",
    11: "speex",
    14: ".mp3",
}

_ENHANCED_VIDEO = 0x80
_ENHANCED_AUDIO = 9
_AAC = 10

_KEYFRAMES = frozenset((1, 4))
"""Keyframe, and keyframe made by a server."""
_COMMAND_FRAME = 5

_SEQUENCE_HEADER, _SEQUENCE_END = 0, 2
"""AVCPacketType, and Enhanced RTMP's packet types."""
_VIDEO_SETUPS = frozenset((_SEQUENCE_HEADER, 4, 5))
"""Sequence start, metadata (colour), MPEG-2 TS sequence start."""
_AUDIO_SETUPS = frozenset((_SEQUENCE_HEADER, 4))
"""Sequence start, multichannel configuration."""

_NOTHING = TagHead(TagKind.SIGNAL)


def read_head(message_type: MessageType, payload: bytes) -> TagHead:
    """The head of an AUDIO or VIDEO message; of any other type, a signal."""
    if not payload:
        return _NOTHING
    if message_type is MessageType.VIDEO:
        return _video(payload)
    return _audio(payload) if message_type is MessageType.AUDIO else _NOTHING


def _video(payload: bytes) -> TagHead:
    first = payload[0]
    if first & _ENHANCED_VIDEO:
        head = read_enhanced_head(payload, first & 15, multitrack=VIDEO_MULTITRACK)
        return _enhanced_video((first >> 4) & 7, head)
    frame_type, codec_id = first >> 4, first & 15
    codec = _VIDEO_CODECS.get(codec_id, "")
    if frame_type == _COMMAND_FRAME:
        return TagHead(TagKind.SIGNAL, codec)
    if codec_id in _WITH_SEQUENCE_HEADER:
        packet_type = payload[1] if len(payload) > 1 else _SEQUENCE_END
        if packet_type == _SEQUENCE_HEADER:
            return TagHead(TagKind.SETUP, codec, (MessageType.VIDEO, _SEQUENCE_HEADER))
        if packet_type == _SEQUENCE_END:
            return TagHead(TagKind.SIGNAL, codec)
    return TagHead(TagKind.KEYFRAME if frame_type in _KEYFRAMES else TagKind.FRAME, codec)


def _enhanced_video(frame_type: int, head: EnhancedHead | None) -> TagHead:
    if head is None:
        return _NOTHING
    if head.packet_type in _VIDEO_SETUPS:
        return TagHead(TagKind.SETUP, head.codec, (MessageType.VIDEO, *head.key))
    if head.packet_type == _SEQUENCE_END or frame_type == _COMMAND_FRAME:
        return TagHead(TagKind.SIGNAL, head.codec)
    starts = frame_type in _KEYFRAMES and head.is_main_track
    return TagHead(TagKind.KEYFRAME if starts else TagKind.FRAME, head.codec)


def _audio(payload: bytes) -> TagHead:
    sound_format = payload[0] >> 4
    if sound_format == _ENHANCED_AUDIO:
        head = read_enhanced_head(payload, payload[0] & 15, multitrack=AUDIO_MULTITRACK)
        return _enhanced_audio(head)
    codec = _AUDIO_CODECS.get(sound_format, "")
    if sound_format == _AAC and payload[1:2] == b"\0":
        return TagHead(TagKind.SETUP, codec, (MessageType.AUDIO, _SEQUENCE_HEADER))
    return TagHead(TagKind.FRAME, codec)


def _enhanced_audio(head: EnhancedHead | None) -> TagHead:
    if head is None:
        return _NOTHING
    if head.packet_type in _AUDIO_SETUPS:
        return TagHead(TagKind.SETUP, head.codec, (MessageType.AUDIO, *head.key))
    is_end = head.packet_type == _SEQUENCE_END
    return TagHead(TagKind.SIGNAL if is_end else TagKind.FRAME, head.codec)
