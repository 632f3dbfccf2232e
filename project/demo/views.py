"""Pages of the demo site."""

from inspect import getdoc
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from amf_remoting.registry import registry

DOCS = Path(settings.BASE_DIR) / "docs"


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """What this site offers, and where."""
    context = {
        "host": request.get_host(),
        "rtmp_host": f"{request.get_host().partition(':')[0]}:{settings.RTMP_PORT}",
        "methods": [
            (method, getdoc(method.function))
            for service in registry
            for method in service.methods.values()
        ],
    }
    return render(request, "demo/index.html", context)


@require_safe
def documentation(request: HttpRequest, page: str = "index") -> HttpResponse:
    """A page of docs/ as it is written: Markdown reads well as text."""
    # Looked up among the files there are: nothing of the address becomes a path.
    pages = {file.relative_to(DOCS).with_suffix("").as_posix(): file for file in DOCS.rglob("*.md")}
    if page not in pages:
        raise Http404(f"no page {page!r}")
    context = {"page": page, "pages": sorted(pages), "text": pages[page].read_text()}
    return render(request, "demo/documentation.html", context)
