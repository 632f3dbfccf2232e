"""Who is connected, to all processes; and a way to end it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from rtmp_channels import push
from rtmp_channels.exceptions import PushFailed
from rtmp_channels.models import LiveConnection, ServerProcess

if TYPE_CHECKING:
    ConnectionAdmin = admin.ModelAdmin[LiveConnection]
    ProcessAdmin = admin.ModelAdmin[ServerProcess]
else:  # generic for the type checker alone
    ConnectionAdmin = admin.ModelAdmin
    ProcessAdmin = admin.ModelAdmin


class ReadOnly:
    """What the heartbeat writes is not for people to write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(LiveConnection)
class LiveConnectionAdmin(ReadOnly, ConnectionAdmin):
    """The live connections of all processes, as of their last heartbeats."""

    list_display = (
        "who",
        "address",
        "transport",
        "path",
        "round_trip_time",
        "traffic",
        "age",
    )
    list_filter = ("transport", "application", "process")
    list_select_related = ("user", "process")
    search_fields = ("address", "application", "instance", "program", "connection_id")
    ordering = ("-opened",)
    actions = ("kick",)
    show_full_result_count = False

    class Media:
        css = {"all": ["rtmp_channels/admin.css"]}  # noqa: RUF012

    def get_queryset(self, request: HttpRequest) -> QuerySet[LiveConnection]:
        """Leaves out what died with its process."""
        return LiveConnection.objects.alive()

    def has_kick_permission(self, request: HttpRequest) -> bool:
        """Named by the action."""
        return request.user.has_perm("rtmp_channels.kick_connection")

    @admin.action(description=_("Kick selected connections"), permissions=["kick"])
    def kick(self, request: HttpRequest, queryset: QuerySet[LiveConnection]) -> None:
        """Ends them, in whichever process they are."""
        kicked = 0
        try:
            for connection in queryset:
                if push.is_within_reach(connection.connection_id):
                    push.kick_client(connection.connection_id)
                    self.log_change(request, connection, gettext("Kicked."))
                    kicked += 1
                else:
                    self.message_user(request, _out_of_reach(connection), messages.ERROR)
        except PushFailed as error:
            self.message_user(request, str(error), messages.ERROR)
        if kicked:
            text = ngettext(
                "%d connection is told to end.", "%d connections are told to end.", kicked
            )
            self.message_user(request, text % kicked, messages.SUCCESS)

    @admin.display(description=_("user"), ordering="user")
    def who(self, connection: LiveConnection) -> str:
        """The user's name; a user who is gone is nobody."""
        return str(connection.user or _("nobody"))

    @admin.display(description=_("round trip"), ordering="round_trip")
    def round_trip_time(self, connection: LiveConnection) -> str:
        """In milliseconds."""
        return "" if connection.round_trip is None else f"{connection.round_trip} ms"

    @admin.display(description=_("application"), ordering="application")
    def path(self, connection: LiveConnection) -> str:
        """With the instance."""
        return f"{connection.application}/{connection.instance}".rstrip("/")

    @admin.display(description=_("in / out"), ordering="sent")
    def traffic(self, connection: LiveConnection) -> str:
        """Bytes from the client and to it."""
        return f"{filesizeformat(connection.received)} / {filesizeformat(connection.sent)}"

    @admin.display(description=_("age"), ordering="-opened")
    def age(self, connection: LiveConnection) -> str:
        """Since it was opened."""
        seconds = int((timezone.now() - connection.opened).total_seconds())
        return f"{max(seconds, 0)} s" if seconds < 60 else timesince(connection.opened, depth=1)


def _out_of_reach(connection: LiveConnection) -> str:
    text = gettext("%s is in another process, and no channel layer joins the processes.")
    return text % connection


@admin.register(ServerProcess)
class ServerProcessAdmin(ReadOnly, ProcessAdmin):
    """The processes that serve, and how often they met their limits."""

    list_display = ("host", "pid", "started", "connections", "limits_met")

    class Media:
        css = {"all": ["rtmp_channels/admin.css"]}  # noqa: RUF012

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServerProcess]:
        """Leaves out the dead."""
        return ServerProcess.objects.filter(expires__gt=Now())

    @admin.display(description=_("limits met"))
    def limits_met(self, process: ServerProcess) -> str:
        """The counters that are not 0."""
        return ", ".join(f"{name} {count}" for name, count in process.counters.items()) or gettext(
            "none"
        )
