"""Closing of old database connections, as Channels does, but not for every message."""

from __future__ import annotations

import time

from channels.db import aclose_old_connections

INTERVAL = 1.0
"""Seconds: it costs a thread hop, which would be most of what a message costs."""


class _Clock:
    last = float("-inf")


def closing_is_due() -> bool:
    """Whether the last time is more than a moment ago: asked for every message."""
    return time.monotonic() - _Clock.last >= INTERVAL


async def close_old_connections() -> None:
    """Closes the worker thread's old connections."""
    _Clock.last = time.monotonic()
    await aclose_old_connections()
