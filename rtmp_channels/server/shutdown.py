"""What happens before daphne stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet import defer

from rtmp_channels.conf import rtmp_settings
from rtmp_channels.connections.current import rosters
from rtmp_channels.fresh_users import fresh_users
from rtmp_channels.instances import instances
from rtmp_channels.live.current import stream_hubs
from rtmp_channels.loop_local import LoopLocal
from rtmp_channels.open_sessions import open_sessions
from rtmp_channels.rooms.current import room_hubs
from rtmp_channels.shared_objects.current import shared_object_hubs
from rtmp_channels.timers import timer_wheels

logger = logging.getLogger(__name__)

_HUBS: tuple[tuple[LoopLocal[Any], ...], ...] = (
    (instances,),
    (fresh_users, stream_hubs, rosters, room_hubs, shared_object_hubs),
    (timer_wheels,),
)
"""What is closed one after the other, and what together: each may wait for a silent Redis."""

PATIENCE = 15.0
"""Seconds for each step of the shutdown, of which each has shorter limits of its own."""


def stop_before_shutdown(reactor: Any) -> None:
    """Ends all sessions when the reactor is told to stop, awaits that, then closes the hubs.

    Installed before daphne's own trigger, which runs right after ours has begun, and cancels the
    applications that it still finds.
    """

    async def end() -> None:
        await _attempt(_all_closed)
        await close_hubs()

    def trigger() -> defer.Deferred[None]:
        open_sessions.get().end_all()
        return defer.Deferred.fromFuture(asyncio.ensure_future(end()))

    reactor.addSystemEventTrigger("before", "shutdown", trigger)


async def _all_closed() -> None:
    await open_sessions.get().all_closed(rtmp_settings().shutdown_timeout)


async def close_hubs() -> None:
    """Closes what exists once per loop; daphne has no lifespan that would do it.

    Each of them whatever becomes of the others: shared objects are written down here.
    """
    for together in _HUBS:
        await asyncio.gather(*(_attempt(hubs.close) for hubs in together))


async def _attempt(ending: Callable[[], Awaitable[None]]) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            await ending()
    except TimeoutError:
        logger.error("The server stops although something did not end within %g s", PATIENCE)
    except Exception:
        logger.exception("RTMP connections could not be ended in order")
