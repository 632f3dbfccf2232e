"""What a client posts costs no memory either."""

import asyncio
import hashlib
import io

import pytest

from rtmp_channels.server.request_body import PIECE, RequestBody
from tests.server.client import connection
from tests.server.conftest import HTTP
from tests.server.test_stalled_readers import ALLOWED, WEBSOCKET

MEGABYTES = 40
PIECE_SENT = bytes(range(250)) * 4_000


@pytest.fixture(scope="module")
def server(module_daphne):
    return module_daphne(HTTP)


@pytest.fixture(scope="module")
def port(server):
    server.wait_for_log("Listening on TCP address")
    return server.ports_of("Listening on TCP address")[0]


def head(path, *headers):
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]
    return "\r\n".join(lines).encode()


async def content_of(reader):
    """The body of the next response, which is chunked."""
    await reader.readuntil(b"\r\n\r\n")
    size = int(await reader.readline(), 16)
    return await reader.readexactly(size)


async def digest(port, megabytes, *headers, chunked=False):
    before = b"%x\r\n" % len(PIECE_SENT) if chunked else b""
    after = b"\r\n" if chunked else b""
    length = "Transfer-Encoding: chunked"
    if not chunked:
        length = f"Content-Length: {megabytes * len(PIECE_SENT)}"
    async with connection(port) as (reader, writer):
        writer.write(head("/digest", length, *headers))
        for _ in range(megabytes):
            writer.write(before + PIECE_SENT + after)
            await writer.drain()
        if chunked:
            writer.write(b"0\r\n\r\n")
        return await content_of(reader)


def expected(megabytes):
    sent = hashlib.sha256()
    for _ in range(megabytes):
        sent.update(PIECE_SENT)
    return f"{megabytes * len(PIECE_SENT)} {sent.hexdigest()}".encode()


@pytest.mark.parametrize(
    ("content_type", "chunked"),
    [
        ("application/x-amf", False),
        ("application/x-amf", True),
        ("application/x-www-form-urlencoded", False),
    ],
)
async def test_long_bodies_stay_in_files(server, port, content_type, chunked):
    assert await digest(port, 1) == expected(1)
    before = server.rss
    header = f"Content-Type: {content_type}"
    assert await digest(port, MEGABYTES, header, chunked=chunked) == expected(MEGABYTES)
    assert server.peak_rss - before < ALLOWED


async def test_the_body_of_an_upgrade_is_forgotten(server, port):
    assert await digest(port, 1) == expected(1)
    async with connection(port) as (reader, writer):
        size = MEGABYTES * len(PIECE_SENT)
        writer.write(WEBSOCKET.replace(b"\r\n\r\n", b"\r\nContent-Length: %d\r\n\r\n" % size))
        before = server.rss
        for _ in range(MEGABYTES):
            writer.write(PIECE_SENT)
            await writer.drain()
        assert (await reader.readline()).startswith(b"HTTP/1.1 101")
        assert server.peak_rss - before < ALLOWED


async def test_an_application_hears_that_the_client_left_before_it_had_the_whole_body():
    file, queue = io.BytesIO(), asyncio.Queue()
    file.write(bytes(3 * PIECE))
    file.seek(0)
    body = RequestBody(file, queue)
    assert body.read(100) == b""
    queue.put_nowait({"type": "http.request", "body": b"", "more_body": False})
    piece = {"type": "http.request", "body": bytes(PIECE), "more_body": True}
    assert await queue.get() == piece
    assert await queue.get() == piece
    queue.put_nowait({"type": "http.disconnect"})
    body.close()
    assert body.closed
    assert await queue.get() == {"type": "http.disconnect"}
    assert await queue.get() == {"type": "http.disconnect"}
