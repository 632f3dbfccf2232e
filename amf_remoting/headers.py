"""Headers of requests: who calls, and what must be understood (AMF 0 §4.1)."""

from collections.abc import Callable
from functools import partial
from typing import Any

from .amf import MixedArray
from .auth import log_in, user_of
from .conf import remoting_settings
from .envelopes import Caller
from .exceptions import Fault, FaultCode
from .packet import Header

CREDENTIALS = "Credentials"
DESCRIBE_SERVICE = "DescribeService"


def not_understood(headers: list[Header]) -> Fault | None:
    """The fault of the first header that must be understood and is not."""
    known = {CREDENTIALS, *remoting_settings().understood_headers}
    if remoting_settings().describe_services:
        known.add(DESCRIBE_SERVICE)
    for header in headers:
        if header.must_understand and header.name not in known:
            return Fault(
                FaultCode.HEADER_NOT_UNDERSTOOD,
                f"header {header.name[:100]!r} is not understood",
                details={"header": header.name[:100]},
            )
    return None


def wants_description(headers: list[Header]) -> bool:
    """Whether the targets are to be described instead of called."""
    asked = any(header.name == DESCRIBE_SERVICE for header in headers)
    return asked and remoting_settings().describe_services


def credentials_work(headers: list[Header], caller: Caller) -> Callable[[], None] | None:
    """Something to run that logs the caller in, or None without (non-empty) credentials."""
    for header in reversed(headers):
        if header.name == CREDENTIALS:
            userid, password = _userid_and_password(header.value)
            return partial(_authenticate, caller, userid, password) if userid else None
    return None


def _authenticate(caller: Caller, userid: str, password: str) -> None:
    # Clients repeat the header with every request; a session that is theirs saves the hashing.
    current = user_of(caller.request)
    if current.is_authenticated and current.get_username() == userid:
        caller.user = current
        return
    caller.user = log_in(caller.request, userid, password)


def _userid_and_password(value: Any) -> tuple[str, str]:
    named = value.named if isinstance(value, MixedArray) else value
    if not isinstance(named, dict):
        return "", ""
    userid, password = named.get("userid"), named.get("password")
    return _text(userid), _text(password)


def _text(value: Any) -> str:
    """Numbers count as their digits; anything else is none: the text of a small graph of
    references can be endless."""
    return str(value) if isinstance(value, str | int | float) and value else ""
