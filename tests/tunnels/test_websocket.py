"""RTMP in the binary frames of a WebSocket."""

import asyncio
import logging

import pytest

from rtmp_channels.protocol.events import ConnectAccepted, ConnectRejected, StatusReceived
from rtmp_channels.protocol.outbound import encode_call
from rtmp_channels.routing import RtmpRouter
from rtmp_channels.tunnels.websocket import FRAME, WebSocketTunnel

from .applications import Lobby, Recorder
from .peers import FramedClient, framed_client


@pytest.fixture
def tunnel():
    return WebSocketTunnel(RtmpRouter({"lobby": Lobby.as_asgi()}))


async def test_calls_both_ways(tunnel):
    async with framed_client(tunnel) as client:
        client.methods["question"] = lambda number: number + 1
        assert isinstance(await client.connect(), ConnectAccepted)
        for value in ("hello", "x" * 300_000, [1, None]):
            assert await client.call("echo", value) == value
        assert await client.call("ask") == 43


async def test_an_application_that_does_not_exist(tunnel):
    async with framed_client(tunnel) as client:
        assert isinstance(await client.connect("nothing"), ConnectRejected)
        assert await client.receive() == {"type": "websocket.close", "code": 1000}


async def test_the_scope_says_what_the_browser_said(tunnel):
    headers = [
        (b"origin", b"http://localhost"),
        (b"cookie", b"sessionid=1"),
        (b"user-agent", b"Browser"),
        (b"sec-websocket-key", b"x"),
    ]
    async with framed_client(tunnel, headers=headers) as client:
        await client.connect(pageUrl="http://elsewhere.example/", flashVer="LNX 32")
        assert await client.call("describe") == {
            "scheme": "ws",
            "client": ["192.0.2.7", 50_000],
            "host": "example.com",
            "origin": "http://localhost",
            "cookie": "sessionid=1",
            "user-agent": "Browser",
        }


async def test_frames_of_one_byte_and_frames_of_many_messages(tunnel):
    async with framed_client(tunnel) as client:
        await client.connect()
        for number in range(50):
            client.connection.send_call("echo", [number], expect_result=True)
        data = client.connection.data_to_send()
        for at in range(len(data) // 2):
            client.send(data[at : at + 1])
        client.send(b"")
        client.send(data[len(data) // 2 :])
        assert [await client.result(number) for number in range(2, 52)] == list(range(50))


async def test_no_frame_is_longer_than_servers_send(tunnel):
    """daphne raises an error at messages of more than 1 MiB."""
    async with framed_client(tunnel) as client:
        await client.connect()
        answer = "x" * 2_000_000
        transaction_id = client.connection.send_call("echo", [answer], expect_result=True)
        client.send(client.connection.data_to_send())
        frames, data = [], b""
        while len(data) < len(answer):
            frames.append((await client.receive())["bytes"])
            data += frames[-1]
        assert max(map(len, frames)) == FRAME
        client.take(data)
        assert await client.result(transaction_id) == answer


async def test_a_text_frame_ends_it(tunnel, caplog):
    async with framed_client(tunnel) as client:
        await client.connect()
        with caplog.at_level(logging.INFO):
            client.to_server.put_nowait({"type": "websocket.receive", "text": "hello"})
            assert await client.receive() == {"type": "websocket.close", "code": 1003}
        assert "ws 192.0.2.7:50000 /lobby/room1: a text frame in a tunnel" in caplog.text


@pytest.mark.parametrize(
    ("offered", "chosen"), [([], None), (["chat"], None), (["chat", "binary"], "binary")]
)
async def test_subprotocols(tunnel, offered, chosen):
    client = FramedClient(tunnel, subprotocols=offered)
    assert await client.receive() == {"type": "websocket.accept", "subprotocol": chosen}
    client.to_server.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await client.task


@pytest.mark.parametrize(
    ("allowed", "origin", "is_allowed"),
    [
        (None, None, True),
        (None, b"http://localhost:8000", True),
        (None, b"https://evil.example", False),
        (None, b"null", False),
        (None, b"http://[", False),
        (["https://evil.example"], b"https://evil.example", True),
        (["https://evil.example"], b"http://evil.example", False),
        (["*"], b"null", True),
    ],
)
async def test_origins(allowed, origin, is_allowed, sessions):
    recorder = Recorder()
    headers = [(b"origin", origin)] if origin else []
    tunnel = WebSocketTunnel(recorder, allowed_origins=allowed)
    client = FramedClient(tunnel, headers=headers)
    answer = (await client.receive())["type"]
    assert answer == ("websocket.accept" if is_allowed else "websocket.close")
    assert len(sessions) == is_allowed
    client.to_server.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await client.task


async def test_limits_of_connections_hold_here_too(tunnel, settings):
    settings.RTMP_CHANNELS = {"MAX_CONNECTIONS": 1}
    async with framed_client(tunnel):
        refused = FramedClient(tunnel)
        assert await refused.receive() == {"type": "websocket.close"}
        await refused.task


async def test_a_reader_that_stalls_makes_the_application_wait(settings):
    settings.RTMP_CHANNELS = {"WRITE_HIGH_WATER": 100_000}
    recorder = Recorder()
    async with framed_client(WebSocketTunnel(recorder)) as client:
        await client.connect()
        client.is_read.clear()
        sent = 0

        async def send_megabytes():
            nonlocal sent
            for _ in range(40):
                await recorder.send({"type": "rtmp.data", "values": ["onData", bytes(50_000)]})
                sent += 1

        sending = asyncio.create_task(send_megabytes())
        for _ in range(200):
            await asyncio.sleep(0)
        assert sent < 6
        client.is_read.set()
        await sending
        assert sent == 40


async def test_an_application_that_stalls_makes_the_client_wait(settings, sessions):
    settings.RTMP_CHANNELS = {"MAX_QUEUED_BYTES": 10_000}
    client = FramedClient(WebSocketTunnel(Lobby.as_asgi()))
    await client.receive()
    await client.connect()
    client.connection.send_call("hang")
    client.send(client.connection.data_to_send())
    for _ in range(200):
        client.connection.send_call("echo", ["x" * 5_000])
        client.send(client.connection.data_to_send())
    for _ in range(200):
        await asyncio.sleep(0)
    assert client.to_server.qsize() > 150
    client.task.cancel()  # as daphne does some time after the client has left
    await asyncio.gather(client.task, return_exceptions=True)
    (session,) = sessions
    assert session.closed


async def test_a_reader_that_stalls_for_ever_is_cut(settings, sessions):
    settings.RTMP_CHANNELS = {"WRITE_HIGH_WATER": 10_000, "MAX_UNSENT_BYTES": 50_000}
    async with framed_client(WebSocketTunnel(Recorder())) as client:
        await client.connect()
        client.is_read.clear()
        (session,) = sessions
        for _ in range(10):
            session.write_shared(bytes(20_000))
            await asyncio.sleep(0)
        assert session.closed
        while (await client.receive())["type"] != "websocket.close":
            pass
        client.is_read.set()
        await client.task
        assert len(sessions) == 0


async def test_the_client_leaves(sessions):
    recorder = Recorder()
    async with framed_client(WebSocketTunnel(recorder)) as client:
        await client.connect()
    await recorder.is_over.wait()
    assert recorder.messages[-1]["reason"] == "closed by the client"
    assert client.to_client.empty(), "nothing is sent to who is gone"
    assert len(sessions) == 0


@pytest.mark.parametrize("is_cancelled", [False, True], ids=["ended", "cancelled, as daphne does"])
async def test_the_client_is_told_that_the_server_stops(sessions, is_cancelled):
    client = FramedClient(WebSocketTunnel(Recorder()))
    await client.receive()
    await client.connect()
    sessions.end_all()
    if is_cancelled:
        client.task.cancel()
    await client.exchange()
    status = await client.wait_for(StatusReceived)
    assert status.information["code"] == "NetConnection.Connect.AppShutdown"
    assert await client.receive() == {"type": "websocket.close", "code": 1000}
    await asyncio.gather(client.task, return_exceptions=True)
    assert client.task.cancelled() == is_cancelled
    await sessions.all_closed(60)


async def test_what_is_no_rtmp_ends_the_session(tunnel, caplog):
    async with framed_client(tunnel) as client:
        with caplog.at_level(logging.INFO):
            client.send(b"GET / HTTP/1.1\r\n\r\n" * 200)
            assert (await client.receive())["type"] == "websocket.close"
        assert "handshake: version 3 expected" in caplog.text


async def test_that_daphne_takes_what_is_sent_is_no_sign_of_life(sessions):
    """It would keep seconds of a stream for a host that is gone, and so would the kernel."""
    async with framed_client(WebSocketTunnel(Recorder())) as client:
        await client.connect()
        (session,) = sessions
        now = asyncio.get_running_loop().time()
        session.deadline_reached(now + 4.1)
        session.write_shared(encode_call("onData", ["x" * 5_000]))
        while session.buffered_bytes:
            await asyncio.sleep(0)
        session.deadline_reached(now + 8.2)
        session.deadline_reached(now + 9.1)
        assert session.closed
