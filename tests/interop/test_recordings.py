"""Every recorded client says its piece again, over TCP or HTTP, to a running server."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from amf_remoting.packet import parse
from rtmp_channels.protocol import Connection
from rtmp_channels.protocol.commands import Command
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.events import (
    CallReceived,
    ConnectRequested,
    Event,
    MediaReceived,
    PlayRequested,
    PublishRequested,
    SharedObjectReceived,
    StatusReceived,
    StreamCreated,
)
from rtmp_channels.protocol.shared_object import SharedObjectMessage
from tests.interop.replay import C0_C1, S0_S1_S2, Peer, steps
from tests.protocol.replay import captured
from tests.protocol.replay import replay as replay_without_sockets
from tests.support.demo_server import DemoServer, run_demo_server
from tests.support.process import REPOSITORY
from tests.support.rtmp_client import RtmpClient

RECORDINGS = REPOSITORY / "tests" / "captures" / "rtmp"
FRAME = b"\x17\1\0\0\0" + b"a keyframe"
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
    """What an open application without those methods answers."""
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
            assert answer.arguments[0]["code"] == "NetStream.Play.Reset"
        case PublishRequested():
            assert answer.arguments[0]["code"] == "NetStream.Publish.Start"
        case CallReceived():
            assert answer.name == "_error"
            assert answer.arguments[0]["code"] == "NetConnection.Call.Failed"


def replay(port: int, name: str, *, size: int | None) -> Peer:
    """Says it all again, `size` bytes a write, and checks each answer; still connected."""
    recording = captured(name)
    requests = steps(recording)
    assert " ".join(name_of(step.event) for step in requests) == ASKED[name]
    peer = Peer(port)
    answer = peer.shake_hands(recording[:C0_C1])
    assert (len(answer), answer[0]) == (S0_S1_S2, 3)
    position = C0_C1
    for step in requests:
        peer.send(recording[position : step.end], size=size)
        check(step.event, peer.answer(step.event))
        position = step.end
    peer.send(recording[position:], size=size)
    return peer


@pytest.fixture(scope="module")
def feed(server: DemoServer) -> Iterator[None]:
    """The stream that the recorded players ask for."""
    publisher = RtmpClient(server.rtmp_port, "live")
    publish(publisher, "feed")
    publisher.connection.send_message(1, MessageType.VIDEO, 0, FRAME)
    publisher.flush()
    yield
    publisher.close()


def publish(client: RtmpClient, name: str) -> None:
    open_stream(client, "publish", name)
    client.wait_for(lambda event: isinstance(event, StatusReceived))


def open_stream(client: RtmpClient, command: str, name: str) -> None:
    client.connection.send_create_stream()
    client.flush()
    client.wait_for(lambda event: isinstance(event, StreamCreated))
    client.connection.send_call(command, [name], message_stream_id=1)
    client.flush()


def media_of(client: RtmpClient) -> Iterator[MediaReceived]:
    """Until the stream is unpublished."""
    while True:
        event = client.wait_for(lambda event: isinstance(event, MediaReceived | StatusReceived))
        if isinstance(event, MediaReceived):
            yield event
        elif event.information["code"] == "NetStream.Play.UnpublishNotify":
            return


def test_every_recording_is_known() -> None:
    assert {file.stem for file in RECORDINGS.glob("*.bin")} == set(ASKED)


PIECES = pytest.mark.parametrize("size", [None, 1], ids=["whole", "a byte a write"])


@PIECES
@pytest.mark.parametrize("name", ASKED)
def test_replay(server: DemoServer, feed: None, name: str, size: int | None) -> None:
    with replay(server.rtmp_port, name, size=size) as peer:
        if name.endswith(("play", "pull")) and b"deleteStream" not in captured(name):
            assert any(message.payload == FRAME for message in peer.messages())
        peer.finish()
    assert "Traceback" not in server.log()
    assert server.process.poll() is None


@PIECES
@pytest.mark.parametrize("name", [name for name in ASKED if ASKED[name] == PUBLISH])
def test_all_that_a_recorded_publisher_sends_reaches_a_player(
    server: DemoServer, name: str, size: int | None
) -> None:
    stream_name = steps(captured(name))[-1].event.stream_name  # type: ignore[union-attr]
    with RtmpClient(server.rtmp_port, "live") as player:
        open_stream(player, "play", stream_name)
        with replay(server.rtmp_port, name, size=size) as peer:
            peer.finish()
        played = [(media.type, media.payload) for media in media_of(player)]
    sent = [
        (event.type, event.payload)
        for event in replay_without_sockets(Connection(), iter([captured(name)]))
        if isinstance(event, MediaReceived)
    ]
    first = next(at for at, (kind, _) in enumerate(sent) if kind is MessageType.VIDEO)
    assert played[-len(sent[first:]) :] == sent[first:]


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
