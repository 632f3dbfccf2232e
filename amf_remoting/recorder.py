"""Packets recorded for the inspector: while staff wants it, the last ones, without passwords.

Nothing is recorded unless somebody switched it on; then every process records within a second,
and stops by itself after RECORDING_MINUTES.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.apps import apps
from django.utils import timezone

from .auth import name_of
from .batches import Batches
from .conf import remoting_settings
from .exceptions import Fault
from .policy import policy, policy_changed
from .redaction import redacted

WAITING = 200
"""Packets that may wait to be written; further ones are dropped."""
SECONDS = 0.5
"""How long they wait."""


class Kept(Protocol):
    """What a redaction gives."""

    @property
    def data(self) -> bytes: ...

    @property
    def targets(self) -> Sequence[str]: ...

    @property
    def faults(self) -> int: ...

    @property
    def secrets(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A request and its response, or a conversation, cut off where they are too long."""

    recorded_at: datetime
    form: str = "packet"
    title: str = ""
    """Comes before the targets."""
    redact: Callable[..., Kept] = redacted
    """Takes ``data``, ``is_cut`` and ``secrets`` found in the other direction."""
    username: str = ""
    outcome: str = ""
    request: bytes
    response: bytes
    request_size: int
    response_size: int
    goes_on: bool = False
    """Whether more was to come: its last value may be half a secret."""


class Recorder(Batches[Entry]):
    """The packets of one process that wait to be written. The package uses one: ``recorder``."""

    noun = "packets"

    def capacity(self) -> int:
        """WAITING."""
        return WAITING

    def seconds(self) -> float:
        """SECONDS."""
        return SECONDS

    def write(self, entries: list[Entry]) -> None:
        """Takes the passwords out, and writes the rest with one statement."""
        from .models import Recording

        if entries:
            Recording.objects.bulk_create(
                map(_row, entries[-remoting_settings().recorded_packets :])
            )
            self.prune()

    def prune(self) -> None:
        """What is too old or too much."""
        prune()

    @property
    def is_on(self) -> bool:
        """Whether packets are recorded, by what this process knows."""
        return policy.is_recording and remoting_settings().recorded_packets > 0

    @property
    def is_known(self) -> bool:
        """Whether what this process knows is new enough."""
        return policy.is_fresh or not self.is_possible

    @property
    def is_possible(self) -> bool:
        """Whether the settings allow it; without this app's tables nothing is recorded."""
        settings = remoting_settings()
        wanted = settings.recorded_packets > 0 and settings.policy_from_database
        return wanted and apps.is_installed("amf_remoting")

    def refresh(self) -> None:
        """Asks the database, if what is known here is too old: after what no call asked for."""
        if not self.is_known:
            with suppress(Fault):
                policy.current()

    async def arefresh(self) -> None:
        """The same on a loop."""
        if not self.is_known:
            with suppress(Fault):
                await policy.acurrent()

    async def ais_on(self) -> bool:
        """The same as ``is_on``, by what the database says."""
        await self.arefresh()
        return self.is_on

    def record(self, user: Any, request: bytes, response: bytes, *, outcome: str = "") -> None:
        """Keeps a packet and its answer, if packets are being recorded."""
        if not policy.is_recording or not self.is_on:
            return
        size = remoting_settings().recorded_packet_size
        self.add(
            Entry(
                recorded_at=timezone.now(),
                username=name_of(user),
                outcome=outcome[:200],
                request=request[:size],
                response=response[:size],
                request_size=len(request),
                response_size=len(response),
            )
        )


def prune() -> None:
    """Deletes all but the last RECORDED_PACKETS, and those older than RECORDED_HOURS."""
    from .models import Recording

    settings = remoting_settings()
    oldest = timezone.now() - timedelta(hours=settings.recorded_hours)
    expired = Recording.objects.filter(recorded_at__lt=oldest)
    # Asked first: a page that only looks should not write.
    if expired.exists():
        expired.delete()
    beyond = Recording.objects.order_by("-pk").values_list("pk", flat=True)
    if too_old := beyond[settings.recorded_packets : settings.recorded_packets + 1]:
        Recording.objects.filter(pk__lte=too_old[0]).delete()


def recording_until() -> datetime | None:
    """When the recording that goes on ends; None if there is none."""
    from .models import PolicyVersion

    until = PolicyVersion.objects.filter(pk=PolicyVersion.ROW).values_list("recording_until")
    (found,) = next(iter(until), (None,))
    return found if found is not None and found > timezone.now() else None


def start_recording() -> datetime:
    """Every process records within a second, for RECORDING_MINUTES; gives the end."""
    until = timezone.now() + timedelta(minutes=remoting_settings().recording_minutes)
    _set(until)
    return until


def stop_recording() -> None:
    """Every process stops within a second."""
    _set(None)


def _set(until: datetime | None) -> None:
    from .models import PolicyVersion

    PolicyVersion.objects.update_or_create(
        pk=PolicyVersion.ROW, defaults={"recording_until": until}
    )
    policy_changed(using=PolicyVersion.objects.db)


def _row(entry: Entry) -> Any:
    from .models import Recording, printable

    is_cut = entry.goes_on or entry.request_size > len(entry.request)
    request = entry.redact(entry.request, is_cut=is_cut)
    is_cut = entry.goes_on or entry.response_size > len(entry.response)
    response = entry.redact(entry.response, is_cut=is_cut, secrets=request.secrets)
    targets = ", ".join(dict.fromkeys(request.targets))
    faults = f"{response.faults} faults" if response.faults > 1 else "a fault"
    return Recording(
        recorded_at=entry.recorded_at,
        form=entry.form,
        title=printable(": ".join(filter(None, (entry.title, targets))))[:200],
        username=entry.username,
        outcome=printable(entry.outcome or (faults if response.faults else "")),
        request=request.data,
        response=response.data,
        request_size=entry.request_size,
        response_size=entry.response_size,
    )


recorder = Recorder()
