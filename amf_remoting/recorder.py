"""Packets recorded for the inspector: while staff wants it, the last ones, without passwords.

Nothing is recorded unless somebody switched it on; then every process records within a second,
and stops by itself after RECORDING_MINUTES.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from .batches import Batches
from .conf import remoting_settings
from .policy import policy, policy_changed
from .redaction import redacted

WAITING = 200
"""Packets that may wait to be written; further ones are dropped."""
SECONDS = 0.5
"""How long they wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A request and its response, cut off where they are too long."""

    recorded_at: datetime
    username: str
    outcome: str
    request: bytes
    response: bytes
    request_size: int
    response_size: int


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

    def record(self, user: Any, request: bytes, response: bytes, *, outcome: str = "") -> None:
        """Keeps a packet and its answer, if packets are being recorded."""
        if not policy.is_recording or not remoting_settings().recorded_packets:
            return
        size = remoting_settings().recorded_packet_size
        known = user is not None and user.is_authenticated
        self.add(
            Entry(
                recorded_at=timezone.now(),
                username=str(user.get_username())[:150] if known else "",
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
    from .models import Recording

    request = redacted(entry.request, is_cut=entry.request_size > len(entry.request))
    response = redacted(entry.response, is_cut=entry.response_size > len(entry.response))
    faults = f"{response.faults} faults" if response.faults > 1 else "a fault"
    return Recording(
        recorded_at=entry.recorded_at,
        form="packet",
        title=_without_nul(", ".join(dict.fromkeys(request.targets)))[:200],
        username=entry.username,
        outcome=_without_nul(entry.outcome or (faults if response.faults else "")),
        request=request.data,
        response=response.data,
        request_size=entry.request_size,
        response_size=entry.response_size,
    )


def _without_nul(text: str) -> str:
    """Databases refuse NUL in text."""
    return text.replace("\0", "")


recorder = Recorder()
