"""One player of a stream."""

from __future__ import annotations

import asyncio
import logging
from enum import Enum, auto
from typing import Protocol

from rtmp_channels.media.cache import Wants

logger = logging.getLogger(__name__)


class Subscriber(Protocol):
    """Where a player's bytes go: a session, a browser's response, a test."""

    @property
    def buffered_bytes(self) -> int:
        """What was written and has not left yet."""

    def write_shared(self, data: bytes, /) -> None:
        """Writes chunked bytes that others write as well; must neither block nor wait."""

    def write_within(self, data: bytes, limit: int, /) -> bool:
        """The same, unless about more than `limit` bytes wait: then it returns False."""


class PlayEnd(Enum):
    """Why a stream ends a player."""

    UNPUBLISHED = auto()
    """The publisher is gone."""
    NOT_FOUND = auto()
    """No publisher came in time."""
    TOO_SLOW = auto()
    """It skips and skips."""
    SHUTDOWN = auto()
    """The process ends its streams."""


class PlayerListener(Protocol):
    """What a player's owner is told; it may call the stream back, but not raise."""

    def play_started(self) -> None:
        """Media follows: now, or again after `play_suspended`. Write what precedes it."""

    def play_suspended(self) -> None:
        """The publisher is gone, the player stays for a while."""

    def play_ended(self, reason: PlayEnd, /) -> None:
        """The player has left the stream; not called for those who leave by themselves."""


class Player:
    """A subscriber's place in a stream; made by whoever plays, moved by `Stream`."""

    __slots__ = (
        "_last_skip",
        "_recent_skips",
        "deadline",
        "is_paused",
        "listener",
        "phase",
        "position",
        "skips",
        "subscriber",
        "waiting_since",
        "wants",
        "wants_next",
    )

    def __init__(self, subscriber: Subscriber, listener: PlayerListener, wants: Wants) -> None:
        self.subscriber = subscriber
        self.listener = listener
        self.wants = wants
        """What it gets now."""
        self.wants_next = wants
        """What it gets from the next keyframe on."""
        self.is_paused = False
        self.position: int | None = None
        """The number of the first packet not written yet; None: it is not being written to."""
        self.phase = 0
        """When in a tick it is written to."""
        self.waiting_since = 0.0
        self.deadline: asyncio.TimerHandle | None = None
        """Ends it, while there is no publisher."""
        self.skips = 0
        """How often it was too slow."""
        self._last_skip = 0.0
        self._recent_skips = 0

    def write(self, data: bytes) -> None:
        """Writes, whatever becomes of it: one broken player is not the others' affair."""
        try:
            self.subscriber.write_shared(data)
        except Exception:
            self.log_broken()

    def log_broken(self) -> None:
        """Says that writing raised what is being handled."""
        logger.exception("A player could not be written to")

    def count_skip(self, now: float, *, forgiven_after: float) -> int:
        """Counts; returns how many there were without `forgiven_after` seconds between them."""
        self.skips += 1
        if now - self._last_skip > forgiven_after:
            self._recent_skips = 0
        self._recent_skips += 1
        self._last_skip = now
        return self._recent_skips

    def cancel_deadline(self) -> None:
        """There is a publisher, or the player is gone."""
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None
