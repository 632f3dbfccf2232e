"""Which of a client's calls reach the application: so many at a time, and in a second."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from amf_remoting.exceptions import Fault, FaultCode
from rtmp_channels.counters import Limit, counters
from rtmp_channels.shared_objects.allowance import Allowance

if TYPE_CHECKING:
    from rtmp_channels.session import Session

logger = logging.getLogger(__name__)

QUIET = 10.0
"""Seconds without a further log line about the same connection."""


class CallLimits:
    """Counts one client's calls; what is too much is answered with a fault, and never kept."""

    def __init__(self, session: Session) -> None:
        settings = session.settings
        self._session = session
        self._in_flight: set[tuple[int, float]] = set()
        """Message stream and transaction of each call that was not answered yet."""
        self._most = settings.max_calls_in_flight
        self._rate = settings.max_calls_per_second
        self._allowance = Allowance(self._rate)
        self._quiet_until = 0.0

    def refusal(self, message_stream_id: int, transaction_id: float, *, now: float) -> Fault | None:
        """Counts a call; the fault if it is one too many. `now` in seconds, of any steady clock."""
        if not self._allowance.take(1, now=now):
            self._tell(Limit.CALLS_PER_SECOND, f"more than {self._rate} calls in a second", now)
            return Fault(FaultCode.THROTTLED, "Too many calls; try again.")
        if transaction_id:
            if len(self._in_flight) >= self._most:
                self._tell(Limit.CALLS_IN_FLIGHT, f"{self._most} calls are not answered yet", now)
                return Fault(FaultCode.BUSY, "Too many calls are not answered yet.")
            self._in_flight.add((message_stream_id, transaction_id))
        return None

    def answered(self, message: dict[str, Any]) -> None:
        """The application answers a call."""
        stream = message.get("message_stream_id", 0)
        self._in_flight.discard((stream, message["transaction_id"]))

    def _tell(self, limit: Limit, reason: str, now: float) -> None:
        counters.count(limit)
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET
            logger.warning("%s: calls refused: %s", self._session, reason)
