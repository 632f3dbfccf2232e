"""Every recorded client says its piece again, over TCP or HTTP, to a running server."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from amf_remoting.packet import parse
from rtmp_channels.protocol.commands import Command
from rtmp_channels.protocol.events import (
    CallReceived,
    ConnectRequested,
    Event,
    PlayRequested,
    PublishRequested,
    SharedObjectReceived,
    StreamCreated,
)
from rtmp_channels.protocol.shared_object import SharedObjectMessage
from tests.interop.replay import C0_C1, S0_S1_S2, Peer, steps
from tests.support.demo_server import DemoServer, run_demo_server
from tests.support.process import REPOSITORY

RECORDINGS = REPOSITORY / "tests" / "captures" / "rtmp"
BODIES = sorted((REPOSITORY / "tests" / "captures" / "amf").glob("*.bin"))
PLAY, PUBLISH = "connect createStream play", "connect createStream publish"

ASKED = {
    "ffmpeg_play": PLAY,
    "ffmpeg_publish": PUBLISH,
    "gst_rtmp2sink_publish": PUBLISH,
    "gst_rtmp2src_play": PLAY,
    "gst_rtmpsink_publish": PUBLISH,
    "gst_rtmpsrc_play": PLAY,
    "librtmp_call": "connect foo callme",
    "mpv_play": PLAY,
    "nginx_pull": PLAY,
    "nginx_push": PUBLISH,
    "obs_publish": PUBLISH,
    "rtmp_client_shared_object_a": "connect Use",
    "rtmp_client_shared_object_b": "connect foo fail callme Use RequestChange RequestRemove",
    "rtmpdump_extra_args": "connect",
    "rtmpdump_play": PLAY,
    "vlc_play": PLAY,
}
ANSWERS = {"Use": "UseSuccess Clear", "RequestChange": "Echo", "RequestRemove": "Remove"}
"""What a user of a shared object with flag 16 gets, by what it asked."""


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, migrated_database: Path
) -> Iterator[DemoServer]:
    """The demo site with the applications `live` and `app`."""
    with run_demo_server(
        tmp_path_factory.mktemp("recordings"),
        database=migrated_database,
        application="tests.interop.recorded_site:application",
    ) as server:
        yield server


def name_of(event: Event) -> str:
    """A request's name as in ASKED."""
    match event:
        case ConnectRequested():
            return "connect"
        case StreamCreated():
            return "createStream"
        case PlayRequested():
            return "play"
        case PublishRequested():
            return "publish"
        case CallReceived(name=name):
            return name
        case SharedObjectReceived(message=message):
            return names_of(message)
    raise AssertionError(event)


def names_of(message: SharedObjectMessage) -> str:
    return " ".join(type(each).__name__ for each in message.events)


def check(event: Event, answer: Command | SharedObjectMessage) -> None:
    """A server without streams and without those methods answers so."""
    if isinstance(answer, SharedObjectMessage):
        assert names_of(answer) == ANSWERS[name_of(event)]
        return
    match event:
        case ConnectRequested():
            assert answer.name == "_result"
            assert answer.arguments[0]["code"] == "NetConnection.Connect.Success"
        case StreamCreated():
            assert (answer.name, answer.arguments) == ("_result", [1])
        case PlayRequested():
            assert answer.arguments[0]["code"].startswith("NetStream.Play.")
            assert answer.arguments[0]["level"] == "error"
        case PublishRequested():
            assert answer.arguments[0]["code"].startswith("NetStream.Publish.")
            assert answer.arguments[0]["level"] == "error"
        case CallReceived():
            assert answer.name == "_error"
            assert answer.arguments[0]["code"] == "NetConnection.Call.Failed"


def test_every_recording_is_known() -> None:
    assert {file.stem for file in RECORDINGS.glob("*.bin")} == set(ASKED)


@pytest.mark.parametrize("name", ASKED)
def test_replay(server: DemoServer, name: str) -> None:
    recording = (RECORDINGS / f"{name}.bin").read_bytes()
    requests = steps(recording)
    assert " ".join(name_of(step.event) for step in requests) == ASKED[name]
    with Peer(server.rtmp_port) as peer:
        answer = peer.shake_hands(recording[:C0_C1])
        assert (len(answer), answer[0]) == (S0_S1_S2, 3)
        position = C0_C1
        for step in requests:
            peer.send(recording[position : step.end])
            check(step.event, peer.answer(step.event))
            position = step.end
        peer.send(recording[position:])
        peer.finish()
    assert "Traceback" not in server.log()
    assert server.process.poll() is None


@pytest.mark.parametrize("body", BODIES, ids=lambda path: path.stem)
def test_the_gateway_answers_every_call_of_a_recorded_body(server: DemoServer, body: Path) -> None:
    request = urllib.request.Request(
        server.url("/gateway/"), body.read_bytes(), {"Content-Type": "application/x-amf"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        assert response.headers["Content-Type"] == "application/x-amf"
        answers = parse(response.read()).messages
    calls = parse(body.read_bytes()).messages
    assert [answer.target_uri.rpartition("/")[0] for answer in answers] == [
        call.response_uri for call in calls
    ]
    for call, answer in zip(calls, answers, strict=True):
        if call.target_uri == "echo.echo":
            assert answer.target_uri == f"{call.response_uri}/onResult"
            assert answer.value == call.value[0]
    assert "Traceback" not in server.log()
