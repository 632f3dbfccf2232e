"""Headers of requests: who calls, and what must be understood (AMF 0 §4.1)."""

from functools import partial
from typing import Any

from .amf import MixedArray
from .auth import log_in
from .conf import remoting_settings
from .envelopes import Caller, Command
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


def credentials_work(headers: list[Header], caller: Caller) -> Command | None:
    """Something to run that logs the caller in, or None if there is nothing to do."""
    for header in reversed(headers):
        if header.name == CREDENTIALS:
            userid, password = _userid_and_password(header.value)
            # Clients repeat the header with every request; a session that is theirs saves the
            # hashing.
            if not userid or caller.user.get_username() == userid:
                return None
            log_in = partial(_authenticate, caller, userid, password)
            return Command(CREDENTIALS, log_in, blocking=True)
    return None


def _authenticate(caller: Caller, userid: str, password: str) -> None:
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
