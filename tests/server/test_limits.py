"""Every limit on clients: what it does, its line in the log, its counter."""

import asyncio
import logging

import pytest

from rtmp_channels.consumers import AsyncRtmpConsumer, remote
from rtmp_channels.counters import Counters, Limit, counters
from rtmp_channels.open_sessions import open_sessions
from rtmp_channels.permissions import ANYONE
from rtmp_channels.phase import Phase
from rtmp_channels.protocol.chunk import Message, serialize_message
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.events import ConnectAccepted, ResultReceived
from rtmp_channels.protocol.shared_object import RequestChange, SharedObjectMessage, Use
from tests.server.test_session import Recorder
from tests.server.wire import PEER, FakeTransport, Wire


@pytest.fixture
def met(caplog):
    """How often limits were met in this test so far; beside it, the lines that were logged."""
    caplog.set_level(logging.DEBUG, "rtmp_channels")
    before = counters.snapshot()

    def met():
        now = counters.snapshot()
        return {
            name: now[name] - before.get(name, 0) for name in now if now[name] != before.get(name)
        }

    met.lines = lambda: [record.getMessage().split(": ", 1)[1] for record in caplog.records]
    return met


async def connected(application=None, **settings):
    wire = Wire(application or Recorder(), **settings)
    event = await wire.connect()
    while not isinstance(event, ConnectAccepted):  # consumers take a thread's time
        await asyncio.sleep(0.001)
        [event] = wire.receive() or [event]
    return wire


async def passes(wire, seconds):
    """The time is up, as far as the session's clock is concerned."""
    now = asyncio.get_running_loop().time() + seconds
    wire.session.deadline_reached(now)
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("max_connections", "refused: 1 connections are open"),
        ("max_connections_per_address", "refused: 1 connections from that address are open"),
    ],
)
async def test_connections(met, setting, reason):
    sessions = open_sessions.get()
    settings = Wire(Recorder(), **{setting: 1}).settings
    opened = [
        sessions.open(FakeTransport(), Recorder(), peer=PEER, settings=settings) for _ in range(3)
    ]
    assert [session is not None for session in opened] == [True, False, False]
    assert met() == {setting.removeprefix("max_"): 2}
    assert met.lines() == [reason]
    opened[0].cut()
    opened[0].connection_lost(None)


async def test_handshake_time(met):
    wire = Wire(Recorder(), handshake_timeout=7.0)
    await passes(wire, 7)
    assert (wire.session.phase, met()) == (Phase.CLOSING, {"handshake_time": 1})
    assert met.lines() == ["no complete handshake within 7 s"]
    await wire.lose()


async def test_connect_time(met):
    wire = Wire(Recorder(), connect_timeout=7.0)
    wire.deliver()
    wire.deliver()
    assert wire.session.phase is Phase.CONNECT
    await passes(wire, 7)
    assert met() == {"connect_time": 1}
    assert met.lines() == ["no connect command within 7 s"]
    await wire.lose()


async def test_accept_time(met):
    wire = Wire(Recorder(accepts=False), accept_timeout=7.0)
    wire.deliver()
    wire.deliver()
    wire.client.send_connect({"app": "lobby", "tcUrl": "rtmp://host/lobby"})
    await wire.settle()
    await passes(wire, 7)
    assert met() == {"accept_time": 1}
    assert met.lines() == ["the application did not accept within 7 s"]
    await wire.lose()


async def test_idle_time(met):
    wire = await connected(ping_timeout=7.0, ping_interval=0.0)
    await passes(wire, 7)
    assert met() == {"idle_time": 1}
    assert met.lines() == ["nothing received for 7 s"]
    await wire.lose()


async def test_stall_time(met):
    wire = await connected(stall_timeout=7.0, ping_interval=0.0, ping_timeout=0.0)
    wire.transport.buffered_bytes = 5_000
    wire.session.pause_writing()
    await passes(wire, 7)
    assert (wire.transport.state, met()) == ("aborted", {"stall_time": 1})
    assert met.lines() == ["cut: nothing read for 7 s, 5000 bytes wait"]
    await wire.lose()


async def test_unsent_bytes(met):
    wire = await connected(max_unsent_bytes=1_000)
    wire.transport.buffered_bytes = 900
    wire.session.pause_writing()
    wire.session.write_shared(bytes(200))
    assert (wire.transport.state, met()) == ("aborted", {"unsent_bytes": 1})
    assert met.lines() == ["cut: it reads too slowly, 1100 bytes wait"]
    await wire.lose()


def begun(length, chunk_stream_id):
    """The first chunk of a message, without the others; the client's chunks are 65,536 long."""
    message = Message(MessageType.DATA_AMF0, 0, 0, bytes(length))
    data = serialize_message(message, chunk_stream_id=chunk_stream_id, chunk_size=65_536)
    return data[: 12 + 65_536]


@pytest.mark.parametrize(
    ("settings", "data", "limit", "reason"),
    [
        (
            {"max_message_length": 70_000},
            begun(70_001, 3),
            "message_length",
            "a message of 70001 bytes (70000 at most)",
        ),
        (
            {"max_chunk_streams": 3},
            b"".join(begun(70_000, number) for number in (2, 3, 4, 5)),
            "chunk_streams",
            "more than 3 chunk streams",
        ),
        (
            {"max_partial_bytes": 140_000},
            b"".join(begun(70_000, number) for number in (3, 4, 5)),
            "partial_bytes",
            "more than 140000 bytes of unfinished messages",
        ),
        ({}, b"\xca", "protocol", "chunk stream 10: format 3 before any header"),
    ],
    ids=["message length", "chunk streams", "partial bytes", "anything else"],
)
async def test_what_the_protocol_floor_refuses(met, settings, data, limit, reason):
    wire = await connected(**settings)
    wire.session.data_received(data)
    await wire.settle()
    assert (wire.session.phase, met()) == (Phase.CLOSING, {limit: 1})
    assert met.lines() == [f"protocol error: {reason}"]
    await wire.lose()


def codes(events):
    """What the client's calls were answered: "" for results."""
    answers = [event for event in events if isinstance(event, ResultReceived)]
    return [event.values[0]["code"] if event.is_error else "" for event in answers]


async def answers(wire, count):
    """At least so many events: consumers may take a thread's time."""
    events = await wire.settle()
    while len(events) < count:
        await asyncio.sleep(0.001)
        events += await wire.settle()
    return events


class Echo(AsyncRtmpConsumer):
    may_connect = may_call = ANYONE

    @remote
    async def echo(self, value):
        return value


async def test_calls_per_second(met):
    wire = await connected(Echo.as_asgi(), max_calls_per_second=3)
    for _ in range(5):
        wire.client.send_call("echo", ["x"], expect_result=True)
    wire.client.send_call("echo", ["nobody hears of it"])
    events = await answers(wire, 5)
    assert sorted(codes(events)) == ["", "", "", "Client.Throttled", "Client.Throttled"]
    assert met() == {"calls_per_second": 3}
    assert met.lines() == ["calls refused: more than 3 calls in a second"]
    await wire.lose()


async def test_calls_in_flight(met):
    application = Recorder()
    wire = await connected(application, max_calls_in_flight=2)
    for _ in range(4):
        wire.client.send_call("slow", [], expect_result=True)
    wire.client.send_call("slow")  # wants no answer
    assert codes(await wire.settle()) == ["Server.Busy", "Server.Busy"]
    calls = [message for message in application.messages if message["type"] == "rtmp.call"]
    assert [call["transaction_id"] > 0 for call in calls] == [True, True, False]
    for call, kind in zip(calls, ("result", "error"), strict=False):
        answer = {"type": f"rtmp.{kind}", "transaction_id": call["transaction_id"]}
        await application.send({**answer, "value": 1, "information": {"code": "No"}})
    for _ in range(2):
        wire.client.send_call("slow", [], expect_result=True)
    assert codes(await wire.settle()) == ["", "No"]
    assert met() == {"calls_in_flight": 2}
    assert met.lines() == ["calls refused: 2 calls are not answered yet"]
    await wire.lose()


async def test_pending_calls(met):
    application = Recorder()
    wire = await connected(application, max_pending_calls=2)
    for number in range(1, 5):
        await application.send({"type": "rtmp.call", "name": "ask", "transaction_id": number})
    assert met() == {"pending_calls": 2}
    assert met.lines() == ["2 calls to it wait: the oldest is forgotten"]
    await wire.lose()


class Deaf(Recorder):
    """Accepts and takes nothing more."""

    async def __call__(self, scope, receive, send):
        await receive()
        await send({"type": "rtmp.accept"})
        await asyncio.Event().wait()


@pytest.mark.parametrize("setting", ["max_queued_events", "max_queued_bytes"])
async def test_queued(met, setting):
    wire = await connected(Deaf(), **{setting: 3})
    for _ in range(4):
        wire.client.send_call("x")
    await wire.settle()
    assert (wire.transport.reading, met()["queued"] >= 1) == (False, True)
    assert met.lines()[0] == "is not read until the application has caught up"
    wire.session.application.cancel()
    await wire.lose()


async def test_calls_that_wait_for_handlers(met, settings):
    """The consumer's own queue: an answer may be behind the calls that are refused."""
    settings.RTMP_CHANNELS = {**settings.RTMP_CHANNELS, "MAX_QUEUED_EVENTS": 2}

    class Asking(AsyncRtmpConsumer):
        may_connect = may_call = ANYONE

        @remote
        async def ask(self):
            return await self.call("question")

    wire = await connected(Asking.as_asgi())
    for _ in range(6):
        wire.client.send_call("ask", [], expect_result=True)
    assert set(codes(await answers(wire, 1))) == {"Server.Busy"}
    assert met()["calls_in_flight"] >= 1
    assert met.lines()[0] == "too many calls wait for handlers"
    await wire.lose()


async def test_shared_objects_that_wait_for_the_application(met, settings):
    rules = {"WAITING_MESSAGES": 4}
    settings.RTMP_CHANNELS = {**settings.RTMP_CHANNELS, "SHARED_OBJECTS": rules}
    wire = await connected()
    events = (Use(),), *[(RequestChange((("slot", number),)),) for number in range(5)]
    for one in events:
        wire.client.send_shared_object(SharedObjectMessage("board", 0, 0, one, 0))
    await wire.settle()
    assert (wire.session.phase, met()) == (Phase.CLOSING, {"unanswered": 1})
    assert met.lines()[-1].startswith("shared object 'board': 5 shared-object messages")
    await wire.lose()


def test_counters():
    counters = Counters()
    assert counters.snapshot() == {}
    for limit in (Limit.IDLE_TIME, Limit.CONNECTIONS, Limit.IDLE_TIME):
        counters.count(limit)
    assert counters.snapshot() == {"connections": 1, "idle_time": 2}
    assert (counters[Limit.IDLE_TIME], counters[Limit.LOGINS]) == (2, 0)
