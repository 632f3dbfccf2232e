"""The server's clock."""

from datetime import datetime

from django.utils import timezone

from amf_remoting.registry import remote_method


@remote_method(blocking=False)
def now() -> datetime:
    """This moment in UTC: a Date in ActionScript."""
    return timezone.now()
