"""What is known of a stream, for pages, metrics and tests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStats:
    """One stream at one moment; counts are those since its first publisher came."""

    name: str
    is_published: bool
    publications: int
    """How many publishers it has had."""
    players: int
    """All of them, waiting and paused ones included."""
    waiting: int
    """Those that wait for a keyframe."""
    video_codec: str
    """A FourCC, or ""."""
    audio_codec: str
    packets_received: int
    bytes_received: int
    """Payload."""
    bytes_sent: int
    """In chunks, to all players."""
    skips: int
    """How often a player was too slow and skipped to a keyframe."""
    ended_players: int
    """Those ended because they were too slow for too long."""
    dropped_packets: int
    """Video frames before the first keyframe, which nobody could have shown."""
    cached_bytes: int
    """Payload of the group of pictures that late joiners start with."""
