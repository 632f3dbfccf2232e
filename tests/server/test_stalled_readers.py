"""A client that does not read costs memory on no door: RTMP, WebSocket, HTTP (trap 4)."""

import asyncio

import pytest

from rtmp_channels.protocol.outbound import encode_call
from tests.server.client import connection, rtmp_client
from tests.server.conftest import HTTP, RTMP, trusting_nobody
from tests.server.daphne import Daphne, daphne_command

WINDOW = 16_384
"""The receive buffer of clients that stall."""

WEBSOCKET = (
    b"GET /ws/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)

ALLOWED = 10_000_000
"""Bytes a stalled reader, or a flood, may cost."""


@pytest.fixture(scope="module")
def server():
    """One for all: what a test leaves behind is less than what the next may not exceed."""
    server = Daphne(daphne_command(RTMP, HTTP))
    yield server
    server.stop()


async def warm_up(port):
    async with rtmp_client(port) as client:
        await client.connect()
        await client.call("echo.echo", "x" * 100_000)


async def stalled(server, *, since=0):
    """Waits for the flood's end, after so many lines of the log: it must have been held up."""
    seen = len([line for line in server.lines[:since] if "flood: " in line])
    lines = await asyncio.to_thread(server.wait_for_log, "flood: ", count=seen + 1)
    assert "stalled after" in lines[seen], lines


async def test_trap_4_stalled_reader_on_rtmp(server):
    await warm_up(server.port())
    async with rtmp_client(server.port(), window=WINDOW) as client:
        before, since = server.rss, len(server.lines)
        await client.handshake()
        client.connection.send_connect({"app": "flood", "tcUrl": "rtmp://127.0.0.1/flood"})
        await client.flush()
        await stalled(server, since=since)
        assert server.rss - before < ALLOWED
        await warm_up(server.port())


async def test_trap_4_stalled_reader_on_websocket(server):
    await warm_up(server.port())
    async with connection(server.port("http"), window=WINDOW) as (reader, writer):
        before, since = server.rss, len(server.lines)
        writer.write(WEBSOCKET)
        await stalled(server, since=since)
        assert server.rss - before < ALLOWED
        assert (await reader.readline()).startswith(b"HTTP/1.1 101")


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_trap_4_stalled_reader_on_http(server, version):
    await warm_up(server.port())
    async with connection(server.port("http"), window=WINDOW) as (reader, writer):
        before, since = server.rss, len(server.lines)
        writer.write(b"GET /flood HTTP/" + version + b"\r\nHost: 127.0.0.1\r\n\r\n")
        await stalled(server, since=since)
        assert server.rss - before < ALLOWED
        assert (await reader.readline()) == b"HTTP/" + version + b" 200 OK\r\n"


async def test_flood_into_an_application_that_receives_nothing_on_websocket(server):
    await warm_up(server.port())
    async with connection(server.port("http")) as (reader, writer):
        writer.write(WEBSOCKET.replace(b"/ws/", b"/deaf"))
        await reader.readuntil(b"\r\n\r\n")
        before = server.rss
        frame = b"\x82\xff" + (500_000).to_bytes(8, "big") + bytes(4) + bytes(500_000)
        for _ in range(200):
            writer.write(frame)
            try:
                async with asyncio.timeout(1.5):
                    await writer.drain()
            except TimeoutError:
                break
        else:
            pytest.fail("the server took 100 MB for an application that receives nothing")
        assert server.rss - before < ALLOWED
        await warm_up(server.port())


async def test_slow_reader_over_http_gets_everything(server):
    async with connection(server.port("http")) as (reader, writer):
        before = server.rss
        writer.write(b"GET /flood HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        received = 0
        while data := await reader.read(1 << 20):
            received += len(data)
        assert received > 200_000_000
        assert server.rss - before < ALLOWED


async def test_responses_follow_each_other_on_one_connection(server):
    async with connection(server.port("http")) as (reader, writer):
        for _ in range(3):
            writer.write(b"GET /short HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert await reader.readuntil(b"0\r\n\r\n") == b"6\r\npiece \r\n5\r\nhello\r\n0\r\n\r\n"


async def test_back_pressure_needs_no_rtmp_endpoint(start_daphne):
    server = start_daphne(HTTP)
    server.wait_for_log("Listening on")
    [port] = server.ports_of("Listening on TCP address")
    async with connection(port, window=WINDOW) as (reader, writer):
        before, since = server.rss, len(server.lines)
        writer.write(b"GET /flood HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await stalled(server, since=since)
        assert server.rss - before < ALLOWED
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")


async def test_without_the_setting_daphne_takes_everything(start_daphne):
    """The control: what the other tests would see if there were no back-pressure."""
    server = start_daphne(HTTP, TEST_NO_BACKPRESSURE="1")
    server.wait_for_log("Listening on")
    [port] = server.ports_of("Listening on TCP address")
    async with connection(port, window=WINDOW) as (_, writer):
        before = server.rss
        writer.write(b"GET /flood HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await asyncio.to_thread(server.wait_for_log, "flood: sent everything")
        assert server.rss - before > 10 * ALLOWED


async def test_stalled_readers_over_tls(start_daphne, certificate):
    key_file, certificate_file = certificate
    tls = f"port=0:interface=127.0.0.1:privateKey={key_file}:certKey={certificate_file}"
    server = start_daphne(f"ssl:{tls}", f"rtmps:{tls}")
    rtmps, https, trust = server.port("rtmps"), server.port("https"), trusting_nobody()
    async with rtmp_client(rtmps, ssl=trust) as client:
        await client.connect()
        await client.call("echo.echo", "x" * 100_000)
    async with rtmp_client(rtmps, window=WINDOW, ssl=trust) as client:
        before = server.rss
        await client.handshake()
        client.connection.send_connect({"app": "flood", "tcUrl": "rtmps://127.0.0.1/flood"})
        await client.flush()
        await asyncio.to_thread(server.wait_for_log, "stalled after .* over rtmp")
        assert server.rss - before < ALLOWED
    for door, request in [("http", b"GET /flood HTTP/1.0\r\n\r\n"), ("websocket", WEBSOCKET)]:
        async with connection(https, ssl=trust) as (reader, writer):
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
            assert (await reader.read()).endswith(b"hello")
        async with connection(https, window=WINDOW, ssl=trust) as (_, writer):
            before = server.rss
            writer.write(request)
            await asyncio.to_thread(server.wait_for_log, f"stalled after .* over {door}")
            assert server.rss - before < ALLOWED


@pytest.mark.parametrize("application", ["stuck", "studio"])
@pytest.mark.parametrize("size", [50, 50_000, 1_000_000])
async def test_flood_into_a_stuck_application(server, application, size):
    """Into one that receives nothing, and into a consumer with a handler that does not end."""
    await warm_up(server.port())
    async with rtmp_client(server.port()) as client:
        await client.connect(application)
        client.connection.send_call("hang")
        before = server.rss
        call = encode_call("flood", ["x" * size]) * (1 + 50_000 // size)
        for _ in range(100_000_000 // len(call)):
            client.connection.send_raw(call)
            try:
                async with asyncio.timeout(1.5):
                    await client.flush()
            except TimeoutError:
                break
        else:
            pytest.fail("the server took 100 MB for a stuck application")
        assert server.rss - before < ALLOWED
        await warm_up(server.port())


async def test_stalled_reader_in_a_room_is_cut(server):
    await warm_up(server.port())
    async with (
        rtmp_client(server.port(), window=WINDOW) as stalled_client,
        rtmp_client(server.port()) as client,
    ):
        await stalled_client.connect("lobby/room1")
        await client.connect("lobby/room1")
        before = server.rss
        await client.call("shout", 100)
        [line] = server.wait_for_log("cut: it reads too slowly")
        assert "/lobby/room1" in line
        assert server.rss - before < ALLOWED


@pytest.mark.parametrize("command", ["FCPublish", "createStream"])
async def test_answers_of_the_protocol_to_a_client_that_reads_none(server, command):
    await warm_up(server.port())
    async with rtmp_client(server.port(), window=WINDOW) as client:
        await client.connect()
        before = server.rss
        client.connection.send_call(command, ["x" * 250], expect_result=True)
        calls = client.connection.data_to_send() * 200
        for _ in range(30_000_000 // len(calls)):
            client.writer.write(calls)
            try:
                async with asyncio.timeout(1.5):
                    await client.writer.drain()
            except TimeoutError:
                break
        else:
            pytest.fail("the server took 30 MB of a client that reads no answers")
        assert server.rss - before < ALLOWED
        await warm_up(server.port())
