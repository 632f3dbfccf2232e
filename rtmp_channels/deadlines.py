"""When a session's patience ends."""

from __future__ import annotations

from enum import Enum, auto

from rtmp_channels.conf import RtmpSettings
from rtmp_channels.phase import Phase


class Due(Enum):
    """What is to be done when a deadline has passed."""

    END = auto()
    """The phase has lasted too long: end the connection."""
    PING = auto()
    """It is time for the next ping."""
    STALLED = auto()
    """The client reads nothing: cut it."""
    ABORT = auto()
    """Closing takes too long: cut the transport."""
    CANCEL = auto()
    """The application goes on after the end: cancel it."""


class Deadlines:
    """The times that matter in each phase; all on the loop's clock."""

    def __init__(self, settings: RtmpSettings, now: float) -> None:
        self.silence = settings.ping_timeout or settings.idle_timeout
        """How long the client may say nothing, once it is accepted; 0: for ever."""
        self._settings = settings
        self._phase_began = self._last_heard = self._last_ping = self._stalled_since = now
        self._stalled_bytes = 0
        self._is_stalled = self._aborted = self._cancelled = False

    def enter(self, now: float) -> None:
        """A phase begins."""
        self._phase_began = self._last_heard = self._last_ping = now

    def heard(self, now: float) -> None:
        """The client gave a sign of life."""
        self._last_heard = max(self._last_heard, now)

    def stalled(self, now: float, waiting: int) -> None:
        """From now on `waiting` bytes wait for the client, or still so many."""
        self._is_stalled = True
        self._stalled_since = now
        self._stalled_bytes = waiting

    def drained(self) -> None:
        """The client reads again."""
        self._is_stalled = False

    def next(self, phase: Phase) -> tuple[float, Due] | None:
        """The earliest deadline of the phase, and what is due then."""
        settings, began = self._settings, self._phase_began
        match phase:
            case Phase.HANDSHAKE:
                return began + settings.handshake_timeout, Due.END
            case Phase.CONNECT:
                return began + settings.connect_timeout, Due.END
            case Phase.ACCEPT:
                return began + settings.accept_timeout, Due.END
            case Phase.OPEN:
                return self._next_open()
            case _:
                return self._next_closing()

    def pinged(self, now: float) -> None:
        """A sign of life was asked for."""
        self._last_ping = now

    def has_progress(self, waiting: int) -> bool:
        """Whether a client that is slow reads at all."""
        return waiting < self._stalled_bytes

    def done(self, due: Due) -> None:
        """What was due while closing is done."""
        self._aborted |= due is Due.ABORT
        self._cancelled |= due is Due.CANCEL

    def _next_open(self) -> tuple[float, Due] | None:
        due = []
        if self._is_stalled:
            due.append((self._stalled_since + self._settings.stall_timeout, Due.STALLED))
        if self.silence:
            due.append((self._last_heard + self.silence, Due.END))
        if self._settings.ping_interval:
            due.append((self._last_ping + self._settings.ping_interval, Due.PING))
        return min(due, key=_time, default=None)

    def _next_closing(self) -> tuple[float, Due] | None:
        settings, began = self._settings, self._phase_began
        left = []
        if not self._aborted:
            left.append((began + settings.close_timeout, Due.ABORT))
        if not self._cancelled:
            left.append((began + settings.disconnect_timeout, Due.CANCEL))
        return min(left, key=_time, default=None)


def _time(deadline: tuple[float, Due]) -> float:
    return deadline[0]
