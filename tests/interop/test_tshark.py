"""Wireshark's dissector as the judge of a whole conversation with python-librtmp."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop import drivers
from tests.interop.conversation import Conversation
from tests.support.demo_server import DemoServer

SECONDS = 60
BUFFER = "32768"
"""KiB; a packet that tcpdump drops looks to TShark like one that was never sent."""
WHOLE_PACKETS = "rtmpt.max_packet_size:16777215"
"""Without it the dissector ignores our chunk size and reports garbage."""

MALFORMED = "rtmpt && _ws.malformed"
DOUBTFUL = "rtmpt && _ws.expert.severity >= 6291456 && !tcp.analysis.flags"
"""An expert's warning or error, but not about TCP: a busy machine fills a window."""

pytestmark = pytest.mark.client("tshark")


class Capture:
    """tcpdump on the loopback interface, from before the first packet."""

    def __init__(self, port: int, file: Path) -> None:
        self.file = file
        self.process = subprocess.Popen(
            [
                *("tcpdump", "-i", "lo", "-U", "-s", "0", "-B", BUFFER, "--immediate-mode"),
                *("-w", str(file), "tcp", "port", str(port)),
            ],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def started(self) -> str | None:
        """None once it captures, else what it said before it gave up."""
        assert self.process.stderr
        said = ""
        for line in self.process.stderr:
            if "listening on" in line:
                return None
            said += line
        return said

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=SECONDS)


@pytest.fixture
def capture(demo_server: DemoServer, tmp_path: Path) -> Iterator[Capture]:
    capture = Capture(demo_server.rtmp_port, tmp_path / "rtmp.pcap")
    try:
        if reason := capture.started():
            pytest.skip(f"tcpdump may not capture here: {reason.strip()}")
        yield capture
    finally:
        capture.stop()


def tshark(capture: Capture, port: int, *arguments: str) -> list[str]:
    """What TShark prints of the capture."""
    command = ["tshark", "-r", str(capture.file), "-o", WHOLE_PACKETS, "-d"]
    command += [f"tcp.port=={port},rtmpt", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def converse(client: Conversation) -> None:
    """All that python-librtmp can do."""
    client.next("connected")
    for value in (None, True, -3.25, "Grüße, 世界 🎈", [1, "two"], {"name": "Ada"}, "x" * 100_000):
        answer = client.ask("result", do="call", method="echo.echo", arguments=[value])
        assert answer["value"] == value
    client.ask("error", do="call_unknown", method="echo.nothing", arguments=[])
    answer = client.ask("result", do="call", method="lobby.callme", arguments=[])
    assert answer["value"] == "yes, still here"
    assert client.close() == 0


def test_nothing_is_malformed(
    demo_server: DemoServer, capture: Capture, clients: Callable[..., Conversation]
) -> None:
    converse(clients(drivers.librtmp, demo_server.rtmp_url("lobby/judged")))
    capture.stop()
    port = demo_server.rtmp_port
    for filter_ in (MALFORMED, DOUBTFUL):
        assert tshark(capture, port, "-Y", filter_) == []
    listing = "\n".join(tshark(capture, port, "-Y", "rtmpt"))
    assert "Unknown" not in listing
    for seen in ("Handshake S0+S1+S2", "connect('lobby", "Set Chunk Size 65536", "_error("):
        assert seen in listing, listing
    assert listing.count("_result(") >= 9, listing
