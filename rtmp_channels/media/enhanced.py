"""Enhanced RTMP's extended headers (v2, "Enhanced Audio" and "Enhanced Video").

Audio and video share the layout: a packet type, modifiers, perhaps several tracks, a FourCC.
"""

from __future__ import annotations

from dataclasses import dataclass

AUDIO_MULTITRACK = 5
VIDEO_MULTITRACK = 6
"""The packet type that means "several tracks" is the one that differs."""

_MODIFIER = 7
_MAX_MODIFIERS = 8
"""One is defined, a nanosecond offset; a long row of them is no media."""

_UNKNOWN_CODEC = "????"


@dataclass(frozen=True, slots=True)
class EnhancedHead:
    """An extended header, of the first track where there are several."""

    packet_type: int
    codec: str
    """The FourCC."""
    track: int = 0
    """0 is the main track."""
    multitrack_type: int | None = None
    """0 one track, 1 many, 2 many of different codecs; None: the plain form."""

    @property
    def is_main_track(self) -> bool:
        """Whether a player that knows nothing of tracks would show it."""
        return self.track == 0

    @property
    def key(self) -> tuple[int, ...]:
        """What tells this setup message from others of the stream."""
        multitrack_type = -1 if self.multitrack_type is None else self.multitrack_type
        return self.packet_type, multitrack_type, self.track


def read_enhanced_head(payload: bytes, packet_type: int, *, multitrack: int) -> EnhancedHead | None:
    """Reads on behind the first byte, which held the packet type; None where the head is cut short.

    `multitrack` is AUDIO_MULTITRACK or VIDEO_MULTITRACK.
    """
    try:
        packet_type, at = _skip_modifiers(payload, packet_type)
        if packet_type != multitrack:
            return EnhancedHead(packet_type, _four_cc(payload, at))
        multitrack_type, packet_type = payload[at] >> 4, payload[at] & 15
        # Whether the codec is the same for all tracks or not, it comes before the first track.
        codec, track = _four_cc(payload, at + 1), payload[at + 5]
    except IndexError:
        return None
    return EnhancedHead(packet_type, codec, track, multitrack_type)


def _skip_modifiers(payload: bytes, packet_type: int) -> tuple[int, int]:
    """The packet type behind all modifiers, and where the head goes on."""
    at = 1
    for _ in range(_MAX_MODIFIERS):
        if packet_type != _MODIFIER:
            return packet_type, at
        size = payload[at] + 1
        at += 1
        if size == 256:
            size = (payload[at] << 8 | payload[at + 1]) + 1
            at += 2
        at += size
        packet_type = payload[at] & 15
        at += 1
    raise IndexError("too many modifiers")


def _four_cc(payload: bytes, at: int) -> str:
    code = payload[at : at + 4]
    if len(code) < 4:
        raise IndexError("no FourCC")
    text = code.decode("ascii", "replace")
    return text if text.isascii() and text.isprintable() else _UNKNOWN_CODEC
