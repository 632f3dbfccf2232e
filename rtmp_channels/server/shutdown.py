"""What happens before daphne stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet import defer

from rtmp_channels.rooms.current import room_hubs
from rtmp_channels.shared_objects.current import shared_object_hubs
from rtmp_channels.timers import timer_wheels

logger = logging.getLogger(__name__)


def stop_before_shutdown(reactor: Any, stop: Callable[[], Awaitable[None]]) -> None:
    """Has `stop` awaited when the reactor is told to stop, and then the loop's hubs closed.

    daphne installs its own trigger later, so ours is called first, and cancels what it finds.
    """

    def trigger() -> defer.Deferred[None]:
        return defer.Deferred.fromFuture(asyncio.ensure_future(_stop(stop)))

    reactor.addSystemEventTrigger("before", "shutdown", trigger)


async def _stop(stop: Callable[[], Awaitable[None]]) -> None:
    try:
        await stop()
        for hubs in (room_hubs, shared_object_hubs, timer_wheels):
            await hubs.close()
    except Exception:
        logger.exception("RTMP connections could not be ended in order")
