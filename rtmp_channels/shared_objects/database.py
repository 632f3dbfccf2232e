"""Persistent objects in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections, transaction

from rtmp_channels.models import SharedObjectRecord
from rtmp_channels.protocol.shared_object import (
    PERSISTENT,
    Change,
    SharedObjectMessage,
)
from rtmp_channels.shared_objects.encoding import Encoded, encode_pair, encode_value
from rtmp_channels.shared_objects.operations import EventKind, ObjectKey, object_group
from rtmp_channels.shared_objects.persistence import StoredObject

T = TypeVar("T")


class DatabaseStore:
    """One row per object; all its slots as the message that a client would be sent.

    Works in a thread of its own: objects are written in the order they changed.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="shared objects")

    async def load(self, key: ObjectKey) -> StoredObject | None:
        return await self._in_thread(lambda: _load(key))

    async def save(self, objects: Sequence[StoredObject]) -> None:
        await self._in_thread(lambda: _save(objects))

    def close(self) -> None:
        self._thread.shutdown(wait=False)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        def run() -> T:
            close_old_connections()
            try:
                return work()
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)


def _load(key: ObjectKey) -> StoredObject | None:
    record = SharedObjectRecord.objects.filter(digest=object_group(key)).first()
    if record is None:
        return None
    message = SharedObjectMessage.parse(bytes(record.data), max_events=1 << 20)
    slots = [
        (slot, data)
        for event in message.events
        if isinstance(event, Change)
        for slot, value in event.changes
        if (data := encode_value(value)) is not None
    ]
    return StoredObject(key, record.version, tuple(slots))


def _save(objects: Sequence[StoredObject]) -> None:
    with transaction.atomic():
        for stored in objects:
            _save_one(stored)


def _save_one(stored: StoredObject) -> None:
    digest = object_group(stored.key)
    values = {"version": stored.version, "data": _encode(stored)}
    newest = SharedObjectRecord.objects.select_for_update().filter(digest=digest).first()
    if newest is None:
        # For people only, the digest has them whole. PostgreSQL refuses NUL in text.
        instance, name = (text.replace("\0", "") for text in stored.key)
        SharedObjectRecord.objects.create(digest=digest, instance=instance, name=name, **values)
    elif newest.version < stored.version:
        newest.version, newest.data = stored.version, values["data"]
        newest.save()


def _encode(stored: StoredObject) -> bytes:
    events = tuple(Encoded(EventKind.CHANGE, encode_pair(*slot)) for slot in stored.slots)
    return SharedObjectMessage(stored.key.name, 0, PERSISTENT, events).serialize()
