"""A sync and an async view that push what they are asked to: /push/room?to=lobby/a&text=hi."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from rtmp_channels import push


def _order(request: HttpRequest, audience: str) -> tuple[str, list[str]]:
    to = [request.GET["to"]] if "to" in request.GET else []
    return f"call_{audience}", [*to, "onNotice", request.GET["text"]]


def push_view(request: HttpRequest, audience: str) -> HttpResponse:
    name, arguments = _order(request, audience)
    getattr(push, name)(*arguments)
    return HttpResponse("pushed")


async def apush_view(request: HttpRequest, audience: str) -> HttpResponse:
    name, arguments = _order(request, audience)
    await getattr(push, f"a{name}")(*arguments)
    return HttpResponse("pushed")


urlpatterns = [path("push/<str:audience>", push_view), path("apush/<str:audience>", apush_view)]
