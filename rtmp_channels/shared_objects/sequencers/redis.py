"""Objects in Redis, for any number of processes; code outside of the server takes part, too."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from rtmp_channels.shared_objects.operations import Batch, Commit, ObjectKey, object_group
from rtmp_channels.shared_objects.refusals import (
    BAD_PERSISTENCE,
    OBJECT_CREATION_FAILED,
    SequencerUnavailable,
    SharedObjectRefused,
)
from rtmp_channels.shared_objects.rules import SharedObjectRules
from rtmp_channels.shared_objects.sequencers import redis_packing, redis_scripts
from rtmp_channels.shared_objects.sequencers.base import FAREWELL, Exchange, LogLost
from rtmp_channels.shared_objects.state import ObjectState

logger = logging.getLogger(__name__)

T = TypeVar("T")

LEASE = 60.0
"""Seconds a temporary object outlives the last sign of a process that uses it."""

RENEWAL = 15.0
"""Seconds between such signs."""

TIMEOUT = 5.0
"""Seconds that Redis has for an answer."""

_PARTS = ("meta", "slots", "tombs", "undertaker", "log", "users")


class RedisSequencer:
    """Has Redis decide: one script run per turn of an object, whatever has come up for it."""

    shared = True

    def __init__(self, url: str, rules: SharedObjectRules, *, prefix: str = "rtmp") -> None:
        self._rules = rules
        self._prefix = prefix
        self._process = secrets.token_hex(8)
        self._redis = Redis.from_url(
            url,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 0),  # what was decided on must not be decided on twice
        )
        self._open_script = self._redis.register_script(redis_scripts.OPEN)
        self._close_script = self._redis.register_script(redis_scripts.CLOSE)
        self._renew_script = self._redis.register_script(redis_scripts.RENEW)
        self._exchange_script = self._redis.register_script(redis_scripts.EXCHANGE)
        self._epochs: dict[ObjectKey, bytes] = {}
        """The incarnation of each object that we know, by what Redis told at `open`."""
        self._opening: dict[ObjectKey, int] = {}
        self._locks: dict[ObjectKey, asyncio.Lock] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._renewed = 0.0

    async def open(
        self, key: ObjectKey, *, persistent: bool, create: bool, seed: ObjectState | None = None
    ) -> ObjectState:
        if seed is None:
            seed = ObjectState(self._rules, persistent=persistent, version=_first_version())
        epoch, state = await self._open(key, seed, create=create)
        # Who follows the object already must not take one that was made anew for the same.
        self._epochs.setdefault(key, epoch)
        return state

    async def restore(self, key: ObjectKey, replica: ObjectState) -> ObjectState:
        self._epochs[key], state = await self._open(key, replica.revived(), create=True)
        return state

    def close(self, key: ObjectKey) -> None:
        self._epochs.pop(key, None)
        task = asyncio.get_running_loop().create_task(self._close(key))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def exchange(self, key: ObjectKey, since: int, batches: Sequence[Batch]) -> Exchange:
        request = redis_packing.pack_exchange(
            self._epochs.get(key, b""), since, batches, self._rules, lease=LEASE
        )
        answer = await self._asked(
            lambda: self._exchange_script(keys=self._keys(key), args=[request])
        )
        return redis_packing.unpack_exchange(answer, batches)

    async def heads(self, keys: Sequence[ObjectKey]) -> Sequence[int | None]:
        now = asyncio.get_running_loop().time()
        is_renewal = now - self._renewed >= RENEWAL
        pipeline = self._redis.pipeline(transaction=False)
        for key in keys:
            pipeline.hmget(self._keys(key)[0], ["epoch", "sequence"])
        if is_renewal:
            for key in keys:
                await self._renew_script(
                    keys=self._keys(key), args=[self._process, int(LEASE * 1000)], client=pipeline
                )
        answers = await self._asked(pipeline.execute)
        if is_renewal:
            self._renewed = now
        known = zip(keys, answers[: len(keys)], strict=True)
        return [
            int(sequence) if epoch is not None and epoch == self._epochs.get(key) else None
            for key, (epoch, sequence) in known
        ]

    def pack_news(self, key: ObjectKey, commits: Sequence[Commit]) -> bytes:
        return redis_packing.pack_news(self._epochs.get(key, b""), commits)

    def unpack_news(self, key: ObjectKey, news: bytes) -> Sequence[Commit]:
        return redis_packing.unpack_news(self._epochs.get(key, b""), news)

    async def finish(self) -> None:
        if self._closing:
            _, late = await asyncio.wait(self._closing, timeout=FAREWELL)
            for task in late:
                task.cancel()  # Redis does not answer: the lease will end
        await self._redis.aclose()

    async def _open(
        self, key: ObjectKey, seed: ObjectState, *, create: bool
    ) -> tuple[bytes, ObjectState]:
        request = redis_packing.pack_open(
            seed,
            process=self._process,
            epoch=secrets.token_bytes(8),
            create=create,
            lease=LEASE,
        )
        self._opening[key] = self._opening.get(key, 0) + 1
        try:
            async with self._lock(key):
                answer = await self._asked(
                    lambda: self._open_script(keys=self._keys(key), args=[request])
                )
                opened = redis_packing.unpack_open(answer, self._rules)
                if opened is None:
                    raise SharedObjectRefused(OBJECT_CREATION_FAILED, "there is no such object")
                if opened[1].persistent is not seed.persistent:
                    reason = "it exists with the other persistence"
                    raise SharedObjectRefused(BAD_PERSISTENCE, reason)
                return opened
        finally:
            self._opening[key] -= 1
            if not self._opening[key]:
                del self._opening[key]

    async def _close(self, key: ObjectKey) -> None:
        async with self._lock(key):
            if key in self._epochs or key in self._opening:
                return  # opened again meanwhile
            try:
                await self._asked(
                    lambda: self._close_script(keys=self._keys(key), args=[self._process])
                )
            except SequencerUnavailable:
                logger.debug("Shared object %r: its lease will end", key.name)
        if not self._locks[key].locked():
            del self._locks[key]

    def _lock(self, key: ObjectKey) -> asyncio.Lock:
        return self._locks.setdefault(key, asyncio.Lock())

    def _keys(self, key: ObjectKey) -> list[str]:
        name = object_group(key)
        return [f"{self._prefix}:{{{name}}}:{part}" for part in _PARTS]

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        try:
            return await ask()
        except LogLost:
            raise
        except (RedisError, OSError, TimeoutError) as error:
            # Others that wait in the pool are dead as well, and would fail one by one.
            with suppress(RedisError, OSError, TimeoutError):
                await self._redis.connection_pool.disconnect(inuse_connections=False)
            raise SequencerUnavailable(f"Redis: {error or type(error).__name__}") from error


def _first_version() -> int:
    """A new object's: a client that knew an older one of that name must not take it for its own."""
    return secrets.randbelow(1 << 30) + 1
