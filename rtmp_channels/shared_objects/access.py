"""Shared objects for server code: `async with shared_object("scores", self.scope) as scores: …`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

from rtmp_channels.shared_objects.blocking import LoopOfABlock
from rtmp_channels.shared_objects.current import make_hub, shared_object_hubs
from rtmp_channels.shared_objects.hub import SharedObjectHub
from rtmp_channels.shared_objects.operations import Batch, ObjectKey, Outcome, Verdict
from rtmp_channels.shared_objects.refusals import SequencerUnavailable, SharedObjectError
from rtmp_channels.shared_objects.view import SharedObjectView

SERVER = "server"
"""The writer that stands for server code; no connection has this id."""

ATTEMPTS = 50
"""How often `update_shared_object` tries."""

T = TypeVar("T")


class NotShared(SharedObjectError):
    """The sequencer keeps objects in another process's memory: not to be reached from here."""


class ObjectChanged(SharedObjectError):
    """Somebody changed the object while a block held it locked; nothing was changed by it."""


class ChangeRefused(SharedObjectError):
    """Some changes are against the object's limits; all others were made."""


def shared_object(
    name: str, scope: Mapping[str, Any], *, persistent: bool = False, lock: bool = False
) -> SharedObjectBlock:
    """The object of that name in an application instance: that of the scope's path, "/lobby/room1".

    `async with`, or `with` in sync code. What the block changes is made at its end, as one batch
    under one new version, whatever others changed meanwhile; with `lock`, only if nobody did
    (ObjectChanged). An exception in the block makes none of it. A temporary object that nobody
    uses is made, and lives as long as the connection whose scope this is. With the redis sequencer
    a view, a task or a shell may take part: `{"path": "/lobby/room1"}` is scope enough, and the
    object is used until the block ends. Raises NotShared, ChangeRefused, SharedObjectRefused and
    SequencerUnavailable.
    """
    return SharedObjectBlock(_block(name, scope, persistent=persistent, lock=lock))


class SharedObjectBlock:
    """What `shared_object` returns: a context manager for both kinds of code, for one block."""

    def __init__(self, block: AbstractAsyncContextManager[SharedObjectView]) -> None:
        self._block = block
        self._loop: LoopOfABlock | None = None

    async def __aenter__(self) -> SharedObjectView:
        return await self._block.__aenter__()

    async def __aexit__(self, *exc_info: Any) -> bool | None:
        return await self._block.__aexit__(*exc_info)

    def __enter__(self) -> SharedObjectView:
        self._loop = LoopOfABlock()
        try:
            return self._loop.run(self.__aenter__())
        except BaseException:
            self._loop.close()
            raise

    def __exit__(self, *exc_info: Any) -> bool | None:
        assert self._loop is not None
        try:
            return self._loop.run(self.__aexit__(*exc_info))
        finally:
            self._loop.close()


@asynccontextmanager
async def _block(
    name: str, scope: Mapping[str, Any], *, persistent: bool, lock: bool
) -> AsyncIterator[SharedObjectView]:
    async with _hub(scope) as hub:
        key = ObjectKey(str(scope["path"]).strip("/"), name)
        holder = _holder(hub, scope)
        fanout = await hub.open(key, holder=holder, persistent=persistent, create=True)
        try:
            await hub.refresh(key)
            view = SharedObjectView(fanout.state)
            yield view
            await _commit(hub, key, view, if_version=view.version if lock else None)
        finally:
            fanout.tell(holder)  # before the result of the call that this is part of
            if not hub.is_held_for(holder):
                hub.release(key, holder=holder)


async def update_shared_object(
    name: str,
    scope: Mapping[str, Any],
    update: Callable[[SharedObjectView], T],
    *,
    persistent: bool = False,
) -> T:
    """Calls `update` on the object, again if need be, until nobody changed it in between.

    So it may read and then write: `lambda scores: scores.update(ann=scores.get("ann", 0) + 1)`.
    Returns what `update` returned; raises ObjectChanged after ATTEMPTS.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with shared_object(name, scope, persistent=persistent, lock=True) as view:
                result = update(view)
        except ObjectChanged:
            if attempt == ATTEMPTS:
                raise
        else:
            break
    return result


async def _commit(
    hub: SharedObjectHub, key: ObjectKey, view: SharedObjectView, *, if_version: int | None
) -> None:
    operations = view.operations()
    if not operations:
        return
    outcome = await _submit(hub, key, Batch(SERVER, operations, if_version=if_version))
    if any(answer.verdict is Verdict.LOST for answer in outcome.answers):
        raise ObjectChanged(f"shared object {key.name!r} is not at version {if_version} any more")
    reasons = [a.reason for a in outcome.answers if a.verdict is Verdict.REFUSED]
    if reasons:
        raise ChangeRefused(f"shared object {key.name!r}: {'; '.join(reasons)}")


async def _submit(hub: SharedObjectHub, key: ObjectKey, batch: Batch) -> Outcome:
    told: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
    hub.submit(key, batch, lambda outcome: None if told.done() else told.set_result(outcome))
    outcome = await told
    if outcome is None:
        raise SequencerUnavailable(f"shared object {key.name!r}: nothing was changed")
    return outcome


@asynccontextmanager
async def _hub(scope: Mapping[str, Any]) -> AsyncIterator[SharedObjectHub]:
    """The loop's hub; where there is none (a task, a shell), one for this block."""
    hub = shared_object_hubs.peek()
    if hub is not None and (hub.sequencer.shared or _connection_id(scope) is not None):
        yield hub
        return
    hub = make_hub()
    if not hub.sequencer.shared:
        raise NotShared(
            "the in-memory sequencer serves the consumers of this process's RTMP connections: "
            "this is no scope of theirs, or not the event loop they run on"
        )
    try:
        yield hub
    finally:
        await hub.close()


def _holder(hub: SharedObjectHub, scope: Mapping[str, Any]) -> object:
    """What keeps the object open: the scope's connection or application instance, or this block
    alone if that has ended."""
    connection_id = _connection_id(scope)
    return connection_id if hub.is_held_for(connection_id) else object()


def _connection_id(scope: Mapping[str, Any]) -> object:
    return scope.get("rtmp", {}).get("connection_id")
