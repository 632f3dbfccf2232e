"""The admin's policy as every process holds it: a snapshot, not a query per call.

A call that finds the snapshot older than POLICY_REFRESH_SECONDS has the version row read: one
tiny query, at most once per period and process. Only a changed version has the rules read
again. A change made in this process is obeyed by its next call.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

from django.db import connections, transaction

from .conf import remoting_settings
from .exceptions import Fault, FaultCode
from .remote import RemoteMethod
from .rules import Rule

logger = logging.getLogger(__name__)

Rules = Mapping[tuple[str, str], Rule]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The rules at one moment, by (service, method); method "" stands for the whole service."""

    token: str | None
    rules: Rules
    recording_until: float = 0.0
    """Seconds since 1970: until then packets are recorded (see recorder.py)."""

    def rule_for(self, method: RemoteMethod) -> Rule:
        """What the code and the admin demand together."""
        if not self.rules:
            return method.rule
        of_service = self.rules.get((method.service, ""))
        of_method = self.rules.get((method.service, method.name)) if method.name else None
        return method.rule.and_also(of_service).and_also(of_method)


NO_POLICY = Snapshot(None, {})


@dataclass(slots=True)
class Policy:
    """Keeps the snapshot of one process fresh. The package uses one: ``policy``."""

    clock: Callable[[], float] = time.monotonic
    _snapshot: Snapshot | None = None
    _checked_at: float = float("-inf")
    _generation: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    """Guards the fields; never held during a query."""
    _reading: threading.Lock = field(default_factory=threading.Lock)
    """Held during a query, so that one thread reads and the others find it done."""
    _refreshes: WeakKeyDictionary[
        asyncio.AbstractEventLoop, tuple[int, asyncio.Future[Snapshot]]
    ] = field(default_factory=WeakKeyDictionary)
    """What is being read, and the generation in which that began."""

    def current(self) -> Snapshot:
        """The snapshot, fresh. Fault "Server.Unavailable" if none could ever be read."""
        return self.if_fresh() or self._refreshed()

    async def acurrent(self) -> Snapshot:
        """The same; the query runs in a thread of its own and all callers share it."""
        snapshot = self.if_fresh()
        if snapshot is not None:
            return snapshot
        loop = asyncio.get_running_loop()
        generation = self._generation
        began_in, refresh = self._refreshes.get(loop, (None, None))
        # One that began before a change may not know it.
        if refresh is None or refresh.done() or began_in != generation:
            refresh = loop.run_in_executor(_executor, self._refreshed_and_closed)
            self._refreshes[loop] = generation, refresh
        return await asyncio.shield(refresh)

    @property
    def is_fresh(self) -> bool:
        """Whether the next call would find the snapshot new enough."""
        return self.if_fresh() is not None

    @property
    def is_recording(self) -> bool:
        """Whether packets are recorded, by what is known here: the snapshot may be stale."""
        snapshot = self._snapshot
        return (
            snapshot is not None
            and snapshot.recording_until > 0
            and time.time() < snapshot.recording_until
        )

    def if_fresh(self) -> Snapshot | None:
        """The snapshot, if no query is due: what there is to ask on a loop before waiting."""
        settings = remoting_settings.current
        if not settings.policy_from_database:
            return NO_POLICY
        fresh = self.clock() - self._checked_at < settings.policy_refresh_seconds
        return self._snapshot if fresh else None

    def invalidate(self) -> None:
        """The next call reads the rules anew, whatever the version says."""
        with self._lock:
            self._generation += 1
            self._checked_at = float("-inf")
            if self._snapshot is not None:
                self._snapshot = replace(self._snapshot, token=None)

    def reset(self) -> None:
        """Forgets everything, as a new process would."""
        self.invalidate()
        self._snapshot = None

    def _refreshed(self) -> Snapshot:
        with self._reading:
            return self.if_fresh() or self._read()

    def _read(self) -> Snapshot:
        with self._lock:
            generation, old = self._generation, self._snapshot
        started = self.clock()
        try:
            snapshot = _query(old)
        except Exception as error:
            return self._keep(old, started, error)
        with self._lock:
            self._snapshot = snapshot
            # A change during the query may not be in it: leave the snapshot stale then.
            if generation == self._generation:
                self._checked_at = started
        return snapshot

    def _keep(self, old: Snapshot | None, started: float, error: Exception) -> Snapshot:
        if old is None:
            logger.error("the policy of services cannot be read (migrate?): %s", error)
            raise Fault(FaultCode.UNAVAILABLE, "the policy of services cannot be read") from error
        logger.warning("the policy of services cannot be read; the last one holds: %s", error)
        with self._lock:
            self._checked_at = started
        return old

    def _refreshed_and_closed(self) -> Snapshot:
        try:
            return self._refreshed()
        finally:
            connections.close_all()


# Not the pool of the methods: the policy must not wait behind slow ones.
_executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="amf-remoting-policy")
policy = Policy()


def policy_changed(*, using: str) -> None:
    """Announces a change of the rules in database ``using``: here at once, elsewhere by version."""
    from .models import PolicyVersion

    PolicyVersion.renew(using=using)
    policy.invalidate()
    # Again after the commit: another thread may read the old rules until then.
    transaction.on_commit(policy.invalidate, using=using)


def _query(old: Snapshot | None) -> Snapshot:
    from .models import PolicyVersion, ServicePolicy

    versions = PolicyVersion.objects.filter(pk=PolicyVersion.ROW)
    row = next(iter(versions.values_list("token", "recording_until")), ("", None))
    token, recording_until = row
    if old is not None and old.token == token:
        return old
    rules = {(row.service, row.method): row.rule for row in ServicePolicy.objects.all()}
    return Snapshot(token, rules, recording_until.timestamp() if recording_until else 0.0)
