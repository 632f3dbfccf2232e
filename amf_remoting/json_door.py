"""The JSON door: the same services, policy and faults for callers without AMF.

``POST json/<service>/<method>/`` with a JSON array (arguments by position) or object (by name);
the answer is ``{"result": …}``, or ``{"fault": {"level", "code", "description", …}}`` with a
status that says what kind of fault it is.
"""

import base64
import dataclasses
import json
from functools import partial
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.utils.log import log_response

from .amf import (
    XML,
    AMFError,
    Date,
    Dictionary,
    MixedArray,
    TypedObject,
    UndefinedType,
    XMLDocument,
)
from .amf.adapters import adapt
from .amf.limits import DEFAULT_POLICY
from .amf.vectors import NumberVector, ObjectVector
from .answer import bad_result
from .call import Call
from .exceptions import Fault, FaultCode
from .flex.collections import Wrapper
from .http import logger
from .origins import add_cors
from .pool import run_in_pool
from .settle import asettled

CONTENT_TYPE = "application/json"
LARGE_BODY = 64 * 1024
"""Bytes from which decoding is no matter of an instant: four million hold a loop for a second."""

_STATUS = {
    FaultCode.METHOD_NOT_FOUND: 404,
    FaultCode.AUTHENTICATION: 401,
    FaultCode.AUTHORIZATION: 403,
    FaultCode.THROTTLED: 429,
    FaultCode.UNAVAILABLE: 503,
    FaultCode.BUSY: 503,
    FaultCode.PROCESSING: 500,
    FaultCode.BAD_RESULT: 500,
}
"""Everything else, a service's own faults included, is 400."""
_NO_JSON = (AMFError, TypeError, ValueError, RecursionError)
"""What values without a form in JSON raise: an echo of NaN, a circle, an unmapped model."""


class JsonEncoder(DjangoJSONEncoder):
    """Values of services, those that only AMF has included."""

    def default(self, o: Any) -> Any:
        """Binary data as Base64, typed objects by their members, undefined as null."""
        match o:
            case bytes() | bytearray():
                return base64.b64encode(o).decode()
            case UndefinedType():
                return None
            case TypedObject():
                return o.values
            case MixedArray():
                return {**{str(index): item for index, item in enumerate(o.dense)}, **o.named}
            case Dictionary():
                return {str(key): item for key, item in o.items()}
            case XML() | XMLDocument():
                return o.text
            case Date():
                return None
            case Wrapper():
                return o.source
            case NumberVector() | ObjectVector() | set() | frozenset():
                return list(o)
        if dataclasses.is_dataclass(o) and not isinstance(o, type):
            return {field.name: getattr(o, field.name) for field in dataclasses.fields(o)}
        try:
            return super().default(o)
        except TypeError:
            return adapt(o, DEFAULT_POLICY)


def read_call(data: bytes, *, target: str, request: HttpRequest, user: Any) -> Call:
    """The call that a body makes; an empty one gives no arguments. Fault if it is no JSON."""
    call = Call(target, user=user, door="json", request=request)
    try:
        arguments = json.loads(data) if data.strip() else []
    except (ValueError, RecursionError) as error:
        raise Fault(FaultCode.BAD_MESSAGE, f"the body is no JSON: {error}") from None
    if isinstance(arguments, list):
        call.arguments = arguments
    elif isinstance(arguments, dict):
        call.keywords = arguments
    else:
        raise Fault(FaultCode.BAD_MESSAGE, "a JSON array or object of arguments expected")
    return call


async def aread_call(data: bytes, *, target: str, request: HttpRequest, user: Any) -> Call:
    """The same on a loop, which goes on while a large body is decoded in the pool."""
    read = partial(read_call, data, target=target, request=request, user=user)
    if len(data) < LARGE_BODY:
        return read()
    call: Call = await run_in_pool(read)
    return call


def result_response(request: HttpRequest, target: str, value: Any) -> HttpResponse:
    """200 with the result; a fault if it has no form in JSON.

    SynchronousOnlyOperation if that asks the database and this is a loop: settle it first.
    """
    try:
        text = json.dumps({"result": value}, cls=JsonEncoder, allow_nan=False)
    except SynchronousOnlyOperation:
        raise
    except Exception as error:
        return fault_response(request, target, bad_result(target, error, told=_NO_JSON))
    return add_cors(request, HttpResponse(text, content_type=CONTENT_TYPE))


async def aresult_response(request: HttpRequest, target: str, value: Any) -> HttpResponse:
    """The same on a loop, whatever the result asks."""
    try:
        return result_response(request, target, value)
    except SynchronousOnlyOperation:
        pass
    try:
        return result_response(request, target, await asettled(value))
    except Exception as error:
        return fault_response(request, target, bad_result(target, error, told=_NO_JSON))


def fault_response(request: HttpRequest, target: str, fault: Fault) -> HttpResponse:
    """The fault with its status; one line in the log, at INFO."""
    status = _STATUS.get(fault.code, 400)  # type: ignore[call-overload]
    response = HttpResponse(_fault_text(fault), status=status, content_type=CONTENT_TYPE)
    if isinstance(seconds := fault.details.get("retryAfter"), int):
        response["Retry-After"] = str(seconds)
    # Marks the response as logged: Django would add a line of its own.
    log_response(
        "%s: %s",
        request.path,
        fault,
        response=response,
        request=request,
        logger=logger,
        level="info",
    )
    return add_cors(request, response)


def _fault_text(fault: Fault) -> str:
    try:
        return json.dumps({"fault": fault.information}, cls=JsonEncoder, allow_nan=False)
    except Exception:
        logger.exception("the details of a fault cannot be encoded")
        bare = Fault(fault.code, fault.description, level=fault.level)
        return json.dumps({"fault": bare.information})
