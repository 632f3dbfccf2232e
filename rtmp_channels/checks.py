"""System checks: `rtmp_channels.E001` and on."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core import checks

from rtmp_channels.conf import rtmp_settings


@checks.register("rtmp_channels")
def check_settings(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """E001: a key of RTMP_CHANNELS that is unknown, or has a value of the wrong type."""
    return rtmp_settings.check("rtmp_channels.E001")


@checks.register("rtmp_channels")
def check_order_of_apps(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """W002: daphne's own runserver hides the one that serves RTMP."""
    names = [config.name for config in apps.get_app_configs()]
    if "daphne" in names and names.index("daphne") < names.index("rtmp_channels"):
        return [
            checks.Warning(
                "manage.py runserver serves no RTMP: daphne's own command is found first.",
                hint='List "rtmp_channels" before "daphne" in INSTALLED_APPS.',
                id="rtmp_channels.W002",
            )
        ]
    return []
