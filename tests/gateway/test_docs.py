"""The reference names every setting with its default, every check and every code."""

import pytest

from amf_remoting.conf import RemotingSettings
from amf_remoting.exceptions import FaultCode
from tests.support.process import REPOSITORY
from tests.support.settings_page import REFERENCE, defaults, documented


def test_settings_are_documented() -> None:
    assert documented("amf-remoting-settings.md") == defaults(RemotingSettings())


@pytest.mark.parametrize("code", list(FaultCode))
def test_codes_are_documented(code: FaultCode) -> None:
    assert f"| `{code}` |" in (REFERENCE / "gateway.md").read_text()


def test_checks_are_documented() -> None:
    text = (REFERENCE / "amf-remoting-settings.md").read_text()
    source = (REPOSITORY / "amf_remoting" / "checks.py").read_text()
    for number in ("E001", "E002", "E003", "W004", "W005", "I006"):
        assert f"`amf_remoting.{number}`" in text
        assert f'"amf_remoting.{number}"' in source
