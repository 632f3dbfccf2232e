"""System checks. Ids are stable: silence them by SILENCED_SYSTEM_CHECKS."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from django.apps.config import AppConfig
from django.core.checks import CheckMessage, Error, Info, Warning

from . import amf
from .conf import remoting_settings
from .exposure import exposure_failures
from .throttle import Throttle


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


def check_login_throttle(
    app_configs: Sequence[AppConfig] | None = None, **_: object
) -> list[CheckMessage]:
    """E003: LOGIN_THROTTLE is no rate, so the default holds."""
    rate = remoting_settings().login_throttle
    try:
        if rate:
            Throttle.parse(rate, scope="")
    except ValueError as error:
        hint = "Write 20/min, or an empty text for no limit. The default holds until then."
        message = f"AMF_REMOTING['LOGIN_THROTTLE']: {error}"
        return [Error(message, hint=hint, id="amf_remoting.E003")]
    return []


def check_origins(
    app_configs: Sequence[AppConfig] | None = None, **_: object
) -> list[CheckMessage]:
    """W004, W005: settings about other sites that cannot mean what they say."""
    settings = remoting_settings()
    found: list[CheckMessage] = []
    for origin in settings.allowed_origins:
        parts = urlsplit(origin)
        if origin not in ("*", f"{parts.scheme}://{parts.netloc}"):
            hint = 'Write scheme, host and port only: "https://games.example".'
            message = f"AMF_REMOTING['ALLOWED_ORIGINS']: {origin!r} is no origin."
            found.append(Warning(message, hint=hint, id="amf_remoting.W004"))
    if settings.allow_credentials and not set(settings.allowed_origins) - {"*"}:
        hint = "Name the sites in ALLOWED_ORIGINS; '*' never goes with credentials."
        message = "AMF_REMOTING['ALLOW_CREDENTIALS'] has no effect."
        found.append(Warning(message, hint=hint, id="amf_remoting.W005"))
    return found


def check_codec(app_configs: Sequence[AppConfig] | None = None, **_: object) -> list[CheckMessage]:
    """I006, on deployment: the codec runs as Python, which is correct but slower."""
    if amf.COMPILED:
        return []
    hint = "Install a wheel that was built where a C compiler is: docs/how-to."
    return [Info("The AMF codec is not compiled.", hint=hint, id="amf_remoting.I006")]


ALL = (check_settings, check_services, check_login_throttle, check_origins)
ON_DEPLOYMENT = (check_codec,)
