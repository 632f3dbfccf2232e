"""Calls made from a form: through the gateway's own core, there and back as bytes."""

import json
import time
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from django.http import HttpRequest

from .. import json_door
from ..amf import AMFError
from ..conversation import Conversation, Pending
from ..dispatch import dispatch
from ..dump import value_lines
from ..exceptions import Fault, RemotingError, TransportError
from ..gateway import Exchange
from .formats import MAX_BYTES
from .inspection import Inspection, inspect

Door = Literal["amf3", "amf0", "json"]
DOORS: dict[str, str] = {"amf3": "AMF3", "amf0": "AMF0", "json": "JSON"}
MAX_ARGUMENTS = 100_000
"""Letters of the arguments that a form may hold."""
MAX_LINES = 500
"""Lines of a result that a page shows."""
MAX_LETTERS = 200_000
"""Letters of a result that it shows."""
MAX_ROWS = 200
"""Rows of a packet that it shows; the inspector shows more."""


class BadArguments(Exception):
    """What was typed is no list of arguments; the text says why, for the one who typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a call gave."""

    door: str
    succeeded: bool
    text: str
    """The result, or the fault, a value to a line."""
    milliseconds: float
    """From the request's bytes to the response's, in this process."""
    request: bytes
    response: bytes

    @property
    def packets(self) -> list[tuple[str, str, Inspection]]:
        """Request and response: title, hexadecimal, explanation. None of the JSON door."""
        if self.door == DOORS["json"]:
            return []
        named = (("Request", self.request), ("Response", self.response))
        return [
            (title, data[:MAX_BYTES].hex(), inspect(data, "packet", max_rows=MAX_ROWS))
            for title, data in named
        ]


def make_call(request: HttpRequest, target: str, *, door: Door, arguments: str) -> Outcome:
    """Calls ``target`` as the request's user. BadArguments if the arguments are none."""
    if len(arguments) > MAX_ARGUMENTS:
        raise BadArguments(f"{MAX_ARGUMENTS} letters at most, not {len(arguments)}")
    if door == "json":
        return _call_json(request, target, arguments)
    return _call_amf(request, target, 3 if door == "amf3" else 0, _read(arguments))


def _read(text: str) -> list[Any]:
    try:
        arguments = json.loads(text) if text.strip() else []
    except (ValueError, RecursionError) as error:
        raise BadArguments(f"This is no JSON: {error}") from None
    if not isinstance(arguments, list):
        raise BadArguments("AMF has arguments by position only: a JSON array is expected.")
    return arguments


def _call_amf(
    request: HttpRequest, target: str, version: Literal[0, 3], arguments: list[Any]
) -> Outcome:
    conversation = Conversation("", version)
    pending = Pending(target, tuple(arguments))
    try:
        sent = conversation.request([pending])
    except AMFError as error:
        raise BadArguments(f"The arguments have no form in AMF: {error}") from None
    started = time.perf_counter()
    received = _exchange(request, sent)
    milliseconds = (time.perf_counter() - started) * 1000
    succeeded, value = _result_of(conversation, received, pending)
    return Outcome(
        door=DOORS[f"amf{version}"],
        succeeded=succeeded,
        text=_shown(value),
        milliseconds=milliseconds,
        request=sent,
        response=received,
    )


def _exchange(request: HttpRequest, data: bytes) -> bytes:
    """What the gateway's view does between the bytes of a request and those of the response."""
    try:
        exchange = Exchange(data, request=request, user=request.user)
    except RemotingError as error:
        raise BadArguments(str(error)) from None
    return exchange.response()


def _result_of(conversation: Conversation, received: bytes, pending: Pending) -> tuple[bool, Any]:
    try:
        conversation.receive(received, [pending])
        return True, pending.result()
    except Fault as fault:
        return False, fault.information
    except TransportError as error:
        # A service's headers may be more than clients read.
        return False, str(error)


def _call_json(request: HttpRequest, target: str, arguments: str) -> Outcome:
    sent = arguments.encode("utf-8", "replace")
    started = time.perf_counter()
    try:
        call = json_door.read_call(sent, target=target, request=request, user=request.user)
        response = json_door.result_response(request, target, dispatch(call))
    except Fault as fault:
        response = json_door.fault_response(request, target, fault)
    milliseconds = (time.perf_counter() - started) * 1000
    pretty = _printable(json.dumps(json.loads(response.content), ensure_ascii=False, indent=2))
    return Outcome(
        door=DOORS["json"],
        succeeded=response.status_code == 200,
        text=_cut(iter(pretty.splitlines())),
        milliseconds=milliseconds,
        request=sent,
        response=response.content,
    )


def _shown(value: Any) -> str:
    return _cut(value_lines(value))


def _cut(lines: Any) -> str:
    shown = list(islice(lines, MAX_LINES))
    more = [f"… (more than {MAX_LINES} lines)"] if next(lines, None) is not None else []
    text = "\n".join([*shown, *more])
    return text if len(text) <= MAX_LETTERS else f"{text[:MAX_LETTERS]}… ({len(text)} letters)"


def _printable(text: str) -> str:
    # JSON can say half a surrogate pair; no page can.
    return text.encode("utf-8", "replace").decode()
