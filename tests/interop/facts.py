"""What the tested clients do: the README's table, and with versions and results that of a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pytest

from tests.interop.clients import CLIENTS, missing

PROPERTY = "client"
"""The user property of a test's report that holds its fact's name: reports cross processes."""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One row: a client, what tests have it do, and through which door."""

    client: str
    needs: tuple[str, ...] = ()
    """What else must be installed."""
    does: str
    door: str

    def missing(self) -> str | None:
        """Why its tests cannot run here, or None."""
        return next(filter(None, map(missing, (self.client, *self.needs))), None)


FACTS = {
    "ruffle": Fact(
        client="Ruffle",
        needs=("Chromium", "playwright-core", "Haxe"),
        does="a SWF (Haxe, AVM2) calls with every basic type, typed objects, faults, preflights, "
        "batches, headers, Credentials",
        door="AMF0 over HTTP",
    ),
    "ruffle-socket": Fact(
        client="Ruffle",
        needs=("Chromium", "playwright-core", "Haxe"),
        does="a SWF (Haxe) speaks RTMP over flash.net.Socket: calls both ways, rooms",
        door="RTMP in WebSocket",
    ),
    "service-browser": Fact(
        client="Chromium",
        needs=("playwright-core",),
        does="the service browser and the packet inspector, by keyboard",
        door="AMF3, AMF0 and JSON over HTTP",
    ),
    "typescript": Fact(
        client="TypeScript",
        does="a written client is compiled, strictly, and calls from Node",
        door="JSON over HTTP",
    ),
    "written-swf": Fact(
        client="Ruffle",
        needs=("Chromium", "playwright-core", "Haxe"),
        does="a SWF (Haxe) with a written client calls, with typed results and faults",
        door="AMF0 over HTTP",
    ),
    "librtmp": Fact(client="python-librtmp", does="calls both ways, faults", door="RTMP, RTMPS"),
    "rtmp-client": Fact(
        client="rtmp-client",
        does="calls both ways, remote shared objects between processes",
        door="RTMP",
    ),
    "rooms": Fact(
        client="python-librtmp",
        needs=("rtmp-client",),
        does="rooms over two server processes and Redis, together with rtmp-client",
        door="RTMP",
    ),
    "rtmpdump": Fact(
        client="rtmpdump",
        does="plays a live stream; is told where there is none",
        door="RTMP, RTMPS",
    ),
    "ffmpeg": Fact(
        client="ffmpeg",
        does="publishes and plays a live stream; is told where there is none",
        door="RTMP, RTMPS",
    ),
    "rtmpdump-arguments": Fact(
        client="rtmpdump",
        does="connects with arguments of every type; takes part in a bandwidth check",
        door="RTMP",
    ),
    "ffmpeg-arguments": Fact(
        client="ffmpeg", does="connects with arguments of every type", door="RTMP"
    ),
    "ffmpeg-rtmpt": Fact(
        client="ffmpeg",
        does="publishes and plays a live stream through HTTP requests",
        door="RTMPT",
    ),
    "ffmpeg-codecs": Fact(
        client="ffmpeg of imageio-ffmpeg",
        needs=("TShark", "tcpdump"),
        does="publishes and plays H.264 and, by Enhanced RTMP, HEVC",
        door="RTMP, RTMPS, RTMPT",
    ),
    "rtmpdump-rtmpt": Fact(
        client="rtmpdump", does="plays a live stream through HTTP requests", door="RTMPT"
    ),
    "librtmp-rtmpt": Fact(
        client="python-librtmp", does="calls both ways through HTTP requests", door="RTMPT"
    ),
    "rtmp-client-websocket": Fact(
        client="rtmp-client",
        needs=("ws",),
        does="calls both ways, rooms and shared objects through a relay of its socket",
        door="RTMP in WebSocket",
    ),
    "ffmpeg-proxies": Fact(
        client="ffmpeg",
        needs=("nginx",),
        does="publishes and plays through nginx, as a reverse and as a forward proxy",
        door="RTMPT",
    ),
    "librtmp-proxies": Fact(
        client="python-librtmp",
        needs=("nginx",),
        does="calls both ways through nginx",
        door="RTMPT",
    ),
    "rtmp-client-proxies": Fact(
        client="rtmp-client",
        needs=("ws", "nginx"),
        does="calls both ways through nginx",
        door="RTMP in WebSocket",
    ),
    "tshark": Fact(
        client="TShark",
        needs=("tcpdump", "python-librtmp", "rtmp-client", "ws", "rtmpdump"),
        does="finds nothing malformed in what the server sends",
        door="RTMP, RTMPS, RTMPT, RTMP in WebSocket",
    ),
}


def fact_name_of(item: pytest.Item) -> str | None:
    """The key in FACTS that a test's ``client`` marker names."""
    marker = item.get_closest_marker("client")
    return marker.args[0] if marker else None


def rows(reports: Iterable[pytest.TestReport]) -> list[tuple[str, ...]]:
    """(client, version, what it does, door, result) for every fact that these reports show."""
    outcomes: dict[Fact, set[str]] = {}
    for report in reports:
        for key, name in report.user_properties:
            if key == PROPERTY:
                outcomes.setdefault(FACTS[str(name)], set()).add(report.outcome)
    return [
        (fact.client, CLIENTS[fact.client].version() or "", fact.does, fact.door, _worst(outcome))
        for fact, outcome in outcomes.items()
    ]


def _worst(outcomes: set[str]) -> str:
    return next(each for each in ("failed", "skipped", "passed") if each in outcomes)


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    """The rows as a Markdown table."""
    rule = "|" + "---|" * len(head)
    return [f"| {' | '.join(head)} |", rule, *(f"| {' | '.join(cells)} |" for cells in lines)]
