"""Users of long connections, read again from time to time: all of a process in one query."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, Protocol

from django.contrib.auth import get_user_model

from amf_remoting.pool import run_in_pool
from rtmp_channels.conf import rtmp_settings
from rtmp_channels.exceptions import WHATEVER_IS_RAISED
from rtmp_channels.loop_local import LoopLocal

logger = logging.getLogger(__name__)


class HasUser(Protocol):
    """A consumer; compared by identity."""

    user: Any

    def user_read(self, user: Any, /) -> None:
        """The user as of now."""

    async def user_gone(self) -> None:
        """There is no such user any more; may take its time."""


class FreshUsers:
    """Reads the users of one loop's consumers every `interval` seconds."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._consumers: dict[HasUser, None] = {}
        self._task: asyncio.Task[None] | None = None
        self._is_failing = False
        self._telling: set[asyncio.Task[None]] = set()

    def watch(self, consumer: HasUser) -> None:
        """From now on, if its user is one of the database's."""
        if not self._interval or not isinstance(consumer.user, get_user_model()):
            return
        self._consumers[consumer] = None
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="rtmp users")

    def forget(self, consumer: HasUser) -> None:
        """Its connection is over; harmless twice."""
        self._consumers.pop(consumer, None)
        if not self._consumers and self._task is not None:
            self._task.cancel()
            self._task = None

    async def close(self) -> None:
        """Ends it."""
        self._consumers.clear()
        tasks = [*self._telling, *filter(None, [self._task])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def read(self) -> None:
        """Reads them once."""
        keys = {consumer.user.pk for consumer in self._consumers}
        users = await run_in_pool(partial(_users, keys), "auth")
        for consumer in tuple(self._consumers):
            key = consumer.user.pk
            if key not in keys or consumer not in self._consumers:
                continue
            user = users.get(key)
            if _is_same(user, consumer.user):
                consumer.user_read(user)
            else:
                self._tell(consumer)

    def _tell(self, consumer: HasUser) -> None:
        """In a task of its own: one that takes its time holds up no other."""
        self.forget(consumer)
        task = asyncio.get_running_loop().create_task(_end(consumer))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            try:
                await self.read()
            except Exception as error:
                if not self._is_failing:
                    logger.warning("Users of connections cannot be read again: %s", error)
                self._is_failing = True
            else:
                self._is_failing = False


def _is_same(user: Any, known: Any) -> bool:
    """A changed password ends what was begun with the old one, as it does sessions."""
    if user is None or not user.is_active:
        return False
    return bool(user.get_session_auth_hash() == known.get_session_auth_hash())


async def _end(consumer: HasUser) -> None:
    try:
        await consumer.user_gone()
    except WHATEVER_IS_RAISED:
        logger.exception("A consumer could not be told that its user is gone")


def _users(keys: Collection[Any]) -> Mapping[Any, Any]:
    return get_user_model()._default_manager.in_bulk(keys)


fresh_users: LoopLocal[FreshUsers] = LoopLocal(
    lambda: FreshUsers(rtmp_settings().user_reload_interval)
)
"""`fresh_users.get()` in a consumer; `await fresh_users.close()` at shutdown."""
