"""System checks; E001 and E002 are in test_conf."""

from typing import Any

import pytest
from django.core.checks import run_checks

from amf_remoting.throttling import _login_rate


def found(prefix: str = "amf_remoting.") -> list[str]:
    return [one.id for one in run_checks() if one.id and one.id.startswith(prefix)]


@pytest.mark.parametrize(
    ("keys", "ids"),
    [
        ({}, []),
        ({"LOGIN_THROTTLE": "often"}, ["amf_remoting.E003"]),
        ({"LOGIN_THROTTLE": ""}, []),
        ({"ALLOWED_ORIGINS": ["*", "https://a.example", "http://b.example:8080"]}, []),
        ({"ALLOWED_ORIGINS": ["https://a.example/"]}, ["amf_remoting.W004"]),
        ({"ALLOWED_ORIGINS": ["a.example"]}, ["amf_remoting.W004"]),
        ({"ALLOW_CREDENTIALS": True}, ["amf_remoting.W005"]),
        ({"ALLOW_CREDENTIALS": True, "ALLOWED_ORIGINS": ["*"]}, ["amf_remoting.W005"]),
        ({"ALLOW_CREDENTIALS": True, "ALLOWED_ORIGINS": ["https://a.example"]}, []),
    ],
    ids=str,
)
def test_checks(settings: Any, keys: dict[str, Any], ids: list[str]) -> None:
    settings.AMF_REMOTING = keys
    assert found() == ids


def test_a_login_throttle_that_is_no_rate_leaves_the_default(settings: Any) -> None:
    settings.AMF_REMOTING = {"LOGIN_THROTTLE": "often"}
    rate = _login_rate()
    assert rate is not None
    assert rate.rate == "20/min"
