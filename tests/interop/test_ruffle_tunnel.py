"""A SWF in Ruffle speaks RTMP over flash.net.Socket, set up as docs/how-to says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.interop.ruffle import Reports, compile_swf, run_swf
from tests.support.demo_server import DemoServer
from tests.support.process import REPOSITORY, free_port

pytestmark = pytest.mark.client("ruffle-socket")

PAGE = REPOSITORY / "docs/how-to/keep-flash-films-alive.md"

ECHOED = {
    "number": ["Number", 42.5],
    "text": ["String", "Grüße, 世界 🎈"],
    "long": ["String", "x" * 60_000],
    "true": ["Boolean", True],
    "nothing": ["null"],
    "object": [
        "Object",
        {
            "name": ["String", "Ada"],
            "list": ["Array", [["Number", 1], ["Number", 2]]],
            "nested": ["Object", {"deep": ["Number", 1.5]}],
        },
    ],
}


@pytest.fixture(scope="module")
def reports(demo_server: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """One run of the SWF on a page with the how-to's configuration."""
    swf = compile_swf(tmp_path_factory.mktemp("swf"), main="Tunnel")
    (config,) = re.findall(r"RufflePlayer.config = (.*?);\n", PAGE.read_text(), re.DOTALL)
    tunnel = demo_server.websocket_url("/ws/tunnel/")
    config = config.replace("wss://example.com/ws/tunnel/", tunnel)
    return run_swf(swf, demo_server.url("/"), page_port=free_port(), config=config)


def information(report: dict[str, Any]) -> tuple[str, str]:
    """(level, code) of a status object."""
    _, fields = report["value"]
    return fields["level"][1], fields["code"][1]


def test_connect(reports: Reports) -> None:
    assert information(reports["connected"]) == ("status", "NetConnection.Connect.Success")


@pytest.mark.parametrize("name", ECHOED)
def test_echo(reports: Reports, name: str) -> None:
    assert reports[name] == {"name": name, "outcome": "_result", "value": ECHOED[name]}


def test_fault(reports: Reports) -> None:
    assert reports["fail"]["outcome"] == "_error"
    assert information(reports["fail"]) == ("error", "Demo.Failed")


def test_calls_of_the_server(reports: Reports) -> None:
    assert reports["ping2"]["value"] == ["Array", [["String", "are you there"]]]
    assert reports["callme"]["value"] == ["String", "yes, in Ruffle"]


def test_the_other_film_in_the_room_is_heard(reports: Reports) -> None:
    assert reports["onSay"]["value"] == ["Array", [["String", "across"]]]


def test_ruffles_own_net_connection_has_no_rtmp(reports: Reports) -> None:
    assert reports["own connect"]["value"] == ["Boolean", False]
    assert "own" not in reports  # no status event
