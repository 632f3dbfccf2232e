"""Who called what, how long it took and how it ended: in batches, never a query per call.

Calls wait in memory; a thread writes them every CALL_LOG_SECONDS with one statement and forgets
what is older than CALL_LOG_DAYS. What waits when the process is killed is lost.
"""

import atexit
import dataclasses
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from reprlib import Repr
from typing import Any

from django.db import connections
from django.utils import timezone

from .amf import Dictionary
from .amf.vectors import NumberVector, ObjectVector
from .call import Call
from .conf import remoting_settings
from .exceptions import Fault
from .flex.collections import Wrapper

logger = logging.getLogger(__name__)

BATCH = 500
"""Rows in one statement."""
PRUNE_SECONDS = 600
"""How often old calls are deleted, at most."""


class _Short(Repr):
    """Looks into instances no deeper than into dicts: the repr() of a few references to
    references is endless."""

    def repr_instance(self, x: Any, level: int) -> str:
        """Called for everything that is no list, dict, text, …"""
        if isinstance(x, type):
            return super().repr_instance(x, level)
        members = _members(x)
        if members is None:
            return super().repr_instance(x, level)
        return f"{type(x).__name__}({self.repr1(members, level - 1) if level > 0 else '...'})"


def _members(value: Any) -> Any:
    match value:
        case Wrapper():
            return value.source
        case Dictionary():
            return [*islice(value.items(), _SHORT.maxdict + 1)]
        case NumberVector() | ObjectVector():
            return value.items[: _SHORT.maxlist + 1]
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return {field.name: getattr(value, field.name, None) for field in fields}
    return None


_SHORT = _Short()
_SHORT.maxlevel = 4
_SHORT.maxstring = _SHORT.maxother = 200
_SHORT.maxlist = _SHORT.maxdict = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One call as it waits to be written."""

    service: str
    method: str
    username: str
    door: str
    called_at: datetime
    milliseconds: float
    outcome: str
    """The fault's code; empty if there was none."""
    arguments: str


@dataclass(slots=True)
class CallLog:
    """The calls of one process that wait to be written. The package uses one: ``call_log``."""

    background: bool = True
    """Whether a thread writes; if not, ``flush`` is somebody else's task."""
    _waiting: deque[Entry] = field(default_factory=deque)
    _dropped: int = 0
    _thread: threading.Thread | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _pruned_at: float = float("-inf")

    def add(self, entry: Entry) -> None:
        """Remembers a call; when too many wait, it is counted and dropped."""
        with self._lock:
            if len(self._waiting) >= remoting_settings().call_log_waiting:
                self._dropped += 1
                return
            self._waiting.append(entry)
            if self.background and self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="amf-remoting-call-log", daemon=True
                )
                self._thread.start()

    def flush(self) -> None:
        """Writes what waits. A database that cannot be written loses it, with one log line."""
        with self._lock:
            entries, self._waiting = list(self._waiting), deque()
            dropped, self._dropped = self._dropped, 0
        if dropped:
            logger.warning("%d calls were not logged: too many were waiting", dropped)
        try:
            _write(entries)
            self._prune()
        except Exception as error:
            logger.error("%d calls could not be logged: %s", len(entries), error)

    def close(self) -> None:
        """Writes what waits and ends the thread; the next call starts another."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout=10)
        self._stop.clear()

    def forget_thread(self) -> None:
        """After a fork: the child has no thread, and the parent writes what waited."""
        self._thread = None
        self._lock = threading.Lock()
        self._waiting.clear()

    def _run(self) -> None:
        stopped = False
        while not stopped:
            stopped = self._stop.wait(remoting_settings().call_log_seconds)
            self.flush()
            connections.close_all()

    def _prune(self) -> None:
        if time.monotonic() - self._pruned_at < PRUNE_SECONDS:
            return
        self._pruned_at = time.monotonic()
        prune()


def prune() -> int:
    """Deletes the calls that are older than CALL_LOG_DAYS; gives their number."""
    from .models import CallRecord

    oldest = timezone.now() - timedelta(days=remoting_settings().call_log_days)
    return CallRecord.objects.filter(called_at__lt=oldest).delete()[0]


call_log = CallLog()
atexit.register(call_log.close)
os.register_at_fork(after_in_child=call_log.forget_thread)


@contextmanager
def recorded(call: Call) -> Iterator[None]:
    """Logs the call that happens inside, if CALL_LOG is on."""
    if not remoting_settings().call_log:
        yield
        return
    called_at, started, outcome = timezone.now(), time.perf_counter(), ""
    try:
        yield
    except Fault as fault:
        outcome = fault.code
        raise
    finally:
        milliseconds = (time.perf_counter() - started) * 1000
        call_log.add(_entry(call, called_at, milliseconds, outcome))


def _entry(call: Call, called_at: datetime, milliseconds: float, outcome: str) -> Entry:
    service, _, method = _without_nul(call.target[:200]).rpartition(".")
    return Entry(
        service=(service or method)[:100],
        method=(method if service else "")[:100],
        username=_username(call.user)[:150],
        door=call.door,
        called_at=called_at,
        milliseconds=round(milliseconds, 3),
        outcome=_without_nul(outcome[:100]),
        arguments=_arguments(call),
    )


def _username(user: Any) -> str:
    return str(user.get_username()) if user is not None and user.is_authenticated else ""


def _arguments(call: Call) -> str:
    settings = remoting_settings()
    if not settings.call_log_arguments:
        return ""
    text = _SHORT.repr(call.arguments)
    if call.keywords:
        text = f"{text} {_SHORT.repr(call.keywords)}"
    return _without_nul(text)[: settings.call_log_argument_size]


def _without_nul(text: str) -> str:
    """Databases refuse NUL in text, and with it all calls that are written together."""
    return text.replace("\0", "")


def _write(entries: list[Entry]) -> None:
    from .models import CallRecord

    rows = [
        CallRecord(**{name: getattr(entry, name) for name in Entry.__slots__}) for entry in entries
    ]
    if rows:
        CallRecord.objects.bulk_create(rows, batch_size=BATCH)
