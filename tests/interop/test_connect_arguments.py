"""What clients say beside `connect`'s own properties, and what comes next to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.drivers import refused
from tests.server.conftest import RTMP
from tests.server.daphne import Daphne, daphne_command

ARGUMENTS = [True, "x y", 1.5, None, {"n": 1.25, "s": "z", "b": False, "o": {"deep": "er"}}]


@pytest.fixture
def server() -> Iterator[Daphne]:
    server = Daphne(daphne_command(RTMP))
    server.wait_for_log("Listening on")
    yield server
    server.stop()


def said(server: Daphne) -> tuple[list[object], str]:
    """The arguments, and path and query, that the application saw."""
    (arguments,), (path,) = server.wait_for_log("arguments: "), server.wait_for_log("path: ")
    return json.loads(arguments.partition("arguments: ")[2]), path.partition("path: ")[2]


@pytest.mark.client("rtmpdump-arguments")
def test_rtmpdump(server: Daphne, tmp_path: Path) -> None:
    options = ["B:1", "S:x y", "N:1.5", "Z:", "O:1", "NN:n:1.25", "NS:s:z", "NB:b:0"]
    options += ["NO:o:1", "NS:deep:er", "O:0", "O:0"]
    extra = [part for option in options for part in ("-C", option)]
    url = f"rtmp://127.0.0.1:{server.port()}/asking/room?id=7"
    command = ["rtmpdump", "-V", "-r", url, "-a", "asking/room?id=7", "-y", "nothing"]
    refused([*command, "-o", str(tmp_path / "o.flv"), *extra])
    assert said(server) == (ARGUMENTS, "/asking/room?id=7")


@pytest.mark.client("ffmpeg-arguments")
def test_ffmpeg(server: Daphne) -> None:
    url = f"rtmp://127.0.0.1:{server.port()}/asking/room/nothing"
    options = "B:1 S:x N:1.5 Z: O:1 NN:n:1.25 NS:s:z NB:b:0 O:0"
    refused(["ffprobe", "-v", "verbose", "-rtmp_conn", options, "-rtmp_app", "asking/room", url])
    arguments, path = said(server)
    assert arguments == [True, "x", 1.5, None, {"n": 1.25, "s": "z", "b": False}]
    assert path == "/asking/room?"


@pytest.mark.client("rtmpdump-arguments")
def test_rtmpdump_takes_part_in_a_bandwidth_check(server: Daphne, tmp_path: Path) -> None:
    url = f"rtmp://127.0.0.1:{server.port()}/measuring/nothing"
    printed = refused(["rtmpdump", "-V", "-r", url, "-o", str(tmp_path / "o.flv")])
    invoked = [name for name in ("onBWDone", "_onbwcheck", "_onbwdone") if f"<{name}>" in printed]
    assert invoked == ["onBWDone", "_onbwcheck", "_onbwdone"], printed
