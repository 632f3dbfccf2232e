"""Shared objects for server code: `async with shared_object("scores", self.scope) as scores: …`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from rtmp_channels.shared_objects.current import make_hub, shared_object_hubs
from rtmp_channels.shared_objects.hub import SharedObjectHub
from rtmp_channels.shared_objects.operations import Batch, ObjectKey, Operation, Outcome, Verdict
from rtmp_channels.shared_objects.refusals import SequencerUnavailable, SharedObjectError
from rtmp_channels.shared_objects.view import SharedObjectView

SERVER = "server"
"""The writer that stands for server code; no connection has this id."""


class NotShared(SharedObjectError):
    """The sequencer keeps objects in another process's memory: not to be reached from here."""


class ChangeRefused(SharedObjectError):
    """Some changes are against the object's limits; all others were made."""


@asynccontextmanager
async def shared_object(
    name: str, scope: Mapping[str, Any], *, persistent: bool = False
) -> AsyncIterator[SharedObjectView]:
    """The object of that name in an application instance: that of the scope's path, "/lobby/room1".

    What the block changes is made at its end, as one batch under one new version, whatever others
    changed meanwhile; an exception in the block makes none of it. A temporary object that nobody
    uses is made, and lives as long as the connection whose scope this is. With the redis sequencer
    a view, a task or a shell may take part: `{"path": "/lobby/room1"}` is scope enough, and the
    object is used until the block ends. Raises NotShared, ChangeRefused, SharedObjectRefused and
    SequencerUnavailable.
    """
    async with _hub(scope) as hub:
        key = ObjectKey(str(scope["path"]).strip("/"), name)
        holder = _holder(hub, scope)
        fanout = await hub.open(key, holder=holder, persistent=persistent, create=True)
        try:
            await hub.refresh(key)
            view = SharedObjectView(fanout.state)
            yield view
            await _commit(hub, key, view.operations())
        finally:
            if not hub.is_connected(holder):
                hub.release(key, holder=holder)


async def _commit(hub: SharedObjectHub, key: ObjectKey, operations: Sequence[Operation]) -> None:
    if not operations:
        return
    outcome = await _submit(hub, key, Batch(SERVER, tuple(operations)))
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
    """What keeps the object open: the scope's connection, or this block alone if it has ended."""
    connection_id = _connection_id(scope)
    return connection_id if hub.is_connected(connection_id) else object()


def _connection_id(scope: Mapping[str, Any]) -> object:
    return scope.get("rtmp", {}).get("connection_id")
