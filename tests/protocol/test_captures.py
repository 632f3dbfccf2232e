"""Every captured client is understood to the end of its conversation."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from amf_remoting import amf
from rtmp_channels.explanation import explain
from rtmp_channels.protocol import Connection
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.events import (
    BufferLengthSet,
    CallReceived,
    ConnectRequested,
    DataReceived,
    Event,
    HandshakeCompleted,
    MediaReceived,
    PlayRequested,
    PublishRequested,
    ResultReceived,
    SharedObjectReceived,
    StreamCreated,
    StreamDeleted,
    StreamEventReceived,
)
from rtmp_channels.protocol.shared_object import (
    RequestChange,
    RequestRemove,
    SharedObjectMessage,
    Use,
)
from rtmp_channels.protocol.user_control import UserControlType

from .peers import Written, values_of
from .replay import NAMES, captured, replay

FIVE_MILLISECONDS = datetime(1970, 1, 1, microsecond=5000, tzinfo=UTC)
LIVE = {"app": "live", "tcUrl": "rtmp://127.0.0.1:1941/live"}
PLAYER = {
    "fpad": False,
    "capabilities": 15.0,
    "audioCodecs": 4071.0,
    "videoCodecs": 252.0,
    "videoFunction": 1.0,
}
NGINX = LIVE | {
    "pageUrl": "",
    "swfUrl": "",
    "flashVer": "LNX.11,1,102,55",
    "audioCodecs": 3575.0,
    "videoCodecs": 252.0,
}
FFMPEG_PLAYER = LIVE | PLAYER | {"flashVer": "LNX 9,0,124,2"}
GAME = PLAYER | {
    "app": "app/inst",
    "tcUrl": "rtmp://127.0.0.1:1950/app/inst",
    "flashVer": "WIN 32,0,0,465",
    "audioCodecs": 3191.0,
    "objectEncoding": 0.0,
}


def asked(options: dict[str, Any], *arguments: Any) -> ConnectRequested:
    app, _, query = options["app"].partition("?")
    query = query or options["tcUrl"].partition("?")[2]
    return ConnectRequested(1, options, list(arguments), 0, app, query, options["tcUrl"])


def whole(data: bytes) -> Iterator[bytes]:
    yield data


def bytewise(data: bytes) -> Iterator[bytes]:
    for at in range(len(data)):
        yield data[at : at + 1]


def at_random(data: bytes) -> Iterator[bytes]:
    rng = random.Random(len(data))
    while data:
        size = rng.choice([1, 2, 5, 17, 100, 1448, 5000])
        yield data[:size]
        data = data[size:]


@cache
def replayed(name: str) -> tuple[tuple[Event, ...], Written]:
    connection = Connection()
    events = replay(connection, whole(captured(name)))
    return tuple(events), Written(connection)


def conversation(name: str) -> list[Event]:
    """All events but media, without the handshake's."""
    events, _ = replayed(name)
    return [event for event in events[1:] if not isinstance(event, MediaReceived)]


@pytest.mark.parametrize("name", NAMES)
def test_one_byte_pieces_and_random_pieces_give_the_same_events_and_answers(name):
    data = captured(name)
    expected = replay(Connection(), whole(data))
    for split in (bytewise, at_random):
        connection = Connection()
        assert replay(connection, split(data)) == expected
        names = [values[0] for _, values in Written(connection).commands()]
        assert names[0] == "_result"


@pytest.mark.parametrize("name", NAMES)
def test_the_handshake_of_each(name):
    signed = name.startswith(("ffmpeg", "mpv", "vlc", "nginx"))
    assert replayed(name)[0][0] == HandshakeCompleted(1 if signed else None)


@pytest.mark.parametrize(
    ("name", "deleted"), [("ffmpeg_play", True), ("mpv_play", True), ("vlc_play", False)]
)
def test_ffmpeg_mpv_and_vlc_play(name, deleted):
    expected: list[Event] = [
        asked(FFMPEG_PLAYER),
        StreamCreated(1, 2),
        PlayRequested(1, 4, "feed", start=-2, duration=-1, reset=True),
        BufferLengthSet(1, 3000),
    ]
    if deleted:
        expected.append(StreamDeleted(1))
    assert conversation(name) == expected


def test_librtmp_plays():
    assert conversation("rtmpdump_play") == [
        asked(LIVE | PLAYER | {"flashVer": "LNX 10,0,32,18", "audioCodecs": 3191}),
        BufferLengthSet(0, 300),
        StreamCreated(1, 2),
        PlayRequested(1, 4, "feed", start=-1, duration=3000, reset=True),
        BufferLengthSet(1, 36_000_000),
        StreamDeleted(1),
    ]
    assert conversation("gst_rtmpsrc_play") == [
        asked(LIVE | PLAYER | {"audioCodecs": 3191.0}),
        BufferLengthSet(0, 300),
        StreamCreated(1, 2),
        PlayRequested(1, 4, "feed", start=-1, duration=-1, reset=True),
        BufferLengthSet(1, 30_000),
        StreamDeleted(1),
    ]


def test_gstreamers_rtmp2_plays_with_transaction_0():
    assert conversation("gst_rtmp2src_play") == [
        asked(LIVE | PLAYER | {"flashVer": "LNX 10,0,32,18"}),
        BufferLengthSet(0, 300),
        StreamCreated(1, 2),
        PlayRequested(1, 0, "feed", start=-2, duration=-1, reset=True),
        BufferLengthSet(1, 30_000),
    ]


def test_nginx_pulls():
    assert conversation("nginx_pull") == [
        asked(NGINX),
        StreamCreated(1, 2),
        PlayRequested(1, 0, "feed", start=-2, duration=-1, reset=True),
        BufferLengthSet(1, 5000),
    ]


FMLE = {"type": "nonprivate"}
PUBLISHERS = {
    # options of connect, StreamCreated's and PublishRequested's transaction, name, width
    "ffmpeg_publish": (
        LIVE | FMLE | {"flashVer": "FMLE/3.0 (compatible; Lavf59.27.100)"},
        (4, 5, "a1"),
        Counter({MessageType.AUDIO: 44, MessageType.VIDEO: 25}),
    ),
    "gst_rtmp2sink_publish": (
        LIVE | FMLE | {"flashVer": "LNX 10,0,32,18"},
        (2, 0, "g2"),
        Counter({MessageType.AUDIO: 7, MessageType.VIDEO: 4}),
    ),
    "gst_rtmpsink_publish": (
        LIVE | FMLE,
        (4, 5, "g1"),
        Counter({MessageType.VIDEO: 4}),
    ),
    "nginx_push": (
        NGINX,
        (2, 0, "pushed"),
        Counter({MessageType.AUDIO: 70, MessageType.VIDEO: 17}),
    ),
    "obs_publish": (
        LIVE
        | FMLE
        | {
            "supportsGoAway": True,
            "flashVer": "FMLE/3.0 (compatible; FMSc/1.0)",
            "swfUrl": "rtmp://127.0.0.1:1941/live",
        },
        (4, 5, "obs1"),
        Counter({MessageType.AUDIO: 36, MessageType.VIDEO: 9}),
    ),
}


@pytest.mark.parametrize("name", PUBLISHERS)
def test_publishers_are_understood_until_they_are_cut(name):
    options, (created, published, stream_name), media = PUBLISHERS[name]
    *others, metadata = conversation(name)
    expected: list[Event] = [
        asked(options),
        StreamCreated(1, created),
        PublishRequested(1, published, stream_name, "live"),
    ]
    if name == "nginx_push":
        expected.append(StreamEventReceived(UserControlType.STREAM_BEGIN, 1))
    assert others == expected
    assert isinstance(metadata, DataReceived)
    assert metadata.values[0] == "onMetaData"
    properties = metadata.values[1]
    properties = properties.named if isinstance(properties, amf.MixedArray) else properties
    assert (properties["width"], properties["height"]) == (320, 240)
    assert metadata.is_data_frame == (name != "nginx_push")
    assert amf.loads_many(metadata.payload, 0) == metadata.values
    events = [event for event in replayed(name)[0] if isinstance(event, MediaReceived)]
    assert Counter(event.type for event in events) == media
    assert all(event.message_stream_id == 1 for event in events)
    times = [event.timestamp for event in events]
    assert all(0 <= time < 10_000 for time in times)
    video = next(event for event in events if event.type is MessageType.VIDEO)
    assert video.payload[0] == 0x17  # AVC, keyframe
    assert video.payload[1] == 0  # sequence header


def test_librtmp_calls_and_is_called():
    options = {
        "app": "app",
        "tcUrl": "rtmp://127.0.0.1:1950/app",
        "fpad": False,
        "capabilities": 15.0,
        "audioCodecs": 3191.0,
        "videoCodecs": 252.0,
        "videoFunction": 1.0,
    }
    events = conversation("librtmp_call")
    assert events[0] == asked(options, "arg1")
    foo = events[1]
    assert isinstance(foo, CallReceived)
    assert (foo.name, foo.transaction_id) == ("foo", 2)
    assert foo.arguments[:4] == [1, "x", None, True]
    assert foo.arguments[4] == amf.MixedArray([], {"a": 1})
    assert events[2:] == [
        CallReceived(0, 3, "callme", None, []),
        ResultReceived(7, ["pong from librtmp"], is_error=False),
    ]


def test_connect_alone():
    """Named for rtmpdump's -C; what was captured is a connect without extra arguments."""
    (event,) = conversation("rtmpdump_extra_args")
    assert isinstance(event, ConnectRequested)
    assert (event.app, event.query_string) == ("live", "id=feed")
    assert event.command_object["swfUrl"] is None
    assert event.arguments == []


def test_rtmp_client_shares_an_object():
    assert conversation("rtmp_client_shared_object_a") == [
        asked(GAME),
        SharedObjectReceived(SharedObjectMessage("foo", 0, 16, (Use(),))),
    ]


def test_rtmp_client_calls_is_called_and_changes_a_shared_object():
    def shared(version: int, event: Any) -> SharedObjectReceived:
        return SharedObjectReceived(SharedObjectMessage("foo", version, 16, (event,)))

    argument = {"a": 1, "b": [1, 2]}
    assert conversation("rtmp_client_shared_object_b") == [
        asked(GAME, "arg1", 2),
        CallReceived(0, 2, "foo", None, [1, "x", None, True, argument, FIVE_MILLISECONDS]),
        CallReceived(0, 3, "fail", None, []),
        CallReceived(0, 4, "callme", None, []),
        ResultReceived(7, ["pong!"], is_error=False),
        shared(0, Use()),
        shared(0, RequestChange((("k1", {"n": 42}),))),
        shared(1, RequestRemove("k1")),
    ]


@pytest.mark.parametrize("name", ["rtmp_client_shared_object_a", "rtmp_client_shared_object_b"])
def test_rtmp_clients_ping_request_is_answered(name):
    connection = Connection()
    replay(connection, whole(captured(name)))
    pings = [one.payload for one in Written(connection).messages() if one.type == 4]
    stamp = {"a": "6b00fc8f", "b": "6b00fc90"}[name[-1]]
    assert pings == [bytes(6), bytes.fromhex("0007" + stamp)]


def test_ffmpeg_publish_is_answered_command_by_command():
    connection = Connection()
    replay(connection, whole(captured("ffmpeg_publish")))
    found = [
        (one.message_stream_id, *values_of(one)[:2])
        for one in Written(connection).messages()
        if one.type == 20
    ]
    assert found == [
        (0, "_result", 1),
        (0, "_result", 2),
        (0, "_result", 3),
        (0, "onFCPublish", 0),
        (0, "_result", 4),
        (1, "onStatus", 0),
    ]


DIALECTS = {
    # each message but media: what it is, its chunk stream, its format
    "ffmpeg_publish": (
        "connect 3 0, Set Chunk Size 2 0, releaseStream 3 1, FCPublish 3 1, createStream 3 1, "
        "publish 8 0, @setDataFrame 4 0"
    ),
    "ffmpeg_play": (
        "connect 3 0, Window Acknowledgement Size 2 0, createStream 3 1, getStreamLength 8 0, "
        "play 8 0, Set Buffer Length 2 1, deleteStream 3 1"
    ),
    "rtmpdump_play": (
        "connect 3 0, Window Acknowledgement Size 2 0, Set Buffer Length 2 1, createStream 3 1, "
        "FCSubscribe 3 1, play 8 0, Set Buffer Length 2 3, deleteStream 3 1"
    ),
    "gst_rtmp2sink_publish": (
        "connect 3 0, Window Acknowledgement Size 2 0, releaseStream 3 1, FCPublish 3 1, "
        "createStream 3 1, publish 3 0, Set Chunk Size 2 1, @setDataFrame 4 0"
    ),
    "obs_publish": (
        "Set Chunk Size 2 0, connect 3 0, releaseStream 3 1, FCPublish 3 1, createStream 3 1, "
        "publish 4 0, @setDataFrame 4 0"
    ),
    "nginx_push": (
        "Set Chunk Size 2 0, Window Acknowledgement Size 2 0, connect 3 0, createStream 3 0, "
        "publish 5 0, Stream Begin 2 0, onMetaData 5 0"
    ),
    "nginx_pull": (
        "Set Chunk Size 2 0, Window Acknowledgement Size 2 0, connect 3 0, createStream 3 0, "
        "play 5 0, Set Buffer Length 2 0"
    ),
}


def dialect(name: str) -> str:
    found: list[str] = []
    is_new = False
    for part in explain(captured(name)):
        if part.is_title:
            what, _, _ = part.detail.partition(";")
            is_new = bool(re.match(r"Command|Data|Set|Window|User", part.kind))
            if part.kind.startswith(("Command", "Data")):
                found += [what.split()[0]] if is_new else []
            elif is_new:
                found.append(what if part.kind == "User Control" else part.kind)
        elif is_new and part.kind == "Basic Header":
            chunk_format, chunk_stream = re.findall(r"\d+", part.detail)
            found[-1] += f" {chunk_stream} {chunk_format}"
            is_new = False
    return ", ".join(found)


@pytest.mark.parametrize("name", DIALECTS)
def test_who_says_what_on_which_chunk_stream_in_which_format(name):
    assert dialect(name) == DIALECTS[name]
