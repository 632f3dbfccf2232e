"""rtmps: who shakes hands counts like everybody else, and whatever breaks TLS ends in order."""

import asyncio
import socket
import ssl
import struct
from contextlib import AsyncExitStack, ExitStack

import pytest

from rtmp_channels.server.encryption import RECORD, TlsTransport
from tests.server.client import connection, rtmp_client
from tests.server.conftest import trusting_nobody
from tests.server.daphne import Daphne, daphne_command

FILES = 200
ALERT = 7
"""Bytes of the only answer to what is no TLS."""
RESET = struct.pack("ii", 1, 0)


def client_hello():
    """The first bytes of any client."""
    return Client().first


class Client:
    """TLS's other end, without a socket."""

    def __init__(self):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = trusting_nobody().wrap_bio(self.incoming, self.outgoing)
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.do_handshake()
        self.first = self.outgoing.read()


class Tcp:
    """What TlsTransport needs of a TcpTransport."""

    buffered_bytes = 0

    def __init__(self):
        self.written, self.state = b"", "open"
        self.asked = []

    def write(self, data):
        assert self.state == "open"
        self.written += data

    def join_writes(self):
        self.asked.append("join")

    def gather(self, gathers):
        self.asked.append(gathers)

    def read_now(self):
        self.asked.append("read")

    def close(self):
        self.state = "closed"

    def abort(self):
        self.state = "aborted"


class Pair:
    """A transport, and the client that it has shaken hands with."""

    def __init__(self, context):
        self.tcp, self.client = Tcp(), Client()
        self.transport = TlsTransport(self.tcp, context)
        self.to_server(self.client.first)
        self.to_client()
        self.client.tls.do_handshake()
        self.to_server()
        self.to_client()

    def to_server(self, data=None):
        return self.transport.decrypt(memoryview(data or self.client.outgoing.read()))

    def to_client(self):
        self.client.incoming.write(self.tcp.written)
        self.tcp.written = b""


@pytest.fixture
def context(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*reversed(certificate))
    return context


@pytest.fixture
def pair(context):
    return Pair(context)


@pytest.fixture
def start_rtmps(certificate):
    """Starts daphne with an rtmps endpoint, and no more files than FILES if it is limited."""
    key_file, certificate_file = certificate
    parts = f"port=0:interface=127.0.0.1:privateKey={key_file}:certKey={certificate_file}"
    command = daphne_command(f"rtmps:{parts}")
    with ExitStack() as servers:

        def start(*, limited=False):
            limit = f"ulimit -n {FILES}; " if limited else ""
            server = Daphne(["sh", "-c", f'{limit}exec "$@"', "sh", *command])
            servers.callback(server.stop)
            server.wait_for_log("Serving rtmps on")
            return server

        yield start


@pytest.mark.parametrize("size", [1, RECORD, RECORD + 1, 300_000])
def test_both_ways(pair, size):
    data = bytes(range(250)) * (size // 250 + 1)
    pair.transport.write(data[:size])
    pair.to_client()
    read = b""
    while len(read) < size:
        read += pair.client.tls.read(size)
    assert read == data[:size]
    for start in range(0, size, RECORD):
        pair.client.tls.write(data[start : min(start + RECORD, size)])
    assert pair.to_server() == data[:size]


def test_byte_by_byte(context):
    tcp, client = Tcp(), Client()
    transport = TlsTransport(tcp, context)
    for byte in client.first:
        assert transport.decrypt(memoryview(bytes([byte]))) == b""
    client.incoming.write(tcp.written)
    client.tls.do_handshake()
    client.tls.write(b"said")
    said = [transport.decrypt(memoryview(bytes([byte]))) for byte in client.outgoing.read()]
    assert b"".join(said) == b"said"


def test_nothing_is_written_before_the_handshake_and_nothing_after_the_end(context, pair):
    early = TlsTransport(tcp := Tcp(), context)
    early.write(b"to nobody")
    early.close()
    assert (tcp.written, tcp.state) == (b"", "closed")
    pair.transport.write(b"last")
    pair.transport.close()
    pair.transport.write(b"dropped")
    pair.to_client()
    assert pair.client.tls.read() == b"last"
    assert pair.client.tls.read() == b""
    assert pair.tcp.state == "closed"


def test_what_comes_may_wait_encrypted(pair):
    pair.transport.gather(True)
    pair.transport.read_now()
    pair.transport.join_writes()
    assert pair.tcp.asked == [True, "read", "join"]


def test_what_was_said_before_the_end_counts(pair):
    pair.client.tls.write(b"last")
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.tls.unwrap()
    assert pair.to_server() == b"last"
    assert (pair.transport.is_ended, pair.transport.failure) == (True, "")
    pair.transport.close()
    pair.to_client()
    pair.client.tls.unwrap()  # ours has come


def test_what_tls_cannot_write_cuts_the_connection(pair, monkeypatch):
    def fail(data):
        raise ssl.SSLError("broken")

    monkeypatch.setattr(pair.transport._tls, "write", fail)
    pair.transport.write(b"lost")
    assert (pair.tcp.written, pair.tcp.state) == (b"", "aborted")
    pair.transport.write(b"dropped")


def test_what_was_said_before_a_failure_counts(pair):
    pair.client.tls.write(b"last")
    assert pair.to_server(pair.client.outgoing.read() + b"\x17\x03\x03\x00\x20" + bytes(32)) == (
        b"last"
    )
    assert pair.transport.failure == "TLS: DECRYPTION_FAILED_OR_BAD_RECORD_MAC"
    pair.to_client()
    with pytest.raises(ssl.SSLError, match="ALERT_BAD_RECORD_MAC"):
        pair.client.tls.read()


def test_tls_that_failed_is_not_ended_once_more(pair, monkeypatch):
    """OpenSSL forbids SSL_shutdown after a failure; the alert has said it all."""
    ended = []
    monkeypatch.setattr(pair.transport._tls, "unwrap", lambda: ended.append("again"))
    pair.to_server(b"\x17\x03\x03\x00\x20" + bytes(32))
    said = pair.tcp.written
    assert pair.transport.failure
    pair.transport.close()
    assert (ended, pair.tcp.written, pair.tcp.state) == ([], said, "closed")


async def test_who_shakes_hands_is_counted(start_rtmps):
    """More than the files allow, and each stops at the same point: the memory is small change."""
    server = start_rtmps(limited=True)
    port, hello = server.port("rtmps"), client_hello()
    async with rtmp_client(port, ssl=trusting_nobody()) as client:
        await client.connect()
    before = server.rss
    async with AsyncExitStack() as crowd:
        for number in range(2 * FILES):
            _, writer = await crowd.enter_async_context(connection(port))
            writer.write(hello[: number % len(hello)])
        await asyncio.to_thread(server.wait_for_log, "refused: 100 connections are open")
        assert server.rss - before < 12_000_000
        await asyncio.to_thread(server.wait_for_log, "no complete handshake", count=FILES // 2)
    async with rtmp_client(port, ssl=trusting_nobody()) as client:
        await client.connect()
        assert await client.call("echo.echo", 1) == 1
    assert "Traceback" not in server.log
    assert "out of system resource" not in server.log


async def test_what_is_no_tls_is_one_line_in_the_log(start_rtmps):
    server = start_rtmps()
    port, hello = server.port("rtmps"), client_hello()
    nonsense = [
        b"\3" + bytes(1536),
        b"GET / HTTP/1.0\r\n\r\n",
        hello[:11] + b"\xff" * len(hello),
        b"\x16\x03\x01\x40\x01" + bytes(20_000),
    ]
    for number, said in enumerate(nonsense, start=1):
        async with connection(port) as (reader, writer):
            writer.write(said)
            async with asyncio.timeout(10):
                assert len(await reader.read()) <= ALERT
        pattern = r"rtmps 127.0.0.1:\d+: protocol error: TLS: [A-Z_]+"  # OpenSSL's own words
        await asyncio.to_thread(server.wait_for_log, pattern, count=number)
    for said in (b"", hello[:50], hello):
        async with connection(port) as (_, writer):
            writer.write(said)
            await writer.drain()
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    async with rtmp_client(port, ssl=trusting_nobody()) as client:
        await client.connect()
        assert await client.call("echo.echo", 1) == 1
    assert server.stop() == 0
    assert "Traceback" not in server.log
