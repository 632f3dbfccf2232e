"""The site of the gateway's benchmark: gateways, an empty view for each, and the same as JSON."""

from typing import Any

from codec_payloads import record
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

RECORDS = [record(number) for number in range(1000)]


class EchoService:
    """What is called: by the sync view, by the async one on its loop and through the pool."""

    def args(self, *values: object) -> list[object]:
        return list(values)

    async def aargs(self, *values: object) -> list[object]:
        return list(values)

    def records(self) -> list[dict[str, Any]]:
        return RECORDS


def configure() -> None:
    """Settings and services. No middleware and no database: the gateway alone is measured."""
    import django

    from amf_remoting.registry import remote_method

    for name in ("args", "aargs", "records"):
        remote_method(getattr(EchoService, name))
    settings.configure(
        ALLOWED_HOSTS=["*"],
        AMF_REMOTING={"SERVICES": {"echo": EchoService}, "POLICY_FROM_DATABASE": False},
        INSTALLED_APPS=["amf_remoting"],
        MIDDLEWARE=[],
        ROOT_URLCONF=__name__,
        SECRET_KEY="benchmark",
    )
    django.setup()


def py3amf() -> Any:
    """Py3AMF's gateway. It was written for Django 3: a name that is gone is given back first."""
    from django.utils import translation

    translation.ugettext_lazy = translation.gettext_lazy  # type: ignore[attr-defined]
    from pyamf.remoting.gateway.django import DjangoGateway

    service = EchoService()
    methods = {"echo.args": service.args, "echo.records": service.records}
    return DjangoGateway(methods, expose_request=False)


@csrf_exempt
def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"", content_type="application/x-amf")


@csrf_exempt
async def aempty(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"", content_type="application/x-amf")


@csrf_exempt
def as_json(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"result": RECORDS})


urlpatterns: list[Any] = []


def add_addresses() -> None:
    """After configure: the gateways need settings and apps.

    The empty views lie as deep as the gateway. They get the same body and leave it unread:
    reading it is the gateway's work.
    """
    urlpatterns[:] = [
        path("gateway/", include("amf_remoting.urls")),
        path("empty/", include([path("", empty)])),
        path("aempty/", include([path("", aempty)])),
        path("json/", as_json),
        path("py3amf/", include([path("", py3amf())])),
    ]


def put_first(route: str) -> None:
    """Has this address looked for before all others, for routing is not measured."""
    index = next(at for at, one in enumerate(urlpatterns) if str(one.pattern) == route)
    urlpatterns.insert(0, urlpatterns.pop(index))
