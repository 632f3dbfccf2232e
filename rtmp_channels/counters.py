"""How often each limit was met in this process, since it started.

```python
>>> from rtmp_channels.counters import counters
>>> counters.snapshot()
{'connections': 3, 'idle_time': 12}
```
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum


class Limit(StrEnum):
    """What is counted; the setting behind each is in the reference."""

    CONNECTIONS = "connections"
    """Refused: MAX_CONNECTIONS."""
    CONNECTIONS_PER_ADDRESS = "connections_per_address"
    """Refused: MAX_CONNECTIONS_PER_ADDRESS."""
    HANDSHAKE_TIME = "handshake_time"
    """Closed: HANDSHAKE_TIMEOUT."""
    CONNECT_TIME = "connect_time"
    """Closed: CONNECT_TIMEOUT."""
    ACCEPT_TIME = "accept_time"
    """Closed: ACCEPT_TIMEOUT."""
    IDLE_TIME = "idle_time"
    """Closed: IDLE_TIMEOUT, PING_TIMEOUT, TUNNEL_TIMEOUT."""
    STALL_TIME = "stall_time"
    """Cut: STALL_TIMEOUT."""
    UNSENT_BYTES = "unsent_bytes"
    """Cut: MAX_UNSENT_BYTES."""
    MESSAGE_LENGTH = "message_length"
    """Closed: MAX_MESSAGE_LENGTH."""
    CHUNK_STREAMS = "chunk_streams"
    """Closed: MAX_CHUNK_STREAMS."""
    PARTIAL_BYTES = "partial_bytes"
    """Closed: MAX_PARTIAL_BYTES."""
    HELD_BYTES = "held_bytes"
    """Cut: MAX_HELD_BYTES."""
    PROTOCOL = "protocol"
    """Closed: everything else that breaks the protocol, or a limit of it."""
    CALLS_PER_SECOND = "calls_per_second"
    """Calls refused: MAX_CALLS_PER_SECOND."""
    CALLS_IN_FLIGHT = "calls_in_flight"
    """Calls refused: MAX_CALLS_IN_FLIGHT."""
    PENDING_CALLS = "pending_calls"
    """Calls to clients forgotten: MAX_PENDING_CALLS."""
    UNANSWERED = "unanswered"
    """Closed: WAITING_MESSAGES, WAITING_BYTES of SHARED_OBJECTS; more than 64 requests for streams
    that the application has not answered."""
    QUEUED = "queued"
    """Times that a socket was not read: MAX_QUEUED_EVENTS, MAX_QUEUED_BYTES."""
    LOGINS = "logins"
    """Connects refused: too many wrong passwords (LOGIN_THROTTLE of AMF_REMOTING)."""


class Counters:
    """Numbers by limit; they only rise."""

    def __init__(self) -> None:
        self._counts: Counter[Limit] = Counter()

    def count(self, limit: Limit) -> None:
        """Once more."""
        self._counts[limit] += 1

    def __getitem__(self, limit: Limit) -> int:
        return self._counts[limit]

    def snapshot(self) -> dict[str, int]:
        """Those that are not 0, by name."""
        return {str(limit): count for limit in Limit if (count := self._counts[limit])}


counters = Counters()
"""This process's."""
