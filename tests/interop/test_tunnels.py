"""RTMP through HTTP and WebSocket: the same applications, reached by clients nobody here wrote."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop import drivers
from tests.interop.conversation import Conversation
from tests.interop.drivers import refused
from tests.support.demo_server import DemoServer

Clients = Callable[..., Conversation]


def rtmpt_url(server: DemoServer, path: str) -> str:
    return f"rtmpt://127.0.0.1:{server.http_port}/{path}"


@pytest.fixture(scope="module")
def published(demo_server: DemoServer) -> Iterator[str]:
    """A picture and a tone that ffmpeg publishes by HTTP requests; the stream's path."""
    path = "open/tunnelled"
    picture = ["-re", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=25"]
    tone = ["-re", "-f", "lavfi", "-i", "sine=frequency=440"]
    codecs = ["-c:v", "libx264", "-g", "25", "-pix_fmt", "yuv420p", "-preset", "ultrafast"]
    output = ["-c:a", "aac", "-t", "60", "-f", "flv", rtmpt_url(demo_server, path)]
    process = subprocess.Popen(["ffmpeg", "-v", "error", *picture, *tone, *codecs, *output])
    yield path
    process.terminate()
    process.wait(timeout=20)


@pytest.mark.client("ffmpeg-rtmpt")
@pytest.mark.parametrize("scheme", ["rtmpt", "rtmp"])
def test_ffprobe_plays_what_ffmpeg_publishes(
    demo_server: DemoServer, published: str, scheme: str
) -> None:
    url = (
        rtmpt_url(demo_server, published) if scheme == "rtmpt" else demo_server.rtmp_url(published)
    )
    entries = ["-show_entries", "stream=codec_name,width,height", "-of", "compact=p=0:nk=1"]
    done = subprocess.run(
        ["ffprobe", "-v", "error", *entries, url], capture_output=True, text=True, timeout=40
    )
    assert sorted(done.stdout.split()) == ["aac", "h264|320|240"], done.stderr


@pytest.mark.client("ffmpeg-rtmpt")
def test_ffprobe_is_told_that_there_is_no_stream(demo_server: DemoServer) -> None:
    printed = refused(["ffprobe", "-v", "verbose", rtmpt_url(demo_server, "live/nothing")])
    assert "Server error" in printed


@pytest.mark.client("rtmpdump-rtmpt")
def test_rtmpdump_records_a_live_stream(
    demo_server: DemoServer, published: str, tmp_path: Path
) -> None:
    output = tmp_path / "o.flv"
    url = rtmpt_url(demo_server, published)
    command = ["timeout", "-s", "INT", "4", "rtmpdump", "-q", "-v", "-r", url, "-o", output]
    subprocess.run(command, timeout=30)
    recording = output.read_bytes()
    assert recording.startswith(b"FLV")
    assert len(recording) > 10_000


@pytest.mark.client("librtmp-rtmpt")
def test_librtmp_calls_and_is_called(demo_server: DemoServer, clients: Clients) -> None:
    client = clients(drivers.librtmp, rtmpt_url(demo_server, "lobby/tunnel"))
    client.next("connected")
    for value in (42.5, "Grüße, 世界 🎈", "x" * 40_000, None):
        answer = client.ask("result", do="call", method="echo.echo", arguments=[value])
        assert answer["value"] == value
    answer = client.ask("result", do="call", method="lobby.callme", arguments=[])
    assert answer["value"] == "yes, still here"


@pytest.fixture
def through_websocket(demo_server: DemoServer, clients: Clients) -> Callable[[str], Conversation]:
    """Connects npm rtmp-client through a relay of TCP into a WebSocket."""
    url = demo_server.websocket_url("/ws/tunnel/")
    port = clients(drivers.websocket_relay, url).next("listening")["port"]

    def connect(path: str) -> Conversation:
        client = clients(drivers.rtmp_client, f"rtmp://127.0.0.1:{port}/{path}")
        client.next("connected")
        return client

    return connect


@pytest.mark.client("rtmp-client-websocket")
def test_rtmp_client_through_the_websocket(
    through_websocket: Callable[[str], Conversation],
    rtmp_client: Callable[[str], Conversation],
) -> None:
    tunnelled, direct = through_websocket("lobby/tunnel"), rtmp_client("lobby/tunnel")
    tunnelled.next("pong")
    value = {"text": "Grüße, 世界 🎈", "list": [1, None, True], "long": "x" * 70_000}
    answer = tunnelled.ask("result", do="call", method="echo.echo", arguments=[value])
    assert answer["value"] == value
    answer = tunnelled.ask("result", do="call", method="lobby.callme", arguments=[])
    assert tunnelled.next("ping2")["arguments"] == ["are you there"]
    assert answer["value"] == "yes, still here"
    for speaker, listener in ((tunnelled, direct), (direct, tunnelled)):
        speaker.ask("result", do="call", method="lobby.say", arguments=["across"])
        assert listener.next("onSay")["arguments"] == ["across"]


@pytest.mark.client("rtmp-client-websocket")
def test_rtmp_client_shares_an_object_through_the_websocket(
    through_websocket: Callable[[str], Conversation],
    rtmp_client: Callable[[str], Conversation],
) -> None:
    tunnelled, direct = through_websocket("lobby/tunnel"), rtmp_client("lobby/tunnel")
    for client in (tunnelled, direct):
        client.ask("status", do="use", name="board")
        assert client.next("sync")["changes"] == [{"code": "clear"}]
    for writer, reader, value in ((tunnelled, direct, 1), (direct, tunnelled, "é" * 500)):
        writer.send(do="set", name="board", key="k", value=value)
        assert writer.next("sync")["changes"][0]["code"] == "success"
        (change,) = reader.next("sync")["changes"]
        assert (change["code"], change["newValue"]) == ("change", value)
