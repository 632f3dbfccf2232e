"""Makes public what the setting SERVICES names.

A value is a dotted path, the object itself, or the bare name of a service declared by
``@service`` in some app's ``services.py``. What cannot be exposed is logged and reported by the
check amf_remoting.E002; the other services answer.
"""

import logging
from importlib import import_module

from django.core.signals import setting_changed
from django.utils.module_loading import autodiscover_modules

from .conf import remoting_settings
from .exceptions import ExposureError
from .registry import registry

logger = logging.getLogger(__name__)

_failures: dict[str, str] = {}


def start() -> None:
    """Imports ``services.py`` of every installed app, then exposes; once, when apps are ready."""
    setting_changed.connect(_on_setting_changed, dispatch_uid="amf_remoting.exposure")
    autodiscover_modules("services")
    expose_settings()


def expose_settings() -> None:
    """Withdraws what an earlier SERVICES exposed and exposes what this one names."""
    for service in registry:
        if service.from_settings:
            registry.withdraw(service.name)
    _failures.clear()
    for name, value in remoting_settings().services.items():
        try:
            registry.expose(name, _source(value), from_settings=True)
        except ExposureError as error:
            _failures[name] = str(error)
            logger.error("SERVICES[%r]: %s", name, error)


def exposure_failures() -> dict[str, str]:
    """Why services that SERVICES names are not exposed, by name."""
    return dict(_failures)


def _source(value: object) -> object:
    if not isinstance(value, str):
        return value
    if "." not in value:
        if value not in registry.declared:
            known = ", ".join(sorted(registry.declared)) or "none"
            raise ExposureError(f"no service is declared as {value!r} (declared: {known})")
        return registry.declared[value]
    return _import(value)


def _import(path: str) -> object:
    """A module, or an attribute of one."""
    module_path, _, attribute = path.rpartition(".")
    try:
        module = import_module(module_path)
        if hasattr(module, attribute):
            return getattr(module, attribute)
        return import_module(path)
    except ImportError as error:
        raise ExposureError(f"{path!r} cannot be imported: {error}") from error


def _on_setting_changed(*, setting: str, **_: object) -> None:
    if setting == "AMF_REMOTING":
        expose_settings()
