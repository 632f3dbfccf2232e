"""The services in the admin: switched and restricted while the site runs."""

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote, urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .conf import remoting_settings
from .exposure import exposure_failures
from .models import CallRecord, ServicePolicy
from .overview import has_many, rows
from .registry import registry

if TYPE_CHECKING:
    PolicyForm = forms.ModelForm[ServicePolicy]
    PolicyAdmin = admin.ModelAdmin[ServicePolicy]
    CallAdmin = admin.ModelAdmin[CallRecord]
    Calls = QuerySet[CallRecord]
else:  # generic for the type checker alone
    PolicyForm = forms.ModelForm
    PolicyAdmin = admin.ModelAdmin
    CallAdmin = admin.ModelAdmin
    Calls = QuerySet


class ServicePolicyForm(PolicyForm):
    """Offers what there is: exposed services and methods, permissions of this site."""

    target = forms.ChoiceField(label=_("Service or method"))
    permission = forms.ChoiceField(
        label=_("Permission"),
        required=False,
        help_text=_("Callers need it on top of what the code demands."),
    )

    class Meta:
        model = ServicePolicy
        fields = ("enabled", "login_required", "permission", "throttle")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "permission" in self.fields:
            self._choices("permission", _permission_choices(self.instance.permission))
        if "target" in self.fields:
            self._choices("target", _target_choices())

    def _choices(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean_target(self) -> str:
        """One policy for each service or method."""
        target = str(self.cleaned_data["target"])
        service, method = _service_and_method(target)
        if ServicePolicy.objects.filter(service=service, method=method).exists():
            raise forms.ValidationError(gettext("There is a policy for it already."))
        self.instance.service, self.instance.method = service, method
        return target


@admin.register(ServicePolicy)
class ServicePolicyAdmin(PolicyAdmin):
    """The list shows every exposed service, whether it has a policy or not."""

    form = ServicePolicyForm
    list_display = ("service", "method", "enabled", "login_required", "permission", "throttle")

    def get_urls(self) -> list[URLPattern]:
        """Adds the address of the switches."""
        switch = path(
            "switch/",
            self.admin_site.admin_view(self.switch_view),
            name="amf_remoting_servicepolicy_switch",
        )
        return [switch, *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: ServicePolicy | None = None) -> list[Any]:
        """A policy never moves to another service."""
        named = ["target"] if obj is None else ["service", "method"]
        return [*named, "enabled", "login_required", "permission", "throttle"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: ServicePolicy | None = None
    ) -> list[str]:
        """See get_fields."""
        return [] if obj is None else ["service", "method"]

    def get_form(
        self,
        request: HttpRequest,
        obj: ServicePolicy | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Leaves out of the form what its page shows as text."""
        form = super().get_form(request, obj, change, **kwargs)
        if obj is not None:
            form.base_fields.pop("target", None)
        return form

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Services are declared in the code: here they are restricted."""
        context = {"title": gettext("Restrict a service"), **(extra_context or {})}
        return super().add_view(request, form_url, context)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """The services, their state and their switches."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        query = request.GET.get("q", "")
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Services"),
            "opts": self.opts,
            "rows": rows(query),
            "query": query,
            "has_search": query or has_many(),
            "failures": exposure_failures(),
            "call_log": remoting_settings().call_log,
            "browser_url": _browser_url(),
            "can_switch": self._may_switch(request),
            "has_add_permission": self.has_add_permission(request),
            "has_change_permission": self.has_change_permission(request),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/amf_remoting/servicepolicy/services.html", context)

    def switch_view(self, request: HttpRequest) -> HttpResponse:
        """POST ``service``, ``method`` and ``enabled`` ("1" or "")."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self._may_switch(request):
            raise PermissionDenied
        policy, _created = ServicePolicy.objects.update_or_create(
            service=request.POST.get("service", "")[:100],
            method=request.POST.get("method", "")[:100],
            defaults={"enabled": bool(request.POST.get("enabled"))},
        )
        text = gettext("Switched on: %s") if policy.enabled else gettext("Switched off: %s")
        self.log_change(request, policy, text % policy)
        self.message_user(request, text % policy, messages.SUCCESS)
        changelist = reverse("admin:amf_remoting_servicepolicy_changelist")
        query = request.POST.get("q", "")
        search = f"?{urlencode({'q': query})}" if query else ""
        return HttpResponseRedirect(f"{changelist}{search}#service-{quote(str(policy))}")

    def _may_switch(self, request: HttpRequest) -> bool:
        # A switch may have to make the row.
        return self.has_change_permission(request) and self.has_add_permission(request)


class ServiceFilter(admin.SimpleListFilter):
    """By exposed service: callers name others as they like, and as many as they like."""

    title = _("service")
    parameter_name = "service"
    OTHERS = "-"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[Any]:
        """Their names, and one for all that is not exposed."""
        return [*((one.name, one.name) for one in registry), (self.OTHERS, _("not exposed"))]

    def queryset(self, request: HttpRequest, queryset: Calls) -> Calls:
        """See lookups."""
        if self.value() == self.OTHERS:
            return queryset.exclude(service__in=[one.name for one in registry])
        return queryset.filter(service=self.value()) if self.value() else queryset


class OutcomeFilter(admin.SimpleListFilter):
    """By success, failure and the faults' codes."""

    title = _("outcome")
    parameter_name = "outcome"
    CODES = 30

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[Any]:
        """As many codes as a page can take."""
        failed = CallRecord.objects.exclude(outcome="").order_by("outcome")
        codes = failed.values_list("outcome", flat=True).distinct()[: self.CODES]
        return [("ok", _("ok")), ("failed", _("any fault")), *((code, code) for code in codes)]

    def queryset(self, request: HttpRequest, queryset: Calls) -> Calls:
        """See lookups."""
        match self.value():
            case None:
                return queryset
            case "ok":
                return queryset.filter(outcome="")
            case "failed":
                return queryset.exclude(outcome="")
            case code:
                return queryset.filter(outcome=code)


@admin.register(CallRecord)
class CallRecordAdmin(CallAdmin):
    """The call log: to be read and deleted, not written."""

    list_display = ("moment", "__str__", "result", "duration", "caller", "door")
    list_filter = (ServiceFilter, OutcomeFilter, "door")
    fields = (
        "moment",
        "service",
        "method",
        "result",
        "milliseconds",
        "caller",
        "door",
        "arguments",
    )
    readonly_fields = ("moment", "result", "caller")
    search_fields = ("service", "method", "username", "outcome")
    date_hierarchy = "called_at"
    show_full_result_count = False

    class Media:
        css: ClassVar = {"all": ["amf_remoting/admin.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Calls are logged, not made up."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: CallRecord | None = None) -> bool:
        """Nor changed."""
        return False

    @admin.display(description=_("called at"), ordering="called_at")
    def moment(self, record: CallRecord) -> str:
        """With its seconds."""
        moment = record.called_at
        return date_format(localtime(moment) if is_aware(moment) else moment, "Y-m-d H:i:s")

    @admin.display(description=_("outcome"), ordering="outcome")
    def result(self, record: CallRecord) -> str:
        """The fault's code; ok if there was none."""
        if not record.outcome:
            return gettext("ok")
        words = format_html_join(
            mark_safe(".<wbr>"), "{}", ((one,) for one in record.outcome.split("."))
        )
        return format_html('<span class="amf-fault">{}</span>', words)

    @admin.display(description=_("ms"), ordering="milliseconds")
    def duration(self, record: CallRecord) -> str:
        """Milliseconds."""
        return f"{record.milliseconds:.2f}"

    @admin.display(description=_("user"), ordering="username")
    def caller(self, record: CallRecord) -> str:
        """The user's name."""
        return record.username or gettext("anonymous")


def _browser_url() -> str:
    """The service browser's address; empty where the site has none."""
    try:
        return reverse("amf_remoting_browser:services")
    except NoReverseMatch:
        return ""


def _target_choices() -> list[Any]:
    return [
        (
            service.name,
            [
                (service.name, gettext("%s, the whole service") % service.name),
                *((one.target, one.target) for one in service.methods.values() if one.name),
            ],
        )
        for service in registry
    ]


def _service_and_method(target: str) -> tuple[str, str]:
    if target in registry:
        return target, ""
    method = registry.find(target)
    return method.service, method.name


def _permission_choices(current: str) -> list[tuple[str, str]]:
    permissions = Permission.objects.select_related("content_type").order_by(
        "content_type__app_label", "codename"
    )
    choices = {
        f"{one.content_type.app_label}.{one.codename}": f"{one.content_type.app_label} | {one.name}"
        for one in permissions
    }
    if current:
        # One that is gone stays demanded: nobody has it, and that is the safe side.
        choices.setdefault(current, current)
    return [("", "---------"), *choices.items()]
