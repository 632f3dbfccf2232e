"""The services in the admin: switched and restricted while the site runs."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .conf import remoting_settings
from .exposure import exposure_failures
from .models import CallRecord, ServicePolicy
from .overview import rows
from .registry import registry

if TYPE_CHECKING:
    PolicyForm = forms.ModelForm[ServicePolicy]
    PolicyAdmin = admin.ModelAdmin[ServicePolicy]
    CallAdmin = admin.ModelAdmin[CallRecord]
else:  # generic for the type checker alone
    PolicyForm = forms.ModelForm
    PolicyAdmin = admin.ModelAdmin
    CallAdmin = admin.ModelAdmin


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

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """The services, their state and their switches."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Services"),
            "opts": self.opts,
            "rows": rows(),
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
        return HttpResponseRedirect(reverse("admin:amf_remoting_servicepolicy_changelist"))

    def _may_switch(self, request: HttpRequest) -> bool:
        # A switch may have to make the row.
        return self.has_change_permission(request) and self.has_add_permission(request)


@admin.register(CallRecord)
class CallRecordAdmin(CallAdmin):
    """The call log: to be read and deleted, not written."""

    list_display = ("called_at", "__str__", "outcome", "milliseconds", "username", "door")
    list_filter = ("service", "door", "outcome")
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
