"""docs/reference/asgi-rtmp.md names every event, and no other."""

import re
from pathlib import Path

import rtmp_channels
from rtmp_channels.outbound import SENDERS

PACKAGE = Path(rtmp_channels.__file__).parent
TEXT = (PACKAGE.parent / "docs/reference/asgi-rtmp.md").read_text()
HEADINGS = re.findall(r"^(\*\*`rtmp\..*?): (\*.*?\.\*)", TEXT, re.MULTILINE)


def documented(direction):
    return {
        name
        for names, directions in HEADINGS
        if f"*{direction}" in directions or f"*{direction}." in directions
        for name in re.findall(r"`(rtmp[a-z.]+)`", names)
    }


def test_every_event_that_may_be_sent():
    assert documented("send") == set(SENDERS)


def test_every_event_that_is_received():
    modules = ["application.py", "inbound.py", "object_door.py", "stream_table.py"]
    source = "".join((PACKAGE / module).read_text() for module in modules)
    made = set(re.findall(r'"type": "(rtmp\.[a-z.]+)"', source))
    made |= set(re.findall(r'"rtmp\.[a-z]+": "(rtmp\.[a-z]+)"', source))
    made |= {"rtmp.result", "rtmp.error"}
    assert documented("receive") == made
