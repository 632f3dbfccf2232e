"""The pages of recorded packets: the switch, the list, and both directions of each.

They show what other users sent, so staff needs the permissions of the model Recording: view to
see them, add to switch recording on and off, delete to delete them.
"""

from typing import Any

from django.contrib.admin.views.decorators import staff_member_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from ..conf import remoting_settings
from ..models import Recording
from ..recorder import prune, recording_until, start_recording, stop_recording
from .formats import formats
from .inspection import inspect
from .pasted import page_number

VIEW, ADD, DELETE = (f"amf_remoting.{word}_recording" for word in ("view", "add", "delete"))
_ACTIONS = {"start": ADD, "stop": ADD, "delete": DELETE}


@require_http_methods(["GET", "HEAD", "POST"])
@staff_member_required
@never_cache
@csrf_protect
def recorded(request: HttpRequest) -> HttpResponse:
    """What was recorded; POST ``action``: start, stop or delete."""
    _require(request, VIEW)
    if request.method == "POST":
        return _act(request, request.POST.get("action", ""))
    prune()
    settings = remoting_settings()
    is_possible = settings.recorded_packets and settings.policy_from_database
    context = {
        "page": "recorded",
        "settings": settings,
        "is_possible": is_possible,
        "has_conversations": "rtmp" in formats(),
        "until": recording_until(),
        "rows": Recording.objects.defer("request", "response")[: settings.recorded_packets],
        "may_switch": is_possible and request.user.has_perm(ADD),
        "may_delete": request.user.has_perm(DELETE),
    }
    return render(request, "amf_remoting/browser/recorded.html", context)


@require_safe
@staff_member_required
@never_cache
def recording(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them: ``?side=response`` shows the other direction, ``first`` begins further on."""
    _require(request, VIEW)
    found = get_object_or_404(Recording, pk=pk)
    side = "response" if request.GET.get("side") == "response" else "request"
    data = bytes(getattr(found, side))
    size = getattr(found, f"{side}_size")
    context: dict[str, Any] = {
        "page": "recorded",
        "recording": found,
        "side": side,
        "hex": data.hex(),
        "is_cut": size > len(data),
        "size": size,
    }
    if found.form in formats() and data:
        first = page_number(request.GET.get("first", ""))
        context["inspection"] = inspect(data, found.form, first=first)
    return render(request, "amf_remoting/browser/recording.html", context)


def _require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _act(request: HttpRequest, action: str) -> HttpResponse:
    if action not in _ACTIONS:
        return HttpResponse("no such action\n", status=400, content_type="text/plain")
    _require(request, _ACTIONS[action])
    if action == "start" and remoting_settings().recorded_packets:
        start_recording()
    elif action == "stop":
        stop_recording()
    elif action == "delete":
        Recording.objects.all().delete()
    return HttpResponseRedirect(reverse("amf_remoting_browser:recorded"))
