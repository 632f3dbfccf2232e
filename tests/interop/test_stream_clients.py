"""ffmpeg and rtmpdump: a live stream, and a clear refusal without a hang where there is none."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.drivers import refused
from tests.support.demo_server import DemoServer

TEST_PICTURE = ("-f", "lavfi", "-i", "testsrc=size=320x240:rate=25", "-c:v", "libx264", "-g", "25")
PUBLISH = ("-f", "lavfi", "-i", "sine=frequency=440", "-t", "5", "-c:a", "aac", "-f", "flv")


@pytest.fixture(scope="module")
def live_url(demo_server: DemoServer) -> Iterator[str]:
    """A picture and a tone that ffmpeg publishes to the open application."""
    url = demo_server.rtmp_url("open/picture")
    options = [*TEST_PICTURE, "-pix_fmt", "yuv420p", "-preset", "ultrafast"]
    tone = ["-f", "lavfi", "-i", "sine=frequency=440"]
    command = ["ffmpeg", "-v", "error", "-re", *TEST_PICTURE[:4], "-re", *tone, *options[4:]]
    process = subprocess.Popen([*command, "-c:a", "aac", "-t", "60", "-f", "flv", url])
    yield url
    process.terminate()
    process.wait(timeout=20)


@pytest.mark.client("ffmpeg")
def test_ffprobe_plays_what_ffmpeg_publishes(live_url: str) -> None:
    entries = ["-show_entries", "stream=codec_name,width,height", "-of", "compact=p=0:nk=1"]
    done = subprocess.run(
        ["ffprobe", "-v", "error", *entries, live_url], capture_output=True, text=True, timeout=30
    )
    assert sorted(done.stdout.split()) == ["aac", "h264|320|240"], done.stderr


@pytest.mark.client("rtmpdump")
def test_rtmpdump_records_a_live_stream(live_url: str, tmp_path: Path) -> None:
    output = tmp_path / "o.flv"
    command = ["timeout", "-s", "INT", "3", "rtmpdump", "-q", "-v", "-r", live_url, "-o", output]
    subprocess.run(command, timeout=30)
    recording = output.read_bytes()
    assert recording.startswith(b"FLV")
    assert len(recording) > 10_000


@pytest.mark.client("rtmpdump")
@pytest.mark.parametrize("application", ["live", "lobby"])
def test_rtmpdump_is_told_that_there_is_no_stream(
    demo_server: DemoServer, tmp_path: Path, application: str
) -> None:
    url, output = demo_server.rtmp_url(f"{application}/nothing"), str(tmp_path / "o.flv")
    printed = refused(["rtmpdump", "-V", "-r", url, "-o", output, "-m", "15"])
    assert "NetStream.Play." in printed


@pytest.mark.client("ffmpeg")
@pytest.mark.parametrize("application", ["live", "lobby"])
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
