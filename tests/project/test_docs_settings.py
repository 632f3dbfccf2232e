"""docs/reference/rtmp-channels-settings.md: every key of RTMP_CHANNELS, every check."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from rtmp_channels.conf import RtmpSettings
from rtmp_channels.counters import Limit
from rtmp_channels.protocol.config import ConnectionConfig
from tests.support.process import REPOSITORY
from tests.support.settings_page import REFERENCE, defaults, documented

PAGE = "rtmp-channels-settings.md"
SETTINGS = RtmpSettings()
SECTIONS = {
    "RTMP_CHANNELS": SETTINGS,
    "ROOMS": SETTINGS.rooms,
    "SHARED_OBJECTS": SETTINGS.shared_objects,
    "STREAMS": SETTINGS.streams,
    "STREAMS: GOP": SETTINGS.streams.gop,
    "STREAMS: HELD": SETTINGS.streams.held,
    "STREAMS: HEAD": SETTINGS.streams.head,
}


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_and_its_default(section: str) -> None:
    assert documented(PAGE, section) == defaults(SECTIONS[section])


def test_there_are_no_other_sections() -> None:
    headings = re.findall(r"^## (.*)$", (REFERENCE / PAGE).read_text(), re.MULTILINE)
    assert headings == [*SECTIONS, "Counters", "Checks"]


def test_every_counter() -> None:
    text = (REFERENCE / PAGE).read_text().partition("## Counters")[2].partition("## Checks")[0]
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == [str(limit) for limit in Limit]
    settings = {name.lower() for name in re.findall(r"`([A-Z_]+)`", text)}
    others = {"login_throttle", "amf_remoting", "debug"}
    ours = {one.name for part in (SETTINGS, SETTINGS.shared_objects) for one in fields(part)}
    assert settings <= ours | others


def test_every_check() -> None:
    ids = re.compile(r"rtmp_channels\.[EW]\d{3}")
    raised = set(ids.findall((REPOSITORY / "rtmp_channels" / "checks.py").read_text()))
    assert set(ids.findall((REFERENCE / PAGE).read_text())) == raised


def test_the_longest_message_is_the_protocols() -> None:
    longest = SETTINGS.connection_config().max_message_length
    assert longest == ConnectionConfig().max_message_length
