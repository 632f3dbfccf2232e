"""The doors for HTTP. Each has a sync view for WSGI and an async one for ASGI; see urls.py."""

from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_exempt

from . import json_door
from .auth import auser_of, user_of
from .dispatch import adispatch, dispatch
from .exceptions import Fault
from .gateway import CONTENT_TYPE, LARGE_PACKET, Exchange
from .http import RefusedRequest, read_body, refuse, reply
from .origins import crossdomain, preflight
from .recorder import recorder

__all__ = ["agateway", "ajson_call", "crossdomain", "gateway", "json_call"]

View = TypeVar("View", bound=Callable[..., object])


class _EveryDatabase:
    """What `transaction.non_atomic_requests` would collect for all of a site's databases.

    Which those are is not known yet when a site imports its urls.
    """

    def __contains__(self, alias: object) -> bool:
        return True


def _door(view: View) -> View:
    """Without CSRF token (see origins.py) and, where a site has ATOMIC_REQUESTS, without a
    transaction around the batch: each call has its own (see dispatch.py)."""
    door = csrf_exempt(view)
    setattr(door, "_non_atomic_requests", _EveryDatabase())  # noqa: B010 - Django's attribute
    return door


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>AMF gateway</title>
<h1>AMF gateway</h1>
<p>Flash, Flex and Ruffle clients call the services of this site here: AMF packets by POST with the
content type application/x-amf. There is nothing to see in a browser.</p>
"""


@_door
def gateway(request: HttpRequest) -> HttpResponse:
    """The AMF gateway under WSGI."""
    if request.method != "POST":
        return _no_call(request)
    data = b""
    try:
        data = read_body(request, content_type=CONTENT_TYPE)
        exchange = Exchange(data, request=request, user=user_of(request))
    except RefusedRequest as refusal:
        recorder.refresh()
        recorder.record(None, data, b"", outcome=refusal.reason)
        return refuse(request, refusal)
    body = exchange.response()
    if exchange.has_failed:
        recorder.refresh()
    recorder.record(exchange.user, data, body)
    return reply(request, body, content_type=CONTENT_TYPE)


@_door
async def agateway(request: HttpRequest) -> HttpResponse:
    """The AMF gateway under ASGI."""
    if request.method != "POST":
        return _no_call(request)
    data = b""
    try:
        data = read_body(request, content_type=CONTENT_TYPE)
        user = await auser_of(request)
        if len(data) < LARGE_PACKET:
            exchange = Exchange(data, request=request, user=user)
        else:
            exchange = await Exchange.aopen(data, request=request, user=user)
    except RefusedRequest as refusal:
        await recorder.arefresh()
        recorder.record(None, data, b"", outcome=refusal.reason)
        return refuse(request, refusal)
    body = await exchange.aresponse()
    if exchange.has_failed:
        await recorder.arefresh()
    recorder.record(exchange.user, data, body)
    return reply(request, body, content_type=CONTENT_TYPE)


@_door
def json_call(request: HttpRequest, service: str, method: str = "") -> HttpResponse:
    """The JSON door under WSGI."""
    if request.method != "POST":
        return _no_json_call(request)
    target = _target(service, method)
    try:
        data = read_body(request, content_type=json_door.CONTENT_TYPE)
        call = json_door.read_call(data, target=target, request=request, user=user_of(request))
        return json_door.result_response(request, target, dispatch(call))
    except RefusedRequest as refusal:
        return refuse(request, refusal)
    except Fault as fault:
        return json_door.fault_response(request, target, fault)


@_door
async def ajson_call(request: HttpRequest, service: str, method: str = "") -> HttpResponse:
    """The JSON door under ASGI."""
    if request.method != "POST":
        return _no_json_call(request)
    target = _target(service, method)
    try:
        data = read_body(request, content_type=json_door.CONTENT_TYPE)
        user = await auser_of(request)
        call = await json_door.aread_call(data, target=target, request=request, user=user)
        return await json_door.aresult_response(request, target, await adispatch(call))
    except RefusedRequest as refusal:
        return refuse(request, refusal)
    except Fault as fault:
        return json_door.fault_response(request, target, fault)


def _target(service: str, method: str) -> str:
    return f"{service}.{method}" if method else service


def _no_json_call(request: HttpRequest) -> HttpResponse:
    if request.method == "OPTIONS":
        return preflight(request)
    return HttpResponseNotAllowed(["OPTIONS", "POST"])


def _no_call(request: HttpRequest) -> HttpResponse:
    if request.method == "OPTIONS":
        return preflight(request)
    if request.method in ("GET", "HEAD"):
        return HttpResponse(_PAGE)
    return HttpResponseNotAllowed(["GET", "OPTIONS", "POST"])
