"""What every HTTP door does before and after it understands a body."""

import logging

from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils.log import log_response

from .conf import remoting_settings
from .exceptions import RemotingError
from .origins import add_cors, lacks_proof

logger = logging.getLogger(__name__)


_MOST_DIGITS = 18


class RefusedRequest(RemotingError):
    """The request is not for this door; carries the answer's status and text."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def read_body(request: HttpRequest, *, content_type: str) -> bytes:
    """The body of a POST. RefusedRequest 403, 413, 415 or 400; nothing beyond the limit is read."""
    if request.content_type != content_type:
        raise RefusedRequest(415, f"content type {content_type} expected")
    meta = request.META
    if ("HTTP_ORIGIN" in meta or "HTTP_REFERER" in meta) and lacks_proof(request):
        raise RefusedRequest(403, "credentials from a page of another site")
    limit = remoting_settings.current.max_request_size
    declared = str(meta.get("CONTENT_LENGTH") or "")
    # int() refuses to read thousands of digits.
    if declared.isdecimal() and (len(declared) > _MOST_DIGITS or int(declared) > limit):
        raise RefusedRequest(413, f"{limit} bytes at most")
    try:
        body: bytes = request.read(limit + 1)
    except UnreadablePostError as error:
        raise RefusedRequest(400, "the body ends too early") from error
    if len(body) > limit:
        raise RefusedRequest(413, f"{limit} bytes at most")
    return body


def reply(request: HttpRequest, body: bytes, *, content_type: str) -> HttpResponse:
    """A response that the calling page may read, if its site is allowed."""
    response = HttpResponse(body, content_type=content_type)
    return add_cors(request, response) if remoting_settings.current.allowed_origins else response


def refuse(request: HttpRequest, refusal: RefusedRequest) -> HttpResponse:
    """The refusal as plain text; one line in the log, at INFO: it is the caller's fault."""
    response = HttpResponse(
        f"{refusal.reason}\n", status=refusal.status, content_type="text/plain; charset=utf-8"
    )
    # Marks the response as logged: Django would add a line of its own.
    log_response(
        "%s refused (%d): %s",
        request.path,
        refusal.status,
        refusal.reason,
        response=response,
        request=request,
        logger=logger,
        level="info",
    )
    return add_cors(request, response)
