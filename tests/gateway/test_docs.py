"""The reference names every setting with its default, every check and every code."""

import dataclasses
from pathlib import Path

import pytest

from amf_remoting.conf import RemotingSettings
from amf_remoting.exceptions import FaultCode

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", [one.name for one in dataclasses.fields(RemotingSettings)])
def test_settings_are_documented(name: str) -> None:
    default = getattr(RemotingSettings(), name)
    text = (REFERENCE / "amf-remoting-settings.md").read_text()
    assert f"| `{name.upper()}` | `{default!r}` |".replace('"', "'") in text.replace('"', "'")


@pytest.mark.parametrize("code", list(FaultCode))
def test_codes_are_documented(code: FaultCode) -> None:
    assert f"| `{code}` |" in (REFERENCE / "gateway.md").read_text()


def test_checks_are_documented() -> None:
    text = (REFERENCE / "amf-remoting-settings.md").read_text()
    source = (REFERENCE.parents[1] / "amf_remoting" / "checks.py").read_text()
    for number in ("E001", "E002", "E003", "W004", "W005"):
        assert f"`amf_remoting.{number}`" in text
        assert f'"amf_remoting.{number}"' in source
