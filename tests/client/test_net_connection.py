"""`NetConnection`: connecting, calls both ways, endings."""

from __future__ import annotations

import asyncio
import logging
import ssl

import pytest

from amf_remoting.exceptions import Fault
from rtmp_channels.client import CallFailed, ConnectFailed, ConnectionClosed, NetConnection
from rtmp_channels.client.address import Address
from rtmp_channels.protocol import LocalProtocolError
from rtmp_channels.protocol.events import ConnectRequested, HandshakeCompleted, ResultReceived
from rtmp_channels.protocol.shared_object import SharedObjectMessage, Use
from tests.interop.tls import self_signed

from .server import LoopbackServer, loopback_server


async def answers(
    server: LoopbackServer, connection: NetConnection, count: int
) -> list[ResultReceived]:
    """Our answers to the server's calls, when it has so many."""
    async with asyncio.timeout(10):
        while len(server.clients[-1].answers()) < count:
            await connection.call("echo", "are they there?")
    return server.clients[-1].answers()


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "app"),
    [
        ("rtmp://h/live", "h", 1935, False, "live"),
        ("rtmps://h/a/b?x=1", "h", 443, True, "a/b?x=1"),
        ("rtmp://[::1]:1936", "::1", 1936, False, ""),
    ],
)
def test_addresses(url, host, port, tls, app):
    assert Address.parse(url) == Address(url, host, port, tls, app)


@pytest.mark.parametrize("url", ["http://h/a", "rtmp:///a", "h/a", "rtmp://h:port/a"])
def test_addresses_that_are_none(url):
    with pytest.raises(ValueError, match=r"rtmp|[Pp]ort"):
        Address.parse(url)


async def test_connect_with_arguments(server: LoopbackServer):
    connection = NetConnection(
        server.url("lobby/room?key=1"), arguments=["token", 5], command_object={"pageUrl": "p"}
    )
    assert not connection.is_connected
    information = await connection.connect()
    assert information["code"] == "NetConnection.Connect.Success"
    assert information["app"] == "lobby/room"
    assert connection.information is information
    assert connection.properties["capabilities"] == 31
    handshake, connect = server.clients[0].events
    assert handshake == HandshakeCompleted(0)
    assert isinstance(connect, ConnectRequested)
    assert connect.arguments == ["token", 5]
    assert connect.query_string == "key=1"
    assert connect.tc_url == server.url("lobby/room?key=1")
    assert connect.command_object["pageUrl"] == "p"
    with pytest.raises(LocalProtocolError, match="already connected"):
        await connection.connect()
    await connection.close()
    await connection.close()
    assert not connection.is_connected
    assert await connection.wait_closed() == "closed by us"


@pytest.mark.parametrize("object_encoding", [0, 3])
async def test_calls(server: LoopbackServer, object_encoding):
    async with NetConnection(server.url(), object_encoding=object_encoding) as connection:
        value = {"a": [1, 2.5, "é", None], "b": True}
        assert await connection.call("echo", value) == value
        echoes = await asyncio.gather(*(connection.call("echo", n) for n in range(100)))
        assert echoes == list(range(100))
        with pytest.raises(CallFailed, match="X: nothing") as caught:
            await connection.call("nothing")
        assert caught.value.information["level"] == "error"
        with pytest.raises(TimeoutError):
            await connection.call("silent", timeout=0.01)
        with pytest.raises(LocalProtocolError, match="a method's name is text, not int"):
            await connection.call(5)  # type: ignore[arg-type]
        with pytest.raises(LocalProtocolError, match="a method's name is text, not bytes"):
            connection.send(b"note")  # type: ignore[arg-type]
        with pytest.raises(LocalProtocolError, match="AMF"):
            await connection.call("echo", object())
        assert await connection.call("echo", "still here") == "still here"


async def test_the_server_calls(server: LoopbackServer):
    connection = NetConnection(server.url())
    received = []

    @connection.method("onSay")
    def on_say(text: str) -> str:
        received.append(text)
        return text.upper()

    @connection.method("later")
    async def later(value: int) -> int:
        await asyncio.sleep(0)
        return value + 1

    @connection.method("refuse")
    async def refuse() -> None:
        raise Fault("Refused", "Not now.")

    async with connection:
        connection.send("callMe", "onSay", "hi")
        connection.send("callMe", "later", 41)
        connection.send("callMe", "refuse")
        connection.send("callMe", "missing")
        found = [
            (answer.values, answer.is_error) for answer in await answers(server, connection, 4)
        ]
    assert received == ["hi"]
    missing = {
        "level": "error",
        "code": "NetConnection.Call.Failed",
        "description": "No method missing.",
    }
    refused = {"level": "error", "code": "Refused", "description": "Not now."}
    assert ([refused], True) in found
    assert ([missing], True) in found
    assert (["HI"], False) in found
    assert ([42], False) in found
    assert len(found) == 4


async def test_methods_that_fail_are_logged_and_answered(server: LoopbackServer, caplog):
    connection = NetConnection(server.url())

    @connection.method("fail")
    def fail() -> None:
        raise ValueError("inside")

    @connection.method("odd")
    def odd() -> object:
        return object()

    async with connection:
        with caplog.at_level(logging.ERROR, "rtmp_channels.client.methods"):
            connection.send("callMe", "fail")
            connection.send("callMe", "odd")
            found = await answers(server, connection, 2)
    assert [answer.values[0]["description"] for answer in found] == ["The method failed."] * 2
    assert [record.getMessage() for record in caplog.records] == [
        "method fail failed",
        "method odd failed",
    ]


async def test_running_methods_are_limited_and_cancelled_at_the_end(server: LoopbackServer):
    connection = NetConnection(server.url())
    connection.methods.max_running = 2
    cancelled = []

    @connection.method("wait")
    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async with connection:
        for _ in range(3):
            connection.send("callMe", "wait")
        (refused,) = await answers(server, connection, 1)
    assert refused.values[0]["description"] == "Too many calls at once."
    await asyncio.sleep(0)
    assert cancelled == [True, True]


async def test_status_and_shared_objects_have_hooks(server: LoopbackServer):
    statuses, messages = [], []
    async with NetConnection(server.url()) as connection:
        connection.send("notice")
        connection.send_shared_object(SharedObjectMessage("so", events=(Use(),)))
        await connection.call("echo", 1)
        connection.on_status = statuses.append
        connection.on_shared_object = messages.append
        connection.send("notice")
        connection.send_shared_object(SharedObjectMessage("so", 1, events=(Use(),)))
        await connection.call("echo", 1)
    assert statuses == [{"level": "status", "code": "Notice"}]
    assert messages == [SharedObjectMessage("so", 1, events=(Use(),))]


async def test_listeners_that_raise_are_logged(server: LoopbackServer, caplog):
    def listener(news: object) -> None:
        raise RuntimeError("a bug of the listener's")

    async with NetConnection(server.url()) as connection:
        connection.on_status = connection.on_shared_object = listener
        connection.send("notice")
        connection.send_shared_object(SharedObjectMessage("board", 0, 0, (Use(),)))
        assert await connection.call("echo", 1) == 1
    assert caplog.text.count("RuntimeError: a bug of the listener's") == 2


async def test_answers_and_media_that_nobody_waits_for(server: LoopbackServer):
    async with NetConnection(server.url()) as connection:
        connection.send("stray")
        assert await connection.call("echo", 1) == 1
        with pytest.raises(TimeoutError):
            await connection.call("silent", timeout=0)
        assert await connection.call("echo", 2) == 2


async def test_a_rejected_client(server: LoopbackServer):
    connection = NetConnection(server.url("rejected"))
    with pytest.raises(
        ConnectFailed, match=r"NetConnection.Connect.Rejected: Not today\."
    ) as caught:
        await connection.connect()
    assert caught.value.code == "NetConnection.Connect.Rejected"
    assert not connection.is_connected


async def test_a_server_that_closes_before_it_answers(server: LoopbackServer):
    with pytest.raises(ConnectFailed, match="closed by the server"):
        await NetConnection(server.url("closed")).connect()


async def test_a_server_that_never_answers(server: LoopbackServer):
    with pytest.raises(TimeoutError):
        await NetConnection(server.url("silent"), timeout=0.05).connect()


async def test_nobody_listens(unused_port):
    with pytest.raises(OSError, match=r"[Cc]onnect"):
        await NetConnection(f"rtmp://127.0.0.1:{unused_port}/x").connect()


async def test_rtmps(tmp_path):
    certificate, key = self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    async with loopback_server(context) as server:
        trusting = ssl.create_default_context(cafile=certificate)
        async with NetConnection(server.url(), ssl_context=trusting) as connection:
            assert await connection.call("echo", "secret") == "secret"
        with pytest.raises(ssl.SSLCertVerificationError):
            await NetConnection(server.url()).connect()


async def test_close_does_not_wait_for_a_server_that_reads_nothing(server: LoopbackServer):
    connection = NetConnection(server.url(), timeout=0.5)
    await connection.connect()
    server.clients[0].transport.pause_reading()
    connection.send("note", "x" * 10_000_000)
    drained = asyncio.ensure_future(connection.drain())
    connection.timeout = 0.05
    await connection.close()
    await drained
    assert not connection.is_connected


async def test_close_ends_a_connect_under_way(server: LoopbackServer):
    connection = NetConnection(server.url("silent"))
    connecting = asyncio.ensure_future(connection.connect())
    await asyncio.sleep(0)  # it waits for TCP
    await connection.close()
    with pytest.raises(ConnectFailed, match="closed by us"):
        await connecting
    connection.timeout = 0.05
    with pytest.raises(TimeoutError):  # it may be tried again
        await connection.connect()


async def test_who_waits_for_the_end_of_a_connect_that_nobody_answers(monkeypatch):
    async def never(*arguments: object, **options: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("rtmp_channels.client.net_connection.open_transport", never)
    connection = NetConnection("rtmp://127.0.0.1/x", timeout=0.05)
    connecting = asyncio.ensure_future(connection.connect())
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await asyncio.gather(connection.close(), connection.wait_closed())
    with pytest.raises(TimeoutError):
        await connecting


async def test_what_comes_late_means_nothing():
    connection = NetConnection("rtmp://127.0.0.1/x")
    connection.send_result(1, "nobody")
    connection.send_error(1, {})
    connection.flush()
    await connection.drain()
    assert await connection.wait_closed() == "not connected"
    with pytest.raises(ConnectionClosed, match="not connected"):
        connection.send("x")


@pytest.mark.parametrize(
    ("command", "reason"), [("bye", "closed by the server"), ("garbage", "protocol error: ")]
)
async def test_calls_end_with_the_connection(server: LoopbackServer, command, reason):
    connection = NetConnection(server.url())
    await connection.connect()
    waiting = asyncio.ensure_future(connection.call("silent"))
    await asyncio.sleep(0)  # it is written
    connection.send(command)
    with pytest.raises(ConnectionClosed, match=reason):
        await waiting
    assert (await connection.wait_closed()).startswith(reason)
    with pytest.raises(ConnectionClosed, match=reason):
        await connection.call("echo", 1)
    with pytest.raises(ConnectionClosed):
        connection.send("echo", 1)


async def test_reconnect_keeps_methods(server: LoopbackServer):
    connection = NetConnection(server.url())
    connection.method("double")(lambda value: value * 2)
    for _ in range(2):
        await connection.connect()
        connection.send("callMe", "double", 21)
        (doubled,) = await answers(server, connection, 1)
        assert doubled.values == [42]
        connection.send("bye")
        await connection.wait_closed()


async def test_an_end_of_a_connection_given_up_does_not_touch_the_next(server: LoopbackServer):
    connection = NetConnection(server.url("silent"), timeout=0.05)
    with pytest.raises(TimeoutError):
        await connection.connect()
    connection.address = Address.parse(server.url("lobby"))
    connection._command_object["app"] = "lobby"
    connection.timeout = 5
    await connection.connect()
    assert await connection.call("echo", 1) == 1
    await connection.close()
