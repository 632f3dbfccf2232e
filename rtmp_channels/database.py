"""Closing of old database connections, as Channels does, but not for every message."""

from __future__ import annotations

import time

from channels.db import aclose_old_connections

INTERVAL = 1.0
"""Seconds: it costs a thread hop, which would be most of what a message costs."""


class _Clock:
    last = float("-inf")


async def close_old_connections() -> None:
    """Closes the worker thread's old connections, unless that was done a moment ago."""
    now = time.monotonic()
    if now - _Clock.last >= INTERVAL:
        _Clock.last = now
        await aclose_old_connections()
