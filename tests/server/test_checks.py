"""Settings and system checks."""

import pytest

from rtmp_channels.checks import check_order_of_apps, check_settings
from rtmp_channels.conf import rtmp_settings


def test_defaults_and_overrides(settings):
    settings.RTMP_CHANNELS = {"MAX_CONNECTIONS": 5, "ENDPOINTS": ["rtmp:1935"]}
    assert rtmp_settings().max_connections == 5
    assert rtmp_settings().endpoints == ("rtmp:1935",)
    assert rtmp_settings().handshake_timeout == 10
    assert check_settings(None) == []


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        ({"MAX_CONECTIONS": 5}, "unknown key 'MAX_CONECTIONS'", "MAX_CONNECTIONS"),
        ({"IDLE_TIMEOUT": "long"}, "IDLE_TIMEOUT cannot be 'long'", "float expected"),
    ],
)
def test_e001_names_what_is_wrong(settings, value, message, hint):
    settings.RTMP_CHANNELS = value
    [error] = check_settings(None)
    assert error.id == "rtmp_channels.E001"
    assert message in error.msg
    assert hint in error.hint


def test_w002_daphne_before_rtmp_channels(settings):
    assert check_order_of_apps(None) == []
    settings.INSTALLED_APPS = [
        "daphne",
        "rtmp_channels",
        *(app for app in settings.INSTALLED_APPS if app not in {"daphne", "rtmp_channels"}),
    ]
    [warning] = check_order_of_apps(None)
    assert warning.id == "rtmp_channels.W002"
    assert "before" in warning.hint
