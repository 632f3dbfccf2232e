"""The pages of the service browser.

Sync views: under ASGI Django runs them in a thread. They are for staff, and their forms have the
CSRF token, unlike the doors for remoting clients.
"""

from typing import Any, cast

from django.contrib.admin.views.decorators import staff_member_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from ..exceptions import Fault
from ..exposure import exposure_failures
from ..overview import has_many
from ..registry import registry
from ..remote import RemoteMethod
from .calls import DOORS, BadArguments, Door, make_call
from .catalogue import entry_of, policy_failure, sections
from .formats import formats
from .inspection import inspect
from .pasted import Beginning, NoBytes, beginning_of, bytes_of, page_number


@require_safe
@staff_member_required
@never_cache
def services(request: HttpRequest) -> HttpResponse:
    """Every exposed service, its methods and how to call them."""
    failure = policy_failure()
    query = request.GET.get("q", "")
    context = {
        "sections": [] if failure else sections(query),
        "query": query,
        "has_search": query or has_many(),
        "policy_failure": failure,
        "failures": exposure_failures(),
        "doors": DOORS,
        "page": "services",
    }
    return render(request, "amf_remoting/browser/services.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_member_required
@never_cache
@csrf_protect
def method(request: HttpRequest, target: str) -> HttpResponse:
    """One method: GET its form; POST ``door`` and ``arguments`` to call it."""
    context: dict[str, Any] = {"doors": DOORS}
    found = _find(target)
    try:
        entry = entry_of(found)
    except Fault as fault:
        context["policy_failure"] = fault.description
        return render(request, "amf_remoting/browser/method.html", context, status=503)
    context |= {"entry": entry, "arguments": entry.skeleton}
    if request.method == "POST":
        context |= _called(request, target)
    return render(request, "amf_remoting/browser/method.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_member_required
@never_cache
@csrf_protect
def inspector(request: HttpRequest) -> HttpResponse:
    """Bytes explained: POST ``bytes`` as text, or a ``file``, and the ``form`` they have.

    ``first`` is the group of a conversation that the page begins with.
    """
    context: dict[str, Any] = {"page": "inspector", "formats": formats(), "form": "packet"}
    if request.method == "POST":
        context |= _inspected(request)
    return render(request, "amf_remoting/browser/inspector.html", context)


def _inspected(request: HttpRequest) -> dict[str, Any]:
    form, text = request.POST.get("form", ""), request.POST.get("bytes", "")
    if form not in formats():
        return {"bytes": text, "problem": "Choose what the bytes are."}
    upload = request.FILES.get("file")
    try:
        if upload is not None and formats()[form].is_stream:
            found = beginning_of(upload)
        else:
            data = bytes_of(text, upload)
            found = Beginning(data, len(data))
    except NoBytes as error:
        return {"form": form, "bytes": text, "problem": str(error)}
    return {
        "form": form,
        "bytes": found.data.hex(" ") if upload is not None else text,
        "found": found,
        "inspection": inspect(found.data, form, first=page_number(request.POST.get("first", ""))),
    }


def _find(target: str) -> RemoteMethod:
    try:
        return registry.find(target)
    except Fault as fault:
        raise Http404(fault.description) from None


def _called(request: HttpRequest, target: str) -> dict[str, Any]:
    door = request.POST.get("door", "")
    arguments = request.POST.get("arguments", "")
    context: dict[str, Any] = {"door": door, "arguments": arguments}
    if door not in DOORS:
        return {**context, "problem": "Choose AMF3, AMF0 or JSON."}
    try:
        outcome = make_call(request, target, door=cast(Door, door), arguments=arguments)
    except BadArguments as error:
        return {**context, "problem": str(error)}
    return {**context, "outcome": outcome}
