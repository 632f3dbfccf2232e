"""What web servers and proxies may answer a tunnel's client."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from rtmp_channels.client import ConnectFailed, NetConnection
from rtmp_channels.client.posts import Posts
from tests.interop.tls import self_signed

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\n"
GONE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


@asynccontextmanager
async def web_server(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port; each connection ends when `serve` returns."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except asyncio.IncompleteReadError:
            pass  # the client closed
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)
            over.set()

    over = asyncio.Event()
    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
        async with asyncio.timeout(10):
            await over.wait()


async def request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """The next request's target and body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    assert "\r\nHost: 127.0.0.1:" in head
    assert "\r\nContent-Type: application/x-fcs\r\n" in head
    length = int(head.split("Content-Length: ")[1].split("\r\n")[0])
    return head.split(" ")[1], await reader.readexactly(length)


def answering(*answers: bytes) -> Serve:
    """A server that gives these answers on each connection, then closes it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await request(reader)
            writer.write(answer)

    return serve


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"content-length: 5\r\n\r\nhello",
        OK + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\n\r\n",
        OK + b"Connection: close\r\n\r\nhello",
        OK + b"Connection: Close\r\nContent-Length:5\r\n\r\nhello",
        b"HTTP/1.0 200\r\nContent-Length: 5\r\n\r\nhello",
    ],
    ids=["length", "chunks", "to the end", "length, closed", "HTTP/1.0"],
)
async def test_every_way_to_answer(answer):
    """The second request has to open a connection of its own."""
    async with web_server(answering(answer)) as port:
        posts = Posts("127.0.0.1", port, None)
        for _ in range(2):
            got = await posts.post("/open/1", b"\0")
            assert (got.status, got.content) == (200, b"hello")
        await posts.close()


async def test_a_connection_is_kept():
    kept = OK + b"Content-Length: 1\r\n\r\n"
    async with web_server(answering(kept + b"1", kept + b"2")) as port:
        posts = Posts("127.0.0.1", port, None)
        assert [(await posts.post("/", b"")).content for _ in range(2)] == [b"1", b"2"]
        await posts.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"220 mail.example.com ESMTP\r\n\r\n",
        OK + b"Content-Length: 1000000000000\r\n\r\n",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
        OK + b"X: " + b"x" * 100_000,
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        OK + b"Content-Length: 9\r\n\r\n../../etc",
    ],
    ids=["no HTTP", "huge", "negative", "huge chunk", "endless head", "forbidden", "no id"],
)
async def test_answers_that_open_no_session(answer):
    async with web_server(answering(answer)) as port:
        with pytest.raises(ConnectFailed, match="HTTP"):
            await NetConnection(f"rtmpt://127.0.0.1:{port}/x").connect()


async def test_a_web_server_that_closes():
    async with web_server(answering(b"HT")) as port:
        with pytest.raises(ConnectFailed, match="closed by the server"):
            await NetConnection(f"rtmpt://127.0.0.1:{port}/x").connect()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (GONE, "closed by the server"),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "HTTP 502"),
        (OK + b"Content-Length: 0\r\n\r\n", "HTTP 200 in the tunnel"),
    ],
)
async def test_sessions_end_by_an_answer(answer, reason):
    opened = OK + b"Content-Length: 4\r\n\r\nid1\n"
    async with web_server(answering(opened, answer)) as port:
        with pytest.raises(ConnectFailed, match=reason):
            await NetConnection(f"rtmpt://127.0.0.1:{port}/x").connect()


async def test_what_is_asked_in_a_session():
    """Requests are numbered; one without anything to say waits as long as it is advised."""
    seen = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        contents = [b"id-1\n", b"\x01\x03", b"\x01", b"\x01"]
        for content in contents:
            target, body = await request(reader)
            seen.append((target, len(body)))
            writer.write(OK + f"Content-Length: {len(content)}\r\n\r\n".encode() + content)
        await request(reader)
        writer.write(GONE)

    async with web_server(serve) as port:
        with pytest.raises(ConnectFailed, match="closed by the server"):
            await NetConnection(f"rtmpt://127.0.0.1:{port}/x").connect()
    assert seen == [
        ("/open/1", 1),
        ("/send/id-1/0", 1537),
        ("/idle/id-1/1", 1),
        ("/idle/id-1/2", 1),
    ]


def agreement(head: bytes) -> bytes:
    """What a server answers to the request for a WebSocket."""
    (key,) = (line[19:] for line in head.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key: "))
    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    accept = base64.b64encode(digest)
    return b"HTTP/1.1 101 X\r\nsec-websocket-accept: " + accept + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        (b"\x88\x02\x03\xe8", "closed by the server"),
        (b"\x81\x02hi", "WebSocket frame 0x81"),
        (b"", "closed by the server"),
    ],
    ids=["close", "text", "end"],
)
async def test_websockets_that_end(frames, reason):
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"GET /tunnel/?a=b HTTP/1.1\r\nHost: 127.0.0.1:")
        writer.write(agreement(head) + frames)
        await reader.readexactly(1543)

    async with web_server(serve) as port:
        tunnel = f"ws://127.0.0.1:{port}/tunnel/?a=b"
        with pytest.raises(ConnectFailed, match=reason):
            await NetConnection("rtmp://h/x", tunnel=tunnel).connect()


async def test_pings_are_answered():
    answered = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(agreement(await reader.readuntil(b"\r\n\r\n")) + b"\x89\x02hi")
        await reader.readexactly(2 + 2 + 4 + 1537)
        answered.set_result(await reader.readexactly(8))

    async with web_server(serve) as port:
        with pytest.raises(ConnectFailed):
            await NetConnection("rtmp://h/x", tunnel=f"ws://127.0.0.1:{port}/").connect()
    pong = await answered
    assert pong[:2] == b"\x8a\x82"
    assert bytes(byte ^ mask for byte, mask in zip(pong[6:], pong[2:6], strict=False)) == b"hi"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "404 Not Found"),
        (b"HTTP/1.1 101 X\r\nSec-WebSocket-Accept: AAAA\r\n\r\n", "no WebSocket there"),
        (b"SSH-2.0-OpenSSH", "closed by the server"),
        (b"x" * 20_000, "no answer in HTTP"),
    ],
)
async def test_servers_that_agree_to_no_websocket(answer, reason):
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    async with web_server(serve) as port:
        with pytest.raises(ConnectFailed, match=reason):
            await NetConnection("rtmp://h/x", tunnel=f"ws://127.0.0.1:{port}/").connect()


async def test_a_websocket_that_is_never_agreed_to():
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with web_server(serve) as port:
        tunnel = f"ws://127.0.0.1:{port}/"
        with pytest.raises(TimeoutError):
            await NetConnection("rtmp://h/x", tunnel=tunnel, timeout=0.05).connect()


async def test_over_tls(tmp_path):
    certificate, key = self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=certificate)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    async with web_server(serve, context) as port:
        https = f"rtmpts://127.0.0.1:{port}/x"
        tunnel = {"tunnel": f"wss://127.0.0.1:{port}/"}
        for url, options in ((https, {}), ("rtmp://h/x", tunnel)):
            with pytest.raises(ConnectFailed, match="403"):
                await NetConnection(url, ssl_context=trusting, **options).connect()
            with pytest.raises(ssl.SSLCertVerificationError):
                await NetConnection(url, **options).connect()
