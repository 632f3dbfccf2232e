"""The doors for HTTP. Each has a sync view for WSGI and an async one for ASGI; see urls.py."""

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_exempt

from .auth import auser_of, user_of
from .gateway import CONTENT_TYPE, Exchange
from .http import RefusedRequest, read_body, refuse, reply
from .origins import crossdomain, preflight

__all__ = ["agateway", "crossdomain", "gateway"]

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>AMF gateway</title>
<h1>AMF gateway</h1>
<p>Flash, Flex and Ruffle clients call the services of this site here: AMF packets by POST with the
content type application/x-amf. There is nothing to see in a browser.</p>
"""


@csrf_exempt
def gateway(request: HttpRequest) -> HttpResponse:
    """The AMF gateway under WSGI."""
    if request.method != "POST":
        return _no_call(request)
    try:
        data = read_body(request, content_type=CONTENT_TYPE)
        exchange = Exchange.open(data, request=request, user=user_of(request))
    except RefusedRequest as refusal:
        return refuse(request, refusal)
    for step in exchange.steps():
        step.run()
    return reply(request, exchange.answer.serialize(), content_type=CONTENT_TYPE)


@csrf_exempt
async def agateway(request: HttpRequest) -> HttpResponse:
    """The AMF gateway under ASGI."""
    if request.method != "POST":
        return _no_call(request)
    try:
        data = read_body(request, content_type=CONTENT_TYPE)
        exchange = Exchange.open(data, request=request, user=await auser_of(request))
    except RefusedRequest as refusal:
        return refuse(request, refusal)
    for step in exchange.steps():
        await step.arun()
    return reply(request, exchange.answer.serialize(), content_type=CONTENT_TYPE)


def _no_call(request: HttpRequest) -> HttpResponse:
    if request.method == "OPTIONS":
        return preflight(request)
    if request.method in ("GET", "HEAD"):
        return HttpResponse(_PAGE)
    return HttpResponseNotAllowed(["GET", "OPTIONS", "POST"])
