"""The JSON door: the same services, policy and faults for callers without AMF.

``POST json/<service>/<method>/`` with a JSON array (arguments by position) or object (by name);
the answer is ``{"result": …}``, or ``{"fault": {"level", "code", "description", …}}`` with a
status that says what kind of fault it is.
"""

import base64
import dataclasses
import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.utils.log import log_response

from . import conf
from .amf import XML, Date, Dictionary, MixedArray, TypedObject, UndefinedType, XMLDocument
from .amf.vectors import NumberVector, ObjectVector
from .call import Call
from .exceptions import Fault, FaultCode
from .flex.collections import Wrapper
from .http import logger
from .origins import add_cors

CONTENT_TYPE = "application/json"

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
        return super().default(o)


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


def result_response(request: HttpRequest, target: str, value: Any) -> HttpResponse:
    """200 with the result; a fault if it has no form in JSON."""
    try:
        text = json.dumps({"result": value}, cls=JsonEncoder, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        # May be the caller's doing (an echo of NaN): one line, unlike what follows.
        logger.error("the result of %s cannot be encoded: %s", target, error)
        fault = Fault(FaultCode.BAD_RESULT, f"the result cannot be encoded: {error}")
        return fault_response(request, target, fault)
    except Exception as error:
        logger.exception("the result of %s cannot be encoded", target)
        reason = f": {error}" if conf.debug() else ""
        fault = Fault(FaultCode.BAD_RESULT, f"the result cannot be encoded{reason}")
        return fault_response(request, target, fault)
    return add_cors(request, HttpResponse(text, content_type=CONTENT_TYPE))


def fault_response(request: HttpRequest, target: str, fault: Fault) -> HttpResponse:
    """The fault with its status; one line in the log, at INFO."""
    status = _STATUS.get(fault.code, 400)  # type: ignore[call-overload]
    response = HttpResponse(_fault_text(fault), status=status, content_type=CONTENT_TYPE)
    if "retryAfter" in fault.details:
        response["Retry-After"] = str(fault.details["retryAfter"])
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
    except (TypeError, ValueError, RecursionError):
        logger.exception("the details of a fault cannot be encoded")
        bare = Fault(fault.code, fault.description, level=fault.level)
        return json.dumps({"fault": bare.information})
