"""How much a stream holds, and how long everyone's patience lasts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from rtmp_channels.media.cache import HeadLimits
from rtmp_channels.media.gop import GopLimits


class PublisherPolicy(Enum):
    """What a second publisher of a stream meets."""

    REFUSE = "refuse"
    """The first one stays."""
    TAKE_OVER = "take_over"
    """The first one is ended; players go on with the second."""
    WAIT = "wait"
    """The second one waits until the first is gone, for a bounded time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """The limits of one process's streams; sizes in bytes."""

    tick_ms: int = 0
    """How often a player is written to; 0: as packets come. Longer is cheaper and later."""

    phases: int = 4
    """Moments of a tick that players are spread over, so that the work is spread, too."""

    phase_players: int = 500
    """Players of all streams that are written to at one moment before the next one is used, too:
    what writes is in the processor's caches for the second player, not for the first. Beyond all
    moments' together, they are spread evenly."""

    tick_bytes: int = 524_288
    """Payload that one tick collects; beyond that it is written at once."""

    player_bytes: int = 2_097_152
    """What may wait for a player; beyond that it skips to the next keyframe. Larger than the group
    of pictures that it starts with (`gop`)."""

    slow_seconds: float = 20.0
    """How long a player may skip without catching up; and the time between two skips from which on
    the earlier one is forgiven."""

    max_skips: int = 10
    """Skips without such a time between them, before the player is ended."""

    keyframe_patience: int = 1_500
    """Video frames without a keyframe, before players start without one (intra refresh)."""

    players: int = 10_000
    """Players of one stream, those that wait for its publisher included."""

    streams: int = 1_000
    """Streams of one process, those that players wait for included."""

    name_bytes: int = 512
    """A stream's name, in UTF-8."""

    wait_seconds: float = 10.0
    """How long a player waits for a publisher that is not there; 0: refused at once."""

    linger_seconds: float = 0.0
    """How long players stay when the publisher is gone; 0: they are ended with it."""

    second_publisher: Literal["refuse", "take_over", "wait"] = "refuse"
    """What a second publisher meets (PublisherPolicy); an application may say otherwise."""

    waiting_publishers: int = 8
    """Publishers of one stream that wait for it (PublisherPolicy.WAIT)."""

    publish_wait_seconds: float = 10.0
    """How long they wait."""

    gop: GopLimits = field(default_factory=GopLimits)
    """What is kept since the last keyframe."""

    held: GopLimits = field(default_factory=lambda: GopLimits(bytes=262_144, packets=512))
    """The same for a publisher whose request has no answer yet."""

    head: HeadLimits = field(default_factory=HeadLimits)
    """What is kept of metadata and sequence headers."""
