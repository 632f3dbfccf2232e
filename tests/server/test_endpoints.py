"""What `daphne -e` and `manage.py runserver` open."""

import gc
import socket
import sys

import pytest

from rtmp_channels.server.endpoint import collect_rarely
from tests.server.client import connection, rtmp_client
from tests.server.conftest import HTTP, RTMP, trusting_nobody
from tests.server.daphne import Daphne


@pytest.fixture
def taken_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


async def test_daphne_serves_http_rtmp_and_rtmps(start_daphne, certificate):
    key_file, certificate_file = certificate
    rtmps = f"rtmps:port=0:interface=127.0.0.1:privateKey={key_file}:certKey={certificate_file}"
    server = start_daphne(HTTP, RTMP, rtmps)
    async with connection(server.port("http")) as (reader, writer):
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        assert (await reader.read()).endswith(b"\r\n\r\nhello")
    async with rtmp_client(server.port()) as client:
        await client.connect()
        assert await client.call("echo.echo", "plain") == "plain"
    async with rtmp_client(server.port("rtmps"), ssl=trusting_nobody()) as client:
        await client.connect()
        assert await client.call("echo.echo", "x" * 300_000) == "x" * 300_000
        client.methods["ping2"] = lambda text: text
        assert await client.call("callme") == "are you there"
    assert server.stop() == 0


async def test_plain_bytes_on_the_tls_port_do_no_harm(start_daphne, certificate):
    key_file, certificate_file = certificate
    rtmps = f"rtmps:port=0:interface=127.0.0.1:privateKey={key_file}:certKey={certificate_file}"
    server = start_daphne(rtmps)
    async with connection(server.port("rtmps")) as (reader, writer):
        writer.write(b"\3" + bytes(1536))
        assert await reader.read() == b""
    async with rtmp_client(server.port("rtmps"), ssl=trusting_nobody()) as client:
        await client.connect()
        assert await client.call("echo.echo", 1) == 1


@pytest.mark.parametrize(
    ("before", "after"), [(700, 10_000), (50_000, 50_000), (0, 0), (10_000, 10_000)]
)
def test_garbage_collections_are_made_rarer_never_more_frequent(before, after):
    found = gc.get_threshold()
    try:
        gc.set_threshold(before, 11, 12)
        collect_rarely(10_000)
        assert gc.get_threshold() == (after, 11, 12)
        collect_rarely(0)
        assert gc.get_threshold() == (after, 11, 12)
    finally:
        gc.set_threshold(*found)


def test_port_already_taken_fails_at_once(start_daphne, taken_port):
    server = start_daphne(HTTP, f"rtmp:port={taken_port}:interface=127.0.0.1")
    assert server.process.wait(15) == 1
    [line] = server.wait_for_log("Listen failure")
    assert f"127.0.0.1:{taken_port}" in line
    assert "Address already in use" in line
    assert "Traceback" not in server.log


def test_certificate_that_cannot_be_read_fails_at_once(start_daphne):
    server = start_daphne("rtmps:port=0:interface=127.0.0.1:privateKey=/nowhere.pem")
    assert server.process.wait(15) == 1
    [line] = server.wait_for_log("Listen failure")
    assert "cannot load the certificate (/nowhere.pem" in line


def test_unknown_part_of_an_endpoint_string_is_named(start_daphne):
    server = start_daphne("rtmp:port=0:interfaec=127.0.0.1")
    assert server.process.wait(15) == 1
    server.wait_for_log("an RTMP endpoint has no part named 'interfaec'")


async def test_two_processes_share_a_port(start_daphne, taken_port):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    endpoint = f"rtmp:port={port}:interface=127.0.0.1:reuseport=1"
    servers = [start_daphne(endpoint), start_daphne(endpoint)]
    assert [server.port() for server in servers] == [port, port]
    async with rtmp_client(port) as client:
        await client.connect()
        assert await client.call("echo.echo", 1) == 1


def runserver(*, environment=None):
    command = [sys.executable, "manage.py", "runserver", "--noreload", "127.0.0.1:0"]
    return Daphne(command, environment)


async def test_runserver_serves_rtmp():
    server = runserver()
    try:
        async with rtmp_client(server.port()) as client:
            await client.connect()
            assert await client.call("echo.echo", "hello") == "hello"
    finally:
        server.stop()


def test_runserver_fails_when_the_rtmp_port_is_taken(taken_port):
    endpoint = f"rtmp:port={taken_port}:interface=127.0.0.1"
    server = runserver(environment={"TEST_RTMP_ENDPOINT": endpoint})
    assert server.process.wait(15) == 1
    server.wait_for_log(f"Listen failure.*127.0.0.1:{taken_port}")
    server.stop()


async def test_handshake_and_connect_are_answered_in_one_write_each(rtmp_port):
    """So that no peer waits for a delayed acknowledgement."""
    async with rtmp_client(rtmp_port) as client:
        await client.flush()
        assert len(await client.reader.read(65536)) == 3073
    async with rtmp_client(rtmp_port) as client:
        await client.handshake()
        client.connection.send_connect({"app": "lobby", "tcUrl": "rtmp://127.0.0.1/lobby"})
        await client.flush()
        answer = await client.reader.read(65536)
        assert b"NetConnection.Connect.Success" in answer
        assert b"\x00\x00\x04\x05\x00\x00\x00\x00" in answer, "WindowAcknowledgementSize"
