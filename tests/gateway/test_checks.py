"""System checks; E001 and E002 are in test_conf."""

from typing import Any

import pytest
from django.core.checks import run_checks

from amf_remoting.throttling import _login_rate


def found(*, deploy: bool = False) -> list[str]:
    checks = run_checks(include_deployment_checks=deploy)
    return [one.id for one in checks if one.id and one.id.startswith("amf_remoting.")]


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


@pytest.mark.parametrize(("compiled", "ids"), [(True, []), (False, ["amf_remoting.I006"])])
def test_a_deployment_hears_whether_its_codec_is_compiled(
    monkeypatch: pytest.MonkeyPatch, compiled: bool, ids: list[str]
) -> None:
    monkeypatch.setattr("amf_remoting.amf.COMPILED", compiled)
    assert found(deploy=True) == ids
    assert found() == []
