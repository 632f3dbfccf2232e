"""A session between a transport without sockets and applications of a few lines."""

import asyncio
import gc
import logging
import weakref

import pytest
from django.utils.translation import gettext_lazy

from rtmp_channels.consumers import AsyncRtmpConsumer
from rtmp_channels.exceptions import DialectError
from rtmp_channels.live.current import stream_hubs
from rtmp_channels.permissions import ANYONE
from rtmp_channels.phase import Phase
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.errors import LocalProtocolError, RemoteProtocolError
from rtmp_channels.protocol.events import (
    CallReceived,
    ConnectAccepted,
    ConnectRejected,
    DataReceived,
    ResultReceived,
    StatusReceived,
    StreamCreated,
)
from rtmp_channels.protocol.outbound import encode_call
from rtmp_channels.rooms.current import room_hubs
from rtmp_channels.timers import timer_wheels
from tests.server.wire import Wire


class Recorder:
    """Accepts, keeps what it receives, answers nothing; `send` is for the test to use."""

    def __init__(self, accepts=True, **answer):
        self.messages = []
        self.accepts = accepts
        self.answer = {"type": "rtmp.accept", **answer}

    async def __call__(self, scope, receive, send):
        self.scope, self.send = scope, send
        while not self.messages or self.messages[-1]["type"] != "rtmp.disconnect":
            self.messages.append(await receive())
            if self.messages[-1]["type"] == "rtmp.connect" and self.accepts:
                await send(self.answer)

    @property
    def types(self):
        return [message["type"] for message in self.messages]


class Stuck(Recorder):
    async def __call__(self, scope, receive, send):
        self.scope, self.send, self.receive = scope, send, receive
        await receive()
        await send({"type": "rtmp.accept"})
        await asyncio.Event().wait()


async def connected(application=None, **settings):
    application = application or Recorder()
    wire = Wire(application, **settings)
    event = await wire.connect()
    while not isinstance(event, ConnectAccepted):  # consumers take a thread's time
        await asyncio.sleep(0.001)
        [event] = wire.receive() or [event]
    return wire, application


async def test_scope_says_what_connect_said():
    recorder = Recorder()
    wire = Wire(recorder)
    wire.deliver()
    wire.deliver()
    command = {
        "app": "lobby/room1?token=a%20b",
        "tcUrl": "rtmp://example.org:1935/lobby/room1",
        "pageUrl": "http://example.org/page.html",
        "swfUrl": "http://example.org/game.swf",
        "flashVer": "WIN 32,0,0,465",
    }
    wire.client.send_connect(command, ["first", 2])
    await wire.settle()
    assert recorder.scope == {
        "type": "rtmp",
        "asgi": {"version": "3.0", "spec_version": "1.0"},
        "scheme": "rtmp",
        "path": "/lobby/room1",
        "root_path": "",
        "query_string": b"token=a%20b",
        "headers": [
            (b"host", b"example.org:1935"),
            (b"origin", b"http://example.org/page.html"),
            (b"user-agent", b"WIN 32,0,0,465"),
            (b"referer", b"http://example.org/game.swf"),
        ],
        "client": ["192.0.2.1", 50_000],
        "server": ["127.0.0.1", 1935],
        "rtmp": {
            "command_object": command,
            "arguments": ["first", 2],
            "object_encoding": 0,
            "connection_id": wire.session.id,
        },
    }
    await wire.lose()


@pytest.mark.parametrize(
    "tc_url",
    [
        "rtmp://[broken",
        "",
        "rtmp",
        "\N{SNOWMAN}://\N{SNOWMAN}",
        "rtmp://joe:secret@example.org/lobby",
    ],
)
async def test_what_a_client_claims_as_its_url_does_no_harm(tc_url):
    recorder = Recorder()
    wire = Wire(recorder)
    wire.deliver()
    wire.deliver()
    wire.client.send_connect({"app": "lobby", "tcUrl": tc_url, "pageUrl": 7, "swfUrl": None})
    await wire.settle()
    assert recorder.scope["path"] == "/lobby"
    assert all(name == b"host" for name, _ in recorder.scope["headers"])
    assert "secret" not in str(recorder.scope["headers"])
    await wire.lose()


async def test_handshake_and_accept_are_one_write_each():
    wire = Wire(Recorder())
    wire.session.data_received(wire.client.data_to_send())
    assert [len(data) for data in wire.transport.writes] == [3073]
    wire.deliver()
    wire.deliver()
    wire.client.send_connect({"app": "lobby", "tcUrl": "rtmp://host/lobby"})
    wire.session.data_received(wire.client.data_to_send())
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(wire.transport.writes) == 1
    await wire.lose()


async def test_a_burst_of_results_is_one_write():
    wire, application = await connected()
    for number in range(10):
        wire.client.send_call("echo", [number], expect_result=True)
    await wire.settle()
    wire.transport.writes.clear()
    for call in application.messages[1:]:
        answer = {"type": "rtmp.result", "transaction_id": call["transaction_id"]}
        await application.send({**answer, "value": call["arguments"][0]})
    await asyncio.sleep(0)
    assert len(wire.transport.writes) == 1
    results = [event for event in wire.receive() if isinstance(event, ResultReceived)]
    assert [event.values for event in results] == [[number] for number in range(10)]
    await wire.lose()


async def test_calls_of_the_application_and_their_answers():
    wire, application = await connected()
    await application.send(
        {"type": "rtmp.call", "name": "add", "arguments": [1], "transaction_id": "a"}
    )
    await application.send(
        {"type": "rtmp.call", "name": "add", "arguments": [2], "transaction_id": "b"}
    )
    await application.send({"type": "rtmp.call", "name": "tell"})
    first, second, third = [e for e in await wire.settle() if isinstance(e, CallReceived)]
    assert (first.arguments, second.arguments) == ([1], [2])
    assert third.transaction_id == 0
    wire.client.send_error(second.transaction_id, {"code": "no"})
    wire.client.send_result(first.transaction_id, "yes")
    wire.client.send_result(first.transaction_id, "twice")
    wire.client.send_result(99_999, "never asked")
    await wire.settle()
    assert application.messages[1:] == [
        {"type": "rtmp.error", "transaction_id": "b", "information": {"code": "no"}},
        {"type": "rtmp.result", "transaction_id": "a", "value": "yes"},
    ]
    await wire.lose()


async def test_the_oldest_unanswered_call_is_forgotten():
    wire, application = await connected(max_pending_calls=2)
    for name in "abc":
        await application.send({"type": "rtmp.call", "name": name, "transaction_id": name})
    for event in await wire.settle():
        wire.client.send_result(event.transaction_id, event.name)
    await wire.settle()
    assert [message["value"] for message in application.messages[1:]] == ["b", "c"]
    await wire.lose()


async def test_a_full_inbox_stops_reading_until_there_is_room():
    wire, application = await connected(Stuck(), max_queued_events=4)
    for number in range(4):
        wire.client.send_call("echo", [number])
    wire.deliver()
    assert not wire.transport.reading
    for _ in range(4):
        assert (await application.receive())["type"] == "rtmp.call"
    assert wire.transport.reading
    await wire.lose()
    assert (await application.receive())["type"] == "rtmp.disconnect"
    assert (await application.receive())["type"] == "rtmp.disconnect"


async def test_a_large_message_stops_reading_by_its_size():
    wire, application = await connected(Stuck(), max_queued_bytes=50_000)
    wire.client.send_call("echo", ["x" * 49_000])
    wire.deliver()
    assert wire.transport.reading
    wire.client.send_call("echo", ["x" * 2_000])
    wire.deliver()
    assert not wire.transport.reading
    await application.receive()
    assert wire.transport.reading
    await wire.lose()


async def test_send_waits_for_a_reader_that_is_behind():
    wire, application = await connected()
    wire.session.pause_writing()
    sending = asyncio.create_task(application.send({"type": "rtmp.call", "name": "tell"}))
    await wire.settle()
    assert not sending.done()
    wire.session.resume_writing()
    await sending
    await wire.lose()


async def test_send_stops_waiting_when_the_connection_is_lost():
    wire, application = await connected()
    wire.session.pause_writing()
    sending = asyncio.create_task(application.send({"type": "rtmp.call", "name": "tell"}))
    await wire.lose()
    await sending
    await application.send({"type": "rtmp.call", "name": "tell"})
    assert wire.host.log == ["started", "ending", "closed"]


async def test_shared_bytes_overrun_a_reader(caplog):
    wire, application = await connected(max_unsent_bytes=1_000)
    wire.session.write_shared(b"x" * 2_000)  # it reads: nothing happens
    wire.session.flush()
    wire.session.pause_writing()
    wire.transport.buffered_bytes = 900
    wire.session.write_shared(b"x" * 100)
    assert wire.transport.state == "open"
    with caplog.at_level(logging.INFO):
        wire.session.write_shared(b"x")
    assert wire.transport.state == "aborted"
    [record] = caplog.records
    assert record.getMessage() == (
        "rtmp 192.0.2.1:50000 /lobby/room1: cut: it reads too slowly, 1001 bytes wait"
    )
    wire.session.write_shared(b"x")
    wire.transport.writes.clear()
    await wire.lose()
    assert application.types == ["rtmp.connect", "rtmp.disconnect"]


@pytest.mark.parametrize(
    ("app", "shown"),
    [
        ("lobby/é", "/lobby/é: "),
        ("lobby\n2026 INFO forged", "/lobby\\n2026 INFO forged: "),
        ("lobby/\x1b[31m", "/lobby/\\x1b[31m: "),
        ("x" * 20_000, f"/{'x' * 200}: "),
    ],
)
async def test_what_a_client_names_its_application_stays_on_one_line(caplog, app, shown):
    wire = Wire(Recorder())
    await wire.connect(app)
    with caplog.at_level(logging.INFO):
        wire.session.data_received(b"\xc7" + bytes(20))
    [record] = caplog.records
    assert shown in record.getMessage()
    assert "\n" not in record.getMessage()
    await wire.lose()


async def test_a_client_that_reads_no_answers_is_not_read_either():
    wire, _ = await connected(max_unsent_bytes=1_000)
    wire.session.pause_writing()
    wire.transport.buffered_bytes = 900
    wire.client.send_call("FCPublish", ["camera"], expect_result=True)
    wire.deliver()
    assert wire.transport.reading
    wire.transport.buffered_bytes = 1_001
    wire.client.send_call("FCPublish", ["camera"], expect_result=True)
    wire.deliver()
    assert not wire.transport.reading
    wire.session.read_on()  # the application has caught up, the client has not
    assert not wire.transport.reading
    wire.transport.buffered_bytes = 200
    wire.session.resume_writing()
    assert wire.transport.reading
    await wire.lose()


@pytest.mark.parametrize(
    ("message", "code", "description"),
    [
        ({}, "NetConnection.Connect.Rejected", "Connection closed."),
        (
            {"code": "NetConnection.Connect.InvalidApp", "description": "No."},
            "NetConnection.Connect.InvalidApp",
            "No.",
        ),
        ({"description": gettext_lazy("No")}, "NetConnection.Connect.Rejected", "No"),
    ],
    ids=["plain", "with a code", "translated"],
)
async def test_close_before_accept_rejects(message, code, description):
    application = Recorder(accepts=False)
    wire = Wire(application)
    await wire.connect()
    await application.send({"type": "rtmp.close", **message})
    [rejected] = await wire.settle()
    assert isinstance(rejected, ConnectRejected)
    assert rejected.information["code"] == code
    assert rejected.information["description"] == description
    assert wire.transport.state == "closed"
    await wire.lose()
    assert application.types == ["rtmp.connect", "rtmp.disconnect"]


async def test_close_after_accept_says_why():
    wire, application = await connected()
    await application.send({"type": "rtmp.close", "description": gettext_lazy("Game over.")})
    [status] = await wire.settle()
    assert isinstance(status, StatusReceived)
    assert status.information == {
        "level": "status",
        "code": "NetConnection.Connect.Closed",
        "description": "Game over.",
    }
    assert wire.transport.state == "closed"
    assert application.messages[-1] == {
        "type": "rtmp.disconnect",
        "code": "NetConnection.Connect.Closed",
        "reason": "closed by the application",
    }
    await wire.lose()


@pytest.mark.parametrize(
    ("error", "reason"),
    [(None, "closed by the client"), (ConnectionResetError("reset"), "connection lost: reset")],
)
async def test_a_lost_connection_is_told_to_the_application(error, reason):
    wire, application = await connected()
    await wire.lose(error)
    assert application.messages[-1]["reason"] == reason
    assert wire.session.phase is Phase.CLOSED


async def test_what_the_application_may_not_send():
    wire, application = await connected()
    with pytest.raises(DialectError, match=r"cannot send 'rtmp\.nothing'"):
        await application.send({"type": "rtmp.nothing"})
    with pytest.raises(DialectError, match="once after"):
        await application.send({"type": "rtmp.accept"})
    with pytest.raises(LocalProtocolError):
        await application.send({"type": "rtmp.publish.accept", "message_stream_id": 1})
    wire.receive()
    for name in (5, None, b"onSay", gettext_lazy("onSay")):
        for message in ({"type": "rtmp.call"}, {"type": "rtmp.broadcast", "room": "lobby/room1"}):
            with pytest.raises(LocalProtocolError, match="a method's name is text"):
                await application.send({**message, "name": name})
    assert await wire.settle() == []
    await wire.lose()


async def open_stream(wire, command, *arguments):
    wire.client.send_create_stream()
    [created] = [event for event in wire.deliver() if isinstance(event, StreamCreated)]
    stream = created.message_stream_id
    wire.client.send_call(command, arguments, message_stream_id=stream)
    await wire.settle()
    return stream


async def test_publish_accepted_and_ended_by_the_client():
    wire, application = await connected()
    stream = await open_stream(wire, "publish", "camera?key=1", "live")
    assert application.messages[-1] == {
        "type": "rtmp.publish",
        "message_stream_id": stream,
        "stream_name": "camera",
        "publish_type": "live",
        "query_string": "key=1",
        "prefix": "",
    }
    await application.send({"type": "rtmp.publish.accept", "message_stream_id": stream})
    [status] = await wire.settle()
    assert status.information["code"] == "NetStream.Publish.Start"
    wire.client.send_message(stream, 9, 0, b"\x17\1\0\0\0")
    wire.client.send_message(stream, 8, 0, b"\xaf\1")
    await wire.settle()
    [stats] = stream_hubs.get().stats()
    assert (stats.name, stats.packets_received) == ("lobby/room1/camera", 2)
    wire.client.send_call("deleteStream", [stream])
    await wire.settle()
    assert application.messages[2:] == [
        {"type": "rtmp.unpublish", "message_stream_id": stream, "stream_name": "camera"}
    ]
    await wire.lose()
    assert application.types[2:] == ["rtmp.unpublish", "rtmp.disconnect"]


async def test_a_lost_publisher_unpublishes_before_it_disconnects():
    wire, application = await connected()
    stream = await open_stream(wire, "publish", "camera", "live")
    await application.send({"type": "rtmp.publish.accept", "message_stream_id": stream})
    await wire.lose()
    assert application.types[-2:] == ["rtmp.unpublish", "rtmp.disconnect"]


@pytest.mark.parametrize(
    ("command", "code"),
    [("publish", "NetStream.Publish.Denied"), ("play", "NetStream.Play.Failed")],
)
async def test_refused_streams_have_no_end(command, code):
    wire, application = await connected()
    stream = await open_stream(wire, command, "camera")
    refusal = {"message_stream_id": stream, "description": gettext_lazy("No")}
    await application.send({"type": f"rtmp.{command}.reject", **refusal})
    [status] = await wire.settle()
    assert (status.message_stream_id, status.information["code"]) == (stream, code)
    assert status.information["description"] == "No"
    await wire.lose()
    assert application.types == ["rtmp.connect", f"rtmp.{command}", "rtmp.disconnect"]


async def test_play_accepted_and_stopped():
    wire, application = await connected()
    stream = await open_stream(wire, "play", "camera", -2000)
    assert application.messages[-1]["start"] == -2
    await application.send({"type": "rtmp.play.accept", "message_stream_id": stream})
    codes = [e.information["code"] for e in await wire.settle() if isinstance(e, StatusReceived)]
    assert codes == ["NetStream.Play.Reset", "NetStream.Play.Start"]
    wire.client.send_call("closeStream", message_stream_id=stream)
    await wire.settle()
    assert application.types[-1] == "rtmp.stop"
    await wire.lose()
    assert application.types.count("rtmp.stop") == 1


async def test_status_and_data_both_ways():
    wire, application = await connected()
    await application.send({"type": "rtmp.status", "information": {"code": "Hello"}})
    await application.send({"type": "rtmp.data", "values": ["onHello", 1], "timestamp": 7})
    status, data = await wire.settle()
    assert (status.message_stream_id, status.information) == (0, {"code": "Hello"})
    assert isinstance(data, DataReceived)
    assert (data.values, data.timestamp) == (["onHello", 1], 7)
    wire.client.send_message(0, MessageType.DATA_AMF0, 5, data.payload)
    await wire.settle()
    message = application.messages[-1]
    assert message.pop("size") > len(data.payload)
    assert message == {"type": "rtmp.data", "values": ["onHello", 1], "timestamp": 5}
    await wire.lose()


async def test_an_application_that_runs_on_after_the_end_is_cancelled(caplog):
    cancelled = asyncio.Event()

    async def application(scope, receive, send):
        await receive()
        await send({"type": "rtmp.accept"})
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    wire, _ = await connected(application)
    await wire.lose()
    assert wire.host.log == ["started", "ending"]
    now = asyncio.get_running_loop().time()
    wire.session.deadline_reached(now + 1)
    assert not cancelled.is_set()
    wire.session.deadline_reached(now + wire.settings.disconnect_timeout + 1)
    await wire.settle()
    assert cancelled.is_set()
    assert wire.host.log == ["started", "ending", "closed"]
    assert "the application went on after the end: cancelled" in caplog.text


async def test_a_close_that_takes_too_long_is_cut():
    wire, application = await connected()
    await application.send({"type": "rtmp.close"})
    assert wire.transport.state == "closed"
    now = asyncio.get_running_loop().time()
    wire.session.deadline_reached(now + wire.settings.close_timeout + 1)
    assert wire.transport.state == "aborted"
    await wire.lose()


async def test_an_end_in_which_something_raises_is_cut_all_the_same(monkeypatch):
    never = {"ping_interval": 0.0, "ping_timeout": 0.0, "idle_timeout": 0.0}
    wire, _ = await connected(**never)
    assert wire.session.deadline_reached(clock() + 1_000_000) is None
    monkeypatch.setattr(wire.session, "_leave_hubs", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        wire.session.kick("Goodbye.")
    assert wire.transport.state == "open"
    with monkeypatch.context() as patch:
        later = clock() + wire.settings.close_timeout + 1
        patch.setattr(wire.session._loop, "time", lambda: later)
        timer_wheels.get()._tick()
    assert wire.transport.state == "aborted"
    await wire.lose()


async def test_a_protocol_broken_after_the_end_is_no_news(caplog):
    """Requests of a tunnel that wait for their turn find out when the session is over."""
    wire, recorder = await connected()
    await recorder.send({"type": "rtmp.close"})
    wire.receive()
    with caplog.at_level(logging.DEBUG):
        wire.session.broken(RemoteProtocolError("late"))
        await wire.lose()
        wire.session.broken(RemoteProtocolError("later"))
    assert "late" not in caplog.text
    assert wire.receive() == []
    assert recorder.messages[-1]["code"] == "NetConnection.Connect.Closed"


def clock():
    return asyncio.get_running_loop().time()


async def test_every_client_is_pinged_and_ended_when_it_says_nothing(caplog):
    wire, application = await connected()
    now = clock()
    for ping in (4, 8):
        wire.session.deadline_reached(now + ping + 0.1)
    assert len(wire.transport.writes) == 2
    with caplog.at_level(logging.INFO):
        assert wire.session.deadline_reached(now + 8.5) == pytest.approx(now + 9, abs=0.5)
        wire.session.deadline_reached(now + 9.1)
    wire.receive()
    assert wire.events[-1].information["code"] == "NetConnection.Connect.IdleTimeOut"
    assert "nothing received for 9 s" in caplog.text
    await wire.lose()
    assert application.messages[-1]["code"] == "NetConnection.Connect.IdleTimeOut"


async def test_an_answered_ping_keeps_the_connection_and_tells_the_round_trip(monkeypatch):
    wire, _ = await connected()
    now = clock()
    assert wire.session.round_trip is None
    wire.session.deadline_reached(now + 4.1)
    monkeypatch.setattr(wire.session._loop, "time", lambda: now + 4.15)
    await wire.settle()
    assert wire.session.round_trip in (49, 50)
    monkeypatch.undo()
    wire.session.deadline_reached(now + 9.1)
    assert wire.session.phase is Phase.OPEN
    await wire.lose()


@pytest.mark.parametrize(
    ("settings", "accept", "silence"),
    [
        ({}, {}, 9),
        ({"ping_timeout": 20.0}, {}, 20),
        ({"ping_timeout": 0.0}, {}, 600),
        ({}, {"ping_timeout": 30.0}, 30),
        ({}, {"ping_timeout": 0}, 600),
        ({"idle_timeout": 50.0}, {"ping_timeout": 0}, 50),
    ],
)
async def test_how_long_a_client_may_say_nothing(settings, accept, silence):
    wire, _ = await connected(Recorder(**accept), ping_interval=0.0, **settings)
    now = clock()
    assert wire.session.deadline_reached(now) == pytest.approx(now + silence, abs=0.5)
    wire.session.deadline_reached(now + silence + 1)
    assert wire.session.closed
    await wire.lose()


async def test_without_any_timeout_silence_is_no_reason():
    wire, _ = await connected(ping_interval=0.0, ping_timeout=0.0, idle_timeout=0.0)
    assert wire.session.deadline_reached(clock() + 1_000_000) is None
    assert wire.transport.writes == []
    assert wire.session.phase is Phase.OPEN
    await wire.lose()


@pytest.mark.parametrize(
    ("size", "buffered", "silent_for", "is_alive"),
    [
        (2_000, 0, 0.1, True),
        (500, 0, 0.1, False),  # no more than pings and the like
        (2_000, 1, 0.1, False),  # it does not take it
        (2_000, 0, 9.0, False),  # nor does its host
    ],
)
async def test_a_client_that_takes_what_it_is_sent_is_alive(size, buffered, silent_for, is_alive):
    """Load tools, and many players, never answer a ping."""
    wire, _ = await connected()
    wire.transport.silent_for = silent_for
    now = clock()
    wire.session.deadline_reached(now + 4.1)
    wire.session.write_shared(encode_call("onData", ["x" * size]))
    await asyncio.sleep(0)
    wire.transport.buffered_bytes = buffered
    wire.session.deadline_reached(now + 8.2)
    wire.session.deadline_reached(now + 9.1)
    assert wire.session.closed != is_alive
    wire.transport.buffered_bytes = 0
    for _ in range(3):
        wire.session.deadline_reached(now + 18)
    assert wire.session.closed
    await wire.lose()


async def test_who_is_read_in_ticks_is_read_at_once_while_a_ping_is_under_way(monkeypatch):
    wire, _ = await connected()
    session, transport = wire.session, wire.transport
    now = clock()
    session.read_in_ticks()
    assert (transport.gathers, transport.reads_asked) == (True, 1)
    for round_trip in (True, False):
        now += 4.1
        monkeypatch.setattr(session._loop, "time", lambda now=now: now)
        session.deadline_reached(now)
        session.read_in_ticks()
        assert not transport.gathers
        if round_trip:
            await wire.settle()
        else:
            monkeypatch.setattr(session._loop, "time", lambda now=now: now + 1)
        session.read_in_ticks()
        assert transport.gathers, "answered, or waited for long enough"
    session.read_at_once()
    assert not transport.gathers
    monkeypatch.undo()
    await wire.lose()


async def test_a_client_that_takes_what_it_is_sent_is_pinged_every_fourth_time():
    wire, _ = await connected()
    now = clock()
    pinged = []
    for turn in range(1, 8):
        wire.session.write_shared(encode_call("onData", ["x" * 2_000]))
        wire.session.flush()
        before = len(wire.transport.writes)
        wire.session.deadline_reached(now + 4.1 * turn)
        pinged.append(len(wire.transport.writes) - before)
    assert pinged == [1, 0, 0, 0, 1, 0, 0]
    before = len(wire.transport.writes)
    wire.session.deadline_reached(now + 4.1 * 8)  # nothing was sent meanwhile
    assert len(wire.transport.writes) == before + 1
    assert wire.session.phase is Phase.OPEN
    await wire.lose()


async def test_a_client_to_whom_nobody_listens_is_not_dead():
    wire, _ = await connected(Stuck(), max_queued_events=2)
    for _ in range(5):
        wire.client.send_call("more")
    wire.deliver()
    assert not wire.transport.reading
    now = clock()
    assert wire.session.deadline_reached(now + 100) is not None
    assert wire.session.phase is Phase.OPEN
    await wire.lose()


async def test_a_burst_of_commands_leaves_others_their_turn():
    """What the protocol floor answers itself (createStream) is no exception."""
    flood, _ = await connected(messages_per_turn=10)
    other, _ = await connected()
    for _ in range(45):
        flood.client.send_create_stream()
    other.client.send_create_stream()
    flood.session.data_received(flood.client.data_to_send())
    other.session.data_received(other.client.data_to_send())
    assert len(other.receive()) == 1
    answered = []
    for _ in range(7):
        answered.append(len(flood.receive()))
        if len(answered) < 5:
            assert not flood.transport.reading
        await asyncio.sleep(0)
    assert answered[:6] == [10, 10, 10, 10, 5, 0]
    assert flood.transport.reading
    await flood.lose()
    await other.lose()


async def test_of_many_that_flood_one_has_its_turn_at_a_time():
    floods = [(await connected(messages_per_turn=10))[0] for _ in range(3)]
    for flood in floods:
        for _ in range(30):
            flood.client.send_create_stream()
        flood.session.data_received(flood.client.data_to_send())
        assert len(flood.receive()) == 10
    turns = []
    for _ in range(7):
        await asyncio.sleep(0)
        turns.append([len(flood.receive()) for flood in floods])
    assert turns[:6] == [[10, 0, 0], [0, 10, 0], [0, 0, 10]] * 2
    for flood in floods:
        await flood.lose()


async def test_a_burst_behind_connect_leaves_others_their_turn():
    wire = Wire(Recorder(), messages_per_turn=10)
    wire.deliver()
    wire.deliver()
    wire.client.send_connect({"app": "lobby", "tcUrl": "rtmp://host/lobby"})
    data = wire.client.data_to_send()
    helper, _ = await connected()
    for _ in range(25):
        helper.client.send_create_stream()
    wire.session.data_received(data + helper.client.data_to_send())
    answered = []
    for _ in range(12):
        await asyncio.sleep(0)
        writes, wire.transport.writes = wire.transport.writes, []
        answered.append(sum(data.count(b"_result") for data in writes))
    assert sum(answered) == 26, "connect's answer, and each of the others"
    assert max(answered) < 26
    await wire.lose()
    await helper.lose()


async def test_the_rest_of_a_burst_waits_for_the_application():
    application = Stuck()
    wire, _ = await connected(application, messages_per_turn=10, max_queued_events=5)
    for _ in range(100):
        wire.client.send_call("more")
    wire.deliver()
    for _ in range(10):
        await asyncio.sleep(0)
    assert wire.session.connection.has_more
    assert wire.session.application._inbox.is_full
    assert not wire.transport.reading
    await wire.lose()


async def test_a_reader_that_stalls_is_cut_but_a_slow_one_is_not(caplog):
    wire, _ = await connected(stall_timeout=10, ping_timeout=1_000, ping_interval=500)
    now = asyncio.get_running_loop().time()
    wire.transport.buffered_bytes = 500
    wire.session.pause_writing()
    wire.transport.buffered_bytes = 400
    assert wire.session.deadline_reached(now + 11) == pytest.approx(now + 21, abs=1)
    assert wire.session.phase is Phase.OPEN
    with caplog.at_level(logging.INFO):
        wire.session.deadline_reached(now + 22)
    assert wire.transport.state == "aborted"
    assert "cut: nothing read for 10 s, 400 bytes wait" in caplog.text
    await wire.lose()


async def test_an_application_that_raises_and_one_that_is_cancelled(caplog):
    async def raising(scope, receive, send):
        raise RuntimeError("oops")

    wire = Wire(raising)
    rejected = await wire.connect()
    assert rejected.information["code"] == "NetConnection.Connect.Failed"
    await wire.lose()
    assert [record.message for record in caplog.records if record.levelno >= logging.INFO] == [
        "rtmp 192.0.2.1:50000 /lobby/room1: the application raised"
    ]

    wire, _ = await connected(Stuck())
    [task] = [task for task in asyncio.all_tasks() if task.get_name() == "rtmp /lobby/room1"]
    task.cancel()
    [status] = await wire.settle()
    assert status.information["code"] == "NetConnection.Connect.Closed"
    assert caplog.messages[-1] == (
        "rtmp 192.0.2.1:50000 /lobby/room1: the application was cancelled"
    )
    await wire.lose()
    assert wire.host.log == ["started", "ending", "closed"]


async def test_nothing_of_a_session_waits_for_the_garbage_collector():
    """Each would be some hundred objects, which it would have to go through again and again."""

    consumers = []

    class Lobby(AsyncRtmpConsumer):
        may_connect = ANYONE

        async def connect(self):
            consumers.append(weakref.ref(self))
            await self.accept()

    wire, _ = await connected(Lobby.as_asgi())
    session, application = weakref.ref(wire.session), weakref.ref(wire.session.application)
    gc.disable()
    try:
        await wire.lose()
        del wire
        assert [session(), application(), consumers[0]()] == [None, None, None]
    finally:
        gc.enable()
    await room_hubs.close()
