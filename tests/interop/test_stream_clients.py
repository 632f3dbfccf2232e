"""ffmpeg and rtmpdump where no stream is: a clear refusal, no hang, and the server goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.drivers import refused
from tests.support.demo_server import DemoServer

PUBLISH = ("-f", "lavfi", "-i", "sine=frequency=440", "-t", "5", "-c:a", "aac", "-f", "flv")


@pytest.mark.client("rtmpdump")
@pytest.mark.parametrize("application", ["open", "lobby"])
def test_rtmpdump_is_told_that_there_is_no_stream(
    demo_server: DemoServer, tmp_path: Path, application: str
) -> None:
    url, output = demo_server.rtmp_url(f"{application}/nothing"), str(tmp_path / "o.flv")
    printed = refused(["rtmpdump", "-V", "-r", url, "-o", output, "-m", "15"])
    assert "NetStream.Play." in printed


@pytest.mark.client("rtmpdump")
def test_rtmpdump_with_connect_arguments(demo_server: DemoServer, tmp_path: Path) -> None:
    url, output = demo_server.rtmp_url("open/nothing"), str(tmp_path / "o.flv")
    extra = ["-C", "B:1", "-C", "S:x", "-C", "O:1", "-C", "NN:n:1.2", "-C", "O:0"]
    assert "NetStream.Play." in refused(["rtmpdump", "-V", "-r", url, "-o", output, *extra])


@pytest.mark.client("ffmpeg")
@pytest.mark.parametrize("application", ["open", "lobby"])
def test_ffprobe_is_told_that_there_is_no_stream(demo_server: DemoServer, application: str) -> None:
    printed = refused(["ffprobe", "-v", "verbose", demo_server.rtmp_url(f"{application}/nothing")])
    assert "Server error" in printed


@pytest.mark.client("ffmpeg")
def test_ffmpeg_may_not_publish_to_the_lobby(demo_server: DemoServer) -> None:
    url = demo_server.rtmp_url("lobby/nothing")
    printed = refused(["ffmpeg", "-v", "verbose", "-re", *PUBLISH, url])
    assert "Server error" in printed
    assert demo_server.process.poll() is None


@pytest.mark.client("ffmpeg")
def test_ffmpeg_learns_that_an_application_does_not_exist(demo_server: DemoServer) -> None:
    printed = refused(["ffprobe", "-v", "verbose", demo_server.rtmp_url("no_such_app/nothing")])
    assert "Server error" in printed
