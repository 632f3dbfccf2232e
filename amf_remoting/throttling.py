"""Throttles applied to calls and to failed logins: who a caller is, and what time it is.

Callers are told apart by user, or by address where nobody is logged in. Behind a proxy the
address is the proxy's unless a middleware sets REMOTE_ADDR: this package trusts no header.
"""

import time
from collections.abc import Iterable

from django.http import HttpRequest

from .call import Call
from .conf import RemotingSettings, remoting_settings
from .exceptions import Fault, FaultCode
from .throttle import Throttle, buckets

_LOGIN = "login"


def throttle(call: Call, throttles: Iterable[Throttle]) -> None:
    """Counts the call. Fault "Client.Throttled" with ``retryAfter`` in seconds if it is one too
    many for any of the rates."""
    caller = _caller(call)
    for one in throttles:
        wait = buckets.take(one, caller, now=time.monotonic())
        if wait:
            raise _throttled(f"{call.target} is called too often", wait)


def check_login(address: str) -> None:
    """The Fault if this address has failed too often of late."""
    rate = _login_rate()
    wait = buckets.wait(rate, address, now=time.monotonic()) if rate else 0
    if wait:
        raise _throttled("too many failed logins", wait)


def count_failed_login(address: str) -> None:
    """Takes one of the attempts of this address."""
    rate = _login_rate()
    if rate:
        buckets.take(rate, address, now=time.monotonic())


def address_of(request: HttpRequest) -> str:
    """The peer's address; empty where the server sits behind a UNIX socket."""
    return str(request.META.get("REMOTE_ADDR") or "")


def _login_rate() -> Throttle | None:
    rate = remoting_settings().login_throttle
    try:
        return Throttle.parse(rate, scope=_LOGIN) if rate else None
    except ValueError:
        # The check amf_remoting.E003 tells; a limit that cannot be read must not be none.
        return Throttle.parse(RemotingSettings.login_throttle, scope=_LOGIN)


def _caller(call: Call) -> str:
    if call.user.is_authenticated:
        return f"user {call.user.pk}"
    if call.request is not None:
        return address_of(call.request)
    scope = getattr(call.connection, "scope", None) or {}
    return str((scope.get("client") or [""])[0])


def _throttled(description: str, wait: int) -> Fault:
    return Fault(
        FaultCode.THROTTLED, f"{description}; try again in {wait} s", details={"retryAfter": wait}
    )
