"""The eight traps of RTMP on daphne, one test each at least; the fourth is in stalled_readers."""

import asyncio

import pytest
from daphne.server import Server
from django.contrib.auth.models import AnonymousUser

from rtmp_channels import database
from rtmp_channels.consumers import AsyncRtmpConsumer, remote
from rtmp_channels.permissions import ANYONE
from rtmp_channels.protocol.events import StatusReceived
from rtmp_channels.rooms.current import room_hubs
from rtmp_channels.server.bridge import DaphneBridge
from rtmp_channels.server.shutdown import close_hubs
from rtmp_channels.testing import RtmpCommunicator
from tests.server.client import connection, rtmp_client
from tests.server.conftest import HTTP, RTMP


async def test_trap_1_half_connected_clients_do_not_break_the_shutdown(start_daphne):
    server = start_daphne(RTMP, HTTP)
    async with (
        connection(server.port()) as (_, half_a_handshake),
        rtmp_client(server.port()) as unconnected,
        connection(server.port("http")) as (_, half_a_request),
        rtmp_client(server.port()) as connected,
    ):
        half_a_handshake.write(b"\3" + bytes(700))
        half_a_request.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
        await unconnected.handshake()
        await connected.connect("tidy")
        assert await asyncio.to_thread(server.stop) == 0
        [line] = server.wait_for_log("tidy:")
        assert line.endswith("tidy: rtmp.disconnect NetConnection.Connect.AppShutdown")


async def test_trap_2_an_application_that_returns_closes_the_socket(rtmp_port):
    async with rtmp_client(rtmp_port) as client:
        await client.connect("returning")
        await client.wait_closed()
        [status] = [event for event in client.events if isinstance(event, StatusReceived)]
        assert status.information["code"] == "NetConnection.Connect.Closed"


async def test_trap_3_shutdown_reaches_every_application(start_daphne):
    server = start_daphne(RTMP)
    async with (
        rtmp_client(server.port()) as one,
        rtmp_client(server.port()) as two,
        rtmp_client(server.port()) as three,
    ):
        await one.connect("tidy")
        await two.connect("tidy")
        await three.connect("stuck")
        server.wait_for_log("stuck: accepted")
        assert await asyncio.to_thread(server.stop) == 0
        assert len(server.wait_for_log("tidy: rtmp.disconnect .*AppShutdown", count=2)) == 2
        server.wait_for_log("stuck: cleaned up")
        await one.wait_closed()
        [status] = [event for event in one.events if isinstance(event, StatusReceived)]
        assert status.information["code"] == "NetConnection.Connect.AppShutdown"


def test_trap_5_a_connection_that_daphne_has_reaped_can_still_end():
    server = Server(application=None, endpoints=["unused"])
    server.connections = {}
    bridge = DaphneBridge(server)
    with pytest.raises(KeyError):
        server.protocol_disconnected(bridge)
    bridge.session_ending(None)
    assert server.connections == {}


async def test_the_shape_of_daphnes_bookkeeping():
    """What `DaphneBridge` relies on; should it fail, read `bridge` beside daphne's `server`."""
    ran = asyncio.Event()

    async def application(scope, receive, send):
        ran.set()

    server = Server(application=application, endpoints=["unused"])
    server.connections = {}
    server.protocol_connected("protocol")
    assert set(server.connections["protocol"]) == {"connected"}
    server.create_application("protocol", {"type": "rtmp"})
    assert set(server.connections["protocol"]) == {"connected", "application_instance"}
    assert isinstance(server.connections["protocol"]["application_instance"], asyncio.Task)
    server.protocol_disconnected("protocol")
    assert set(server.connections["protocol"]) == {
        "connected",
        "application_instance",
        "disconnected",
    }
    await ran.wait()


class Caller(AsyncRtmpConsumer):
    may_connect = may_call = ANYONE
    channel_layer_alias = None

    @remote
    async def ask(self):
        return await self.call("question")

    @remote
    async def echo(self, value):
        return value


async def test_trap_6_answers_do_not_wait_behind_the_handler():
    communicator = RtmpCommunicator(Caller.as_asgi(), "/app")
    await communicator.connect()
    for number in range(1_000):  # far more than the queue holds
        await communicator.notify("echo", number)
    asked = await communicator.send_call("ask")
    call = await communicator.receive_call()
    assert call["name"] == "question"
    for number in range(200):
        await communicator.send_call("echo", number)
    await communicator.answer(call, "an answer")
    answers = [await communicator.receive_output() for _ in range(201)]
    results = {m["transaction_id"]: m["value"] for m in answers if m["type"] == "rtmp.result"}
    refused = [m["information"]["code"] for m in answers if m["type"] == "rtmp.error"]
    assert results.pop(asked) == "an answer"
    assert 0 < len(results) < 200
    assert refused == ["Server.Busy"] * (200 - len(results))
    await communicator.disconnect()


async def test_trap_6_no_thread_hop_per_message(monkeypatch):
    hops = 0

    async def count():
        nonlocal hops
        hops += 1

    monkeypatch.setattr(database, "aclose_old_connections", count)
    communicator = RtmpCommunicator(Caller.as_asgi(), "/app")
    await communicator.connect()
    for number in range(100):
        assert await communicator.call("echo", number) == number
    await communicator.disconnect()
    assert hops <= 1


async def test_trap_7_scopes_suit_middlewares_that_want_headers(rtmp_port):
    """The stock ones: AuthMiddlewareStack needs headers, URLRouter a path without a query."""
    async with rtmp_client(rtmp_port) as client:
        await client.connect("stock/room 1?token=x")
        assert await client.call("describe") == {
            "user": str(AnonymousUser()),
            "path": "/stock/room 1",
            "query_string": "token=x",
            "kwargs": {"room": "room 1", "instance": "room 1"},
        }


async def test_trap_8_hubs_belong_to_their_loop_and_end_with_it():
    hub = room_hubs.get()
    assert room_hubs.get() is hub

    async def other_loop():
        return room_hubs.get()

    assert await asyncio.to_thread(asyncio.run, other_loop()) is not hub
    await close_hubs()
    assert room_hubs.peek() is None
