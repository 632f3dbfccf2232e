"""RTMP in numbered HTTP requests."""

import asyncio
import logging
import re

import pytest

from rtmp_channels.counters import Limit, counters
from rtmp_channels.protocol.events import ConnectAccepted, StatusReceived
from rtmp_channels.routing import RtmpRouter
from rtmp_channels.tunnels.polled import INTERVALS
from rtmp_channels.tunnels.rtmpt import RtmptTunnel

from .applications import Lobby, Recorder, pages
from .peers import PollingClient, http_scope, post


@pytest.fixture
def tunnel():
    return RtmptTunnel(RtmpRouter({"lobby": Lobby.as_asgi()}), pages)


async def opened(application, **options):
    return await PollingClient(RtmptTunnel(application, pages), **options).open()


async def test_open_gives_an_id_that_nobody_can_guess(tunnel):
    responses = [await post(tunnel, "/open/1") for _ in range(20)]
    for response in responses:
        assert response.headers[b"content-type"] == b"application/x-fcs"
        assert response.headers[b"cache-control"] == b"no-cache"
        assert int(response.headers[b"content-length"]) == len(response.content)
        assert re.fullmatch(rb"[\w-]{16}\n", response.content)
    assert len({response.content for response in responses}) == 20


@pytest.mark.parametrize("path", ["/fcs/ident2", "/fcs/ident", "/idle/unknown/0", "/send/a/1"])
async def test_what_is_not_there_is_a_404(tunnel, path):
    response = await post(tunnel, path)
    assert (response.status, response.content) == (404, b"")


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("/open/1", {"method": "GET"}),
        ("/open/1", {"content_type": b"text/plain"}),
        ("/open/picture.flv", {}),
        ("/idle/not/a/number", {}),
        ("/close/x/-1", {}),
        ("/", {}),
    ],
)
async def test_everything_else_is_the_sites(tunnel, path, options):
    response = await post(tunnel, path, **options)
    assert (response.status, response.content) == (200, path.encode())


async def test_calls_both_ways(tunnel):
    client = await PollingClient(tunnel).open()
    client.methods["question"] = lambda number: number + 1
    assert isinstance(await client.connect(), ConnectAccepted)
    for value in ("hello", "x" * 300_000, [1, None]):
        assert await client.call("echo", value) == value
    assert await client.call("ask") == 43
    assert await client.call("describe") == {
        "scheme": "rtmpt",
        "client": ["192.0.2.7", 50_000],
        "host": "example.com",
    }


async def test_bodies_of_one_byte(tunnel):
    client = await PollingClient(tunnel).open()
    data = client.connection.data_to_send()
    for at in range(len(data)):
        response = await client.post("send", data[at : at + 1])
        client.take(response.content[1:])
    await client.connect()
    assert await client.call("echo", 1) == 1


async def test_the_interval_grows_while_nothing_is_said(tunnel, settings):
    settings.RTMP_CHANNELS = {"TUNNEL_HOLD": 0.0}
    client = await PollingClient(tunnel).open()
    await client.connect()
    intervals = [(await client.post("idle")).content[0] for _ in range(80)]
    assert sorted(set(intervals)) == list(INTERVALS)
    assert intervals == sorted(intervals)
    await client.call("echo", 1)
    assert client.interval == INTERVALS[0]


async def test_an_idle_request_is_held_until_there_is_something(settings):
    settings.RTMP_CHANNELS = {"TUNNEL_HOLD": 60.0}
    recorder = Recorder()
    client = await opened(recorder)
    await client.connect()
    waiting = asyncio.create_task(client.post("idle"))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    await recorder.send({"type": "rtmp.call", "name": "news"})
    response = await asyncio.wait_for(waiting, 20)
    assert b"news" in response.content


# numbers


@pytest.mark.parametrize("first", [0, 1])
async def test_numbers_begin_with_0_or_1(tunnel, first):
    client = await PollingClient(tunnel, first=first).open()
    await client.connect()
    assert await client.call("echo", first) == first


@pytest.mark.parametrize("number", [0, 3, 99])
async def test_a_number_out_of_turn_ends_the_session(tunnel, sessions, caplog, number):
    client = await PollingClient(tunnel).open()
    for _ in range(2):
        await client.post("idle")
    with caplog.at_level(logging.INFO):
        assert (await client.post("idle", number=number)).status == 400
    assert f"RTMPT: request {number} after 1" in caplog.text
    await asyncio.sleep(0)
    assert len(sessions) == 0
    assert (await client.post("idle")).status == 404


async def test_the_first_number_is_checked_too(tunnel):
    client = await PollingClient(tunnel, first=7).open()
    assert (await client.post("idle")).status == 400


async def test_a_request_that_comes_again_is_answered_again_and_taken_once(settings):
    settings.RTMP_CHANNELS = {"TUNNEL_HOLD": 0.0}
    recorder = Recorder()
    client = await opened(recorder)
    await client.connect()
    client.connection.send_call("only once")
    data = client.connection.data_to_send()
    await recorder.send({"type": "rtmp.call", "name": "news"})
    first = await client.post("send", data)
    again = await client.post("send", data, number=client.number - 1)
    assert (again.status, again.content) == (200, first.content)
    assert b"news" in first.content
    assert (await client.post("idle")).content == b"\1"
    assert [message["name"] for message in recorder.messages] == ["only once"]


async def test_an_answer_too_long_to_be_kept_cannot_be_asked_for_again(settings):
    """What was in it is lost, and with it the session."""
    settings.RTMP_CHANNELS = {"TUNNEL_HOLD": 0.0, "WRITE_HIGH_WATER": 10_000}
    recorder = Recorder()
    client = await opened(recorder)
    await client.connect()
    news = {"type": "rtmp.call", "name": "news", "arguments": ["x" * 20_000]}
    sending = asyncio.create_task(recorder.send(news))
    first = await client.post("idle")
    await sending
    assert len(first.content) > 20_000
    again = await client.post("idle", number=client.number - 1)
    assert (again.status, again.content) == (400, b"")
    await asyncio.sleep(0)
    assert (await client.post("idle")).status == 404


async def test_requests_at_the_same_time_take_turns(tunnel):
    client = await PollingClient(tunnel).open()
    await client.connect()
    requests = []
    for number in range(20):
        client.connection.send_call("echo", [number], expect_result=True)
        requests.append(client.post("send", client.connection.data_to_send()))
    for response in await asyncio.gather(*requests):
        client.take(response.content[1:])
    assert [await client.result(number) for number in range(2, 22)] == list(range(20))


# limits and endings


async def test_a_body_that_is_too_long(tunnel, settings, caplog):
    settings.RTMP_CHANNELS = {"TUNNEL_REQUEST_BYTES": 10_000}
    client = await PollingClient(tunnel).open()
    with caplog.at_level(logging.INFO):
        assert (await client.post("send", bytes(10_001))).status == 413
    assert "RTMPT: a request of more than 10000 bytes" in caplog.text
    await asyncio.sleep(0)
    assert (await client.post("idle")).status == 404


async def test_input_that_the_application_does_not_take_is_bounded(tunnel, settings, caplog):
    settings.RTMP_CHANNELS = {
        "TUNNEL_REQUEST_BYTES": 200_000,
        "TUNNEL_TIMEOUT": 0.05,
        "MAX_QUEUED_BYTES": 10_000,
    }
    client = await PollingClient(tunnel).open()
    await client.connect()
    client.connection.send_call("hang")
    statuses = []
    with caplog.at_level(logging.INFO):
        for _ in range(20):
            client.connection.send_call("echo", ["x" * 50_000])
            statuses.append((await client.post("send", client.connection.data_to_send())).status)
            if statuses[-1] != 200:
                break
    assert statuses[-1] in (200, 404)
    assert len(statuses) < 12
    assert "RTMPT: more than 200000 bytes wait to be read" in caplog.text


async def test_a_client_that_stays_away_is_gone(settings, sessions, caplog):
    caplog.set_level(logging.INFO, "rtmp_channels")
    before = counters[Limit.IDLE_TIME]
    settings.RTMP_CHANNELS = {"TUNNEL_TIMEOUT": 5.0}
    recorder = Recorder()
    client = await opened(recorder)
    await client.connect()
    (transport,) = client.application._transports.values()
    now = asyncio.get_running_loop().time()
    assert transport.deadline_reached(now + 4) == pytest.approx(now + 5, abs=1)
    assert transport.deadline_reached(now + 6) is None
    await recorder.is_over.wait()
    assert recorder.messages[-1]["reason"] == "no request for 5 s"
    assert "rtmpt 192.0.2.7:50000 /lobby/room1: no request for 5 s" in caplog.messages
    assert counters[Limit.IDLE_TIME] == before + 1
    await asyncio.sleep(0)
    assert (await client.post("idle")).status == 404


async def test_a_request_under_way_keeps_its_session(settings):
    """Held for longer than a client may stay away, as is one whose answer is read slowly."""
    settings.RTMP_CHANNELS = {"TUNNEL_TIMEOUT": 5.0, "TUNNEL_HOLD": 60.0}
    recorder = Recorder()
    client = await opened(recorder)
    await client.connect()
    (transport,) = client.application._transports.values()
    waiting = asyncio.create_task(client.post("idle"))
    for _ in range(20):
        await asyncio.sleep(0)
    later = asyncio.get_running_loop().time() + 1_000
    assert transport.deadline_reached(later) == later + 5
    assert not waiting.done()
    await recorder.send({"type": "rtmp.call", "name": "news"})
    assert b"news" in (await waiting).content
    assert transport.deadline_reached(later) is None  # it has stayed away since


async def test_those_who_open_and_stay_away_stop_no_clock(tunnel, settings, sessions, caplog):
    """Handshake and tunnel have the same deadline, and one ends the other."""
    settings.RTMP_CHANNELS = {"TUNNEL_TIMEOUT": 0.1, "HANDSHAKE_TIMEOUT": 0.1}
    for _ in range(2):
        for _ in range(10):
            assert (await post(tunnel, "/open/1")).status == 200
        async with asyncio.timeout(10):
            while len(sessions):
                await asyncio.sleep(0.05)
    assert all(record.exc_info is None for record in caplog.records)


async def test_a_client_that_does_not_ask_makes_the_application_wait(settings):
    settings.RTMP_CHANNELS = {"WRITE_HIGH_WATER": 100_000}
    recorder = Recorder()
    client = await opened(recorder)
    await client.connect()
    (transport,) = client.application._transports.values()
    sent = 0

    async def send_megabytes():
        nonlocal sent
        for _ in range(100):
            await recorder.send({"type": "rtmp.data", "values": ["onData", bytes(50_000)]})
            sent += 1

    sending = asyncio.create_task(send_megabytes())
    for _ in range(200):
        await asyncio.sleep(0)
    assert sent < 5
    assert transport.buffered_bytes < 200_000
    while not sending.done():
        client.take((await client.post("idle")).content[1:])
    assert sent == 100


async def test_an_answer_that_is_not_read_counts_as_unsent(settings):
    settings.RTMP_CHANNELS = {"WRITE_HIGH_WATER": 100_000}
    recorder = Recorder()
    client = await opened(recorder)
    await client.connect()
    (transport,) = client.application._transports.values()
    await recorder.send({"type": "rtmp.data", "values": ["onData", bytes(50_000)]})
    await asyncio.sleep(0)
    is_read = asyncio.Event()

    async def send(message):
        if message.get("more_body"):
            await is_read.wait()

    path = f"/idle/{client.id}/{client.number}"
    stalled = asyncio.create_task(post(client.application, path, send=send))
    for _ in range(20):
        await asyncio.sleep(0)
    assert transport.buffered_bytes > 50_000
    is_read.set()
    await stalled
    assert transport.buffered_bytes == 0


async def test_a_reader_that_is_overrun_is_cut(settings, sessions, caplog):
    settings.RTMP_CHANNELS = {"WRITE_HIGH_WATER": 10_000, "MAX_UNSENT_BYTES": 50_000}
    client = await opened(Recorder())
    await client.connect()
    (session,) = sessions
    for _ in range(10):
        session.write_shared(bytes(20_000))
    assert session.closed
    assert "it reads too slowly" in caplog.text
    await asyncio.sleep(0)
    assert (await client.post("idle")).status == 404


async def test_close(sessions):
    recorder = Recorder()
    client = await opened(recorder)
    await client.connect()
    response = await client.post("close")
    assert (response.status, response.content) == (200, b"\0")
    await recorder.is_over.wait()
    assert recorder.messages[-1]["reason"] == "closed by the client"
    assert (await client.post("idle")).status == 404


async def test_what_the_server_says_last_is_fetched(sessions):
    client = await opened(Recorder())
    await client.connect()
    sessions.end_all()
    await client.exchange()
    status = await client.wait_for(StatusReceived)
    assert status.information["code"] == "NetConnection.Connect.AppShutdown"
    assert (await client.post("idle")).status == 404
    await sessions.all_closed(60)


async def test_limits_of_connections_hold_here_too(tunnel, settings):
    settings.RTMP_CHANNELS = {"MAX_CONNECTIONS": 2}
    statuses = [(await post(tunnel, "/open/1")).status for _ in range(3)]
    assert statuses == [200, 200, 503]


async def test_what_is_no_rtmp_ends_the_session(tunnel, caplog):
    client = await PollingClient(tunnel).open()
    with caplog.at_level(logging.INFO):
        await client.post("send", b"GET / HTTP/1.1\r\n\r\n" * 200)
    assert "handshake: version 3 expected" in caplog.text
    assert (await client.post("idle")).status == 404


async def test_a_request_that_is_cut_short_loses_the_connection(tunnel, sessions):
    client = await PollingClient(tunnel).open()
    messages = [
        {"type": "http.request", "body": b"\3", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive():
        return messages.pop(0)

    await tunnel(http_scope(f"/send/{client.id}/0"), receive, None)
    assert len(sessions) == 0


async def test_a_request_whose_body_does_not_come_loses_the_connection(settings, sessions, caplog):
    caplog.set_level(logging.INFO, "rtmp_channels")
    settings.RTMP_CHANNELS = {"TUNNEL_TIMEOUT": 0.05}
    client = await opened(Recorder())
    before = counters[Limit.IDLE_TIME]
    messages = [{"type": "http.request", "body": b"\3", "more_body": True}]

    async def receive():
        return messages.pop(0) if messages else await asyncio.Event().wait()

    await client.application(http_scope(f"/send/{client.id}/0"), receive, None)
    assert len(sessions) == 0
    assert "no complete request within 0.05 s" in caplog.text
    assert counters[Limit.IDLE_TIME] == before + 1


@pytest.mark.parametrize("turns", [1, 50], ids=["begun", "waiting"])
async def test_a_request_that_a_stopping_server_cancels_is_answered(settings, sessions, turns):
    settings.RTMP_CHANNELS = {"TUNNEL_HOLD": 60.0}
    client = await opened(Recorder())
    await client.connect()
    waiting = asyncio.create_task(client.post("idle"))
    for _ in range(turns):
        await asyncio.sleep(0)
    sessions.end_all()
    waiting.cancel()
    client.take((await waiting).content[1:])
    status = await client.wait_for(StatusReceived)
    assert status.information["code"] == "NetConnection.Connect.AppShutdown"


async def test_a_waiting_request_that_is_cancelled_otherwise_is_not(settings):
    settings.RTMP_CHANNELS = {"TUNNEL_HOLD": 60.0}
    client = await opened(Recorder())
    await client.connect()
    waiting = asyncio.create_task(client.post("idle"))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
