"""Who called what, how long it took and how it ended: in batches, never a query per call.

Calls wait in memory; a thread writes them every CALL_LOG_SECONDS with one statement and forgets
what is older than CALL_LOG_DAYS. What waits when the process is killed is lost.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from .argument_text import argument_text
from .auth import name_of
from .batches import Batches
from .call import Call
from .conf import remoting_settings
from .exceptions import Fault

BATCH = 500
"""Rows in one statement."""
CANCELLED = "cancelled"
"""The outcome of a call that was given up before it had one: its client has hung up."""


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
    """The fault's code, or CANCELLED; empty if there is a result."""
    arguments: str


class CallLog(Batches[Entry]):
    """The calls of one process that wait to be written. The package uses one: ``call_log``."""

    noun = "calls"

    def capacity(self) -> int:
        """CALL_LOG_WAITING."""
        return remoting_settings().call_log_waiting

    def seconds(self) -> float:
        """CALL_LOG_SECONDS."""
        return remoting_settings().call_log_seconds

    def write(self, entries: list[Entry]) -> None:
        """With one statement."""
        _write(entries)

    def prune(self) -> None:
        """What is older than CALL_LOG_DAYS."""
        prune()


def prune() -> int:
    """Deletes the calls that are older than CALL_LOG_DAYS; gives their number."""
    from .models import CallRecord

    oldest = timezone.now() - timedelta(days=remoting_settings().call_log_days)
    return CallRecord.objects.filter(called_at__lt=oldest).delete()[0]


call_log = CallLog()


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
    except BaseException:
        outcome = CANCELLED
        raise
    finally:
        milliseconds = (time.perf_counter() - started) * 1000
        call_log.add(_entry(call, called_at, milliseconds, outcome))


def _entry(call: Call, called_at: datetime, milliseconds: float, outcome: str) -> Entry:
    service, _, method = _without_nul(call.target[:200]).rpartition(".")
    return Entry(
        service=(service or method)[:100],
        method=(method if service else "")[:100],
        username=name_of(call.user),
        door=call.door,
        called_at=called_at,
        milliseconds=round(milliseconds, 3),
        outcome=_without_nul(outcome[:100]),
        arguments=_arguments(call),
    )


def _arguments(call: Call) -> str:
    settings = remoting_settings()
    if not settings.call_log_arguments:
        return ""
    return _without_nul(argument_text(call))[: settings.call_log_argument_size]


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
