"""Shared objects for server code: `async with shared_object("scores", self.scope) as scores: …`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from rtmp_channels.shared_objects.current import shared_object_hubs
from rtmp_channels.shared_objects.hub import SharedObjectHub
from rtmp_channels.shared_objects.operations import Batch, ObjectKey, Outcome, Verdict
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
    """The object of that name in the application instance of an RTMP connection's scope.

    What the block changes is made at its end, as one batch under one new version, whatever others
    changed meanwhile; an exception in the block makes none of it. A temporary object that nobody
    uses is made, and lives as long as the connection whose scope this is. Raises NotShared,
    ChangeRefused, SharedObjectRefused and SequencerUnavailable.
    """
    hub = _hub(scope)
    key = ObjectKey(_instance(scope), name)
    holder = _holder(hub, scope)
    fanout = await hub.open(key, holder=holder, persistent=persistent, create=True)
    try:
        view = SharedObjectView(fanout.state)
        yield view
        operations = view.operations()
        if operations:
            outcome = await _submit(hub, key, Batch(SERVER, operations))
            reasons = [a.reason for a in outcome.answers if a.verdict is Verdict.REFUSED]
            if reasons:
                raise ChangeRefused(f"shared object {name!r}: {'; '.join(reasons)}")
    finally:
        if not hub.is_connected(holder):
            hub.release(key, holder=holder)


async def _submit(hub: SharedObjectHub, key: ObjectKey, batch: Batch) -> Outcome:
    told: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
    hub.submit(key, batch, lambda outcome: None if told.done() else told.set_result(outcome))
    outcome = await told
    if outcome is None:
        raise SequencerUnavailable(f"shared object {key.name!r}: nothing was changed")
    return outcome


def _instance(scope: Mapping[str, Any]) -> str:
    return str(scope["path"]).strip("/")


def _hub(scope: Mapping[str, Any]) -> SharedObjectHub:
    """The loop's hub, if it can have the object."""
    is_elsewhere = shared_object_hubs.peek() is None or _connection_id(scope) is None
    hub = shared_object_hubs.get()
    if is_elsewhere and not hub.sequencer.shared:
        raise NotShared(
            "the in-memory sequencer serves the consumers of this process's RTMP connections: "
            "this is no scope of theirs, or not the event loop they run on"
        )
    return hub


def _holder(hub: SharedObjectHub, scope: Mapping[str, Any]) -> object:
    """What keeps the object open: the scope's connection, or this block alone if it has ended."""
    connection_id = _connection_id(scope)
    return connection_id if hub.is_connected(connection_id) else object()


def _connection_id(scope: Mapping[str, Any]) -> object:
    return scope.get("rtmp", {}).get("connection_id")
