"""The list of connections in the database."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import IntegrityError, close_old_connections, connections, router, transaction
from django.db.models.functions import Now
from django.utils import timezone

from rtmp_channels.connections.facts import Facts
from rtmp_channels.connections.heartbeat import Beat
from rtmp_channels.layer import joining_layer
from rtmp_channels.models import LiveConnection, ServerProcess

logger = logging.getLogger(__name__)

BEATS_MISSED = 3
"""After so many a process counts as dead."""

BATCH = 500
"""Rows that one statement deletes."""

_COLUMNS = (
    "process_id",
    "connection_id",
    "user_id",
    "address",
    "transport",
    "application",
    "instance",
    "program",
    "opened",
    "round_trip",
    "received",
    "sent",
)
"""Of a connection's row; its key is the database's."""

T = TypeVar("T")


class DatabasePresence:
    """One process's rows. The database's clock decides who is dead; the processes' may differ."""

    def __init__(self) -> None:
        self._process = ServerProcess(
            key=secrets.token_hex(16),
            host=socket.gethostname()[:255],
            pid=os.getpid(),
            started=timezone.now(),
        )
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rtmp presence")
        self._beats_beside_others = 0

    async def write(self, beat: Beat) -> bool:
        """See `heartbeat.Store`. Also sweeps up after processes that died."""
        was_known = await self._in_thread(lambda: write_beat(self._process, beat))
        if joining_layer() is None:
            self._look_around(await self._in_thread(lambda: has_others(self._process)))
        return was_known

    async def leave(self) -> None:
        """Deletes the process and its connections."""
        try:
            await self._in_thread(lambda: _delete(self._process))
        finally:
            self._thread.shutdown(wait=False)

    def _look_around(self, are_others: bool) -> None:
        """Says it once, and not of a process that is about to take another's place."""
        self._beats_beside_others = self._beats_beside_others + 1 if are_others else 0
        if self._beats_beside_others == BEATS_MISSED:
            logger.warning(
                "Other processes serve RTMP too, and no channel layer joins them: rooms, pushes "
                "and kicks end with each process (see CHANNEL_LAYERS)"
            )

    async def _in_thread(self, work: Callable[[], T]) -> T:
        def run() -> T:
            close_old_connections()
            try:
                return work()
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)


def write_beat(process: ServerProcess, beat: Beat) -> bool:
    """Writes a beat in this thread; whether the process was known."""
    with transaction.atomic(using=_alias()):
        was_known = _renew(process, beat)
        _remove(beat.gone)
        _insert(process, beat.new)
        _update(beat.changed)
        ServerProcess.objects.filter(expires__lt=Now()).delete()
    return was_known


def has_others(process: ServerProcess) -> bool:
    """Whether other processes are alive."""
    return ServerProcess.objects.filter(expires__gt=Now()).exclude(key=process.key).exists()


def _renew(process: ServerProcess, beat: Beat) -> bool:
    """Whether the process's row was still there; it is afterwards."""
    values = {"connections": beat.connections, "counters": dict(beat.counters)}
    expires = Now() + timedelta(seconds=BEATS_MISSED * beat.interval)
    rows = ServerProcess.objects.filter(key=process.key)
    was_known = bool(rows.update(expires=expires, **values))
    if not was_known:
        is_first = process.pk is None
        process.pk = None
        process.expires = timezone.now()
        process.save(force_insert=True)
        rows.update(expires=expires, **values)
        return is_first
    return True


def _update(facts: Sequence[Facts]) -> None:
    """One statement for all rows: through the ORM each would cost twenty times as much."""
    if not facts:
        return
    connection = connections[_alias()]
    names = (LiveConnection._meta.db_table, "connection_id", "round_trip", "received", "sent")
    table, key, *values = map(connection.ops.quote_name, names)
    assignments = ", ".join(f"{column} = %s" for column in values)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET {assignments} WHERE {key} = %s",  # noqa: S608 - names of ours
            [(one.round_trip, one.received, one.sent, one.connection_id) for one in facts],
        )


def _insert(process: ServerProcess, facts: Sequence[Facts]) -> None:
    """Rows that are there already, which is rare, are replaced: a user is gone, or others took the
    process for dead and deleted some."""
    if not facts:
        return
    try:
        with transaction.atomic(using=_alias()):
            _insert_new(process, facts)
    except IntegrityError:
        _remove([one.connection_id for one in facts])
        _insert_new(process, facts)


def _insert_new(process: ServerProcess, facts: Sequence[Facts]) -> None:
    """One statement, too."""
    connection = connections[_alias()]
    table, *names = map(connection.ops.quote_name, (LiveConnection._meta.db_table, *_COLUMNS))
    marks = ", ".join(["%s"] * len(names))
    as_time = connection.ops.adapt_datetimefield_value
    users = {user: _user_value(user) for user in {one.user for one in facts}}
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",  # noqa: S608 - as above
            [_row(process, one, users[one.user], as_time(one.opened)) for one in facts],
        )


def _remove(connection_ids: Sequence[str]) -> None:
    for batch in _batches(connection_ids):
        LiveConnection.objects.filter(connection_id__in=batch).delete()


def _row(process: ServerProcess, facts: Facts, user: Any, opened: Any) -> tuple[Any, ...]:
    """Values as the driver takes them, in the order of `_COLUMNS`: an instance of the model, and
    each of its fields, would cost several times as much."""
    application, _, instance = _without_nul(facts.path).strip("/").partition("/")
    return (
        process.pk,
        facts.connection_id,
        user,
        facts.address[:64],
        facts.transport,
        application[:255],
        instance[:255],
        _without_nul(facts.program)[:255],
        opened,
        facts.round_trip,
        facts.received,
        facts.sent,
    )


def _without_nul(text: str) -> str:
    """PostgreSQL refuses NUL in text, and with it the whole beat; clients may send it."""
    return text.replace("\0", "")


def _delete(process: ServerProcess) -> None:
    ServerProcess.objects.filter(key=process.key).delete()


def _user_value(value: Any) -> Any:
    """The key as users have it, for the driver; None for what cannot be one."""
    try:
        key = get_user_model()._meta.pk.to_python(value)
    except ValidationError:
        return None
    return LiveConnection._meta.get_field("user").get_db_prep_save(key, connections[_alias()])


def _alias() -> str:
    return router.db_for_write(ServerProcess)


def _batches(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), BATCH):
        yield values[start : start + BATCH]
