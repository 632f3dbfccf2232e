"""System checks. Ids are stable: silence them by SILENCED_SYSTEM_CHECKS."""

from collections.abc import Sequence

from django.apps.config import AppConfig
from django.core.checks import CheckMessage, Error

from .conf import remoting_settings
from .exposure import exposure_failures


def check_settings(
    app_configs: Sequence[AppConfig] | None = None, **_: object
) -> list[CheckMessage]:
    """E001: AMF_REMOTING has an unknown key or a value of the wrong type."""
    return remoting_settings.check("amf_remoting.E001")


def check_services(
    app_configs: Sequence[AppConfig] | None = None, **_: object
) -> list[CheckMessage]:
    """E002: a service that SERVICES names cannot be exposed."""
    return [
        Error(
            f"AMF_REMOTING['SERVICES'][{name!r}]: {reason}",
            hint="Name a class, module, function or object that has methods with @remote_method.",
            id="amf_remoting.E002",
        )
        for name, reason in exposure_failures().items()
    ]
