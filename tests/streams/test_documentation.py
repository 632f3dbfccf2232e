"""The table of docs/topics/streams.md holds every limit and its default."""

import re
from dataclasses import fields

from rtmp_channels.media.cache import HeadLimits
from rtmp_channels.media.gop import GopLimits
from rtmp_channels.streams.limits import StreamLimits
from tests.support.process import REPOSITORY

PAGE = REPOSITORY / "docs" / "topics" / "streams.md"
ROW = re.compile(r"^\| `([A-Z_]+)` \|([^|]*)\|[^|]*\|$", re.MULTILINE)


def shown(value: str | float) -> str:
    if isinstance(value, str):
        return f'`"{value}"`'
    return f"{int(value) if value == int(value) else value:,}"


def test_every_limit_is_documented_with_its_default():
    limits = StreamLimits()
    expected = {
        field.name.upper(): ""
        if isinstance(value := getattr(limits, field.name), GopLimits | HeadLimits)
        else shown(value)
        for field in fields(limits)
    }
    rows = {key: default.strip() for key, default in ROW.findall(PAGE.read_text())}
    assert rows == expected


def test_the_defaults_of_the_caches_are_documented():
    text = PAGE.read_text()
    limits = StreamLimits()
    assert f"`BYTES` {limits.gop.bytes:,}, `PACKETS` {limits.gop.packets:,}" in text
    held = limits.held
    assert f"{held.bytes:,}, {held.packets:,}, {held.milliseconds:,}" in text
    assert f"`BYTES` {limits.head.bytes:,}, `MESSAGES` {limits.head.messages:,}" in text
