"""Settings dicts: lazy, reloaded, spelling-checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.checks import run_checks

from amf_remoting.conf import load_settings, remoting_settings
from amf_remoting.registry import registry


@dataclass(frozen=True)
class Example:
    limit: int = 5
    ratio: float = 0.5
    origins: tuple[str, ...] = ()
    table: Mapping[str, object] = field(default_factory=dict)
    name: str | None = None
    strict: bool = True


example = load_settings(Example, "EXAMPLE_APP")


def test_defaults_hold_without_a_dict() -> None:
    assert example() == Example()


def test_read_once_and_again_after_a_change(settings: Any) -> None:
    assert example() is example()
    settings.EXAMPLE_APP = {"LIMIT": 6, "RATIO": 1, "ORIGINS": ["a"], "NAME": "n", "STRICT": False}
    assert example() == Example(6, 1, ("a",), {}, "n", False)
    settings.EXAMPLE_APP = {"TABLE": {"a": 1}}
    assert example() == Example(table={"a": 1})


def test_an_unknown_key_is_an_error_with_a_spelling_hint(settings: Any) -> None:
    settings.EXAMPLE_APP = {"LIMITS": 6, "ZZZ": 1}
    one, two = example.check("example.E001")
    assert (one.msg, one.hint, one.id) == (
        "EXAMPLE_APP: unknown key 'LIMITS'.",
        "Did you mean 'LIMIT'?",
        "example.E001",
    )
    assert two.hint == "Known keys: LIMIT, NAME, ORIGINS, RATIO, STRICT, TABLE."


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("LIMIT", "6"), ("LIMIT", True), ("LIMIT", -1), ("LIMIT", 1.5), ("RATIO", -0.1),
        ("ORIGINS", "a"), ("ORIGINS", [1]), ("TABLE", []), ("NAME", 1), ("STRICT", 1),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_type_leaves_the_default(
    settings: Any, key: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EXAMPLE_APP = {key: value}
    assert example() == Example()
    assert [error.msg for error in example.check("x")] == [
        f"EXAMPLE_APP: {key} cannot be {value!r}."
    ]
    assert caplog.messages[0].startswith(f"EXAMPLE_APP: {key} cannot be")


def test_a_dict_is_expected(settings: Any) -> None:
    settings.EXAMPLE_APP = ["LIMIT"]
    assert example() == Example()
    assert example.check("x")[0].msg == "EXAMPLE_APP: a dict expected, got list."


def test_the_gateways_own_settings_are_checked(settings: Any) -> None:
    settings.AMF_REMOTING = {"SERVISES": {}}
    found = [message for message in run_checks() if message.id == "amf_remoting.E001"]
    assert [message.hint for message in found] == ["Did you mean 'SERVICES'?"]


def test_services_are_exposed_by_path_object_and_declared_name(settings: Any) -> None:
    from . import services

    settings.AMF_REMOTING = {
        "SERVICES": {
            "echo": "tests.gateway.services.EchoService",
            "math": "tests.gateway.services",
            "sum": "tests.gateway.services.add",
            "counter": services.counter,
        }
    }
    assert {service.name for service in registry} == {"echo", "math", "sum", "counter"}
    assert registry.find("math.add").resolve()(1, 2) == 3
    settings.AMF_REMOTING = {"SERVICES": {"math": "tests.gateway.services"}}
    assert "echo" not in registry


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("nowhere.services", "'nowhere.services' cannot be imported"),
        ("tests.gateway.services.Nothing", "cannot be imported"),
        ("undeclared", "no service is declared as 'undeclared'"),
        ("tests.gateway.services.Base.overridden", "cannot be imported"),
        (object(), "has no remote methods"),
    ],
)
def test_what_cannot_be_exposed_is_a_check_error_and_hurts_no_other(
    settings: Any, value: object, reason: str
) -> None:
    settings.AMF_REMOTING = {
        "SERVICES": {"bad": value, "echo": "tests.gateway.services.EchoService"}
    }
    assert "echo" in registry
    assert "bad" not in registry
    errors = [message for message in run_checks() if message.id == "amf_remoting.E002"]
    assert len(errors) == 1
    assert reason in errors[0].msg
    assert remoting_settings().services["bad"] is value
