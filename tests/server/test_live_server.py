"""LiveRtmpServer: real sockets, a thread of its own, an orderly end."""

import asyncio
import logging
import os
import socket
import ssl
import threading
from contextlib import suppress

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured

from rtmp_channels import push
from rtmp_channels.auth import RtmpAuthMiddleware, make_token
from rtmp_channels.client import NetConnection
from rtmp_channels.consumers import AsyncRtmpConsumer, remote
from rtmp_channels.instances import ApplicationInstance
from rtmp_channels.models import ServerProcess
from rtmp_channels.permissions import ANYONE
from rtmp_channels.protocol.events import StatusReceived
from rtmp_channels.routing import RtmpRouter
from rtmp_channels.server.endpoint import EndpointOptions, open_socket
from rtmp_channels.shared_objects.access import shared_object
from rtmp_channels.sync_consumers import RtmpConsumer
from rtmp_channels.sync_consumers import remote as sync_remote
from rtmp_channels.testing import LiveRtmpServer
from tests.server.conftest import trusting_nobody
from tests.support.rtmp_client import RtmpClient

ended = []


class Table(ApplicationInstance):
    async def on_stop(self):
        ended.append(self.name)

    async def score(self):
        async with shared_object("score", self.scope) as score:
            score["moves"] = score.get("moves", 0) + 1
            return score["moves"]


class Game(AsyncRtmpConsumer):
    may_connect = may_call = ANYONE
    instance_class = Table

    async def connect(self):
        await self.accept(id=self.connection_id)

    @remote
    async def who(self):
        return str(self.user), self.room, threading.current_thread().name

    @remote
    async def ask(self):
        return await self.call("question")

    @remote
    async def move(self):
        return await self.instance.score()


class SyncGame(RtmpConsumer):
    may_connect = may_call = ANYONE

    @sync_remote
    def users(self):
        return get_user_model().objects.count()


def application():
    routes = {"game": Game.as_asgi(), "sync": SyncGame.as_asgi()}
    return RtmpAuthMiddleware(RtmpRouter(routes))


@pytest.fixture
def server():
    with LiveRtmpServer(application()) as server:
        yield server


async def test_calls_both_ways(server):
    async with NetConnection(server.url("game/a")) as client:
        assert await client.call("who") == ["AnonymousUser", "game/a", "rtmp live server"]
        client.methods.register("question")(lambda: "answer")
        assert await client.call("ask") == "answer"
        assert await client.call("move") == 1


def test_sync_tests_too(server):
    with RtmpClient(server.port, "game/a") as client:
        assert client.call("who")[1] == "game/a"


async def test_pushes_reach_its_clients(server):
    async with NetConnection(server.url("game/a")) as client:
        heard = asyncio.Queue()
        client.methods.register("onNotice")(heard.put_nowait)
        await push.acall_everyone("onNotice", "everyone")
        await push.acall_room("game/a", "onNotice", "room")
        await asyncio.to_thread(push.call_client, client.information["id"], "onNotice", "client")
        async with asyncio.timeout(10):
            assert [await heard.get() for _ in range(3)] == ["everyone", "room", "client"]


def test_the_database(server, transactional_db):
    ada = get_user_model().objects.create_user("ada")
    with RtmpClient(server.port, f"game/a?token={make_token(ada)}") as client:
        assert client.call("who")[0] == "ada"
    with RtmpClient(server.port, "sync") as client:
        assert client.call("users") == 1


async def test_tls(certificate):
    key, chain = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    context.num_tickets = 0
    with LiveRtmpServer(Game.as_asgi(), tls=context) as server:
        url = server.url("game/a")
        assert url.startswith("rtmps://")
        async with NetConnection(url, ssl_context=trusting_nobody()) as client:
            assert (await client.call("who"))[1] == "game/a"


def test_its_clients_are_not_listed(settings, transactional_db):
    settings.RTMP_CHANNELS = {"PRESENCE_INTERVAL": 0.01}
    with LiveRtmpServer(application()) as server, RtmpClient(server.port, "sync") as client:
        assert client.call("users") == 0
    assert not ServerProcess.objects.exists()


def test_it_ends_in_order(caplog):
    ended.clear()
    caplog.set_level(logging.INFO, "rtmp_channels")
    before = threading.active_count()
    with LiveRtmpServer(Game.as_asgi()) as server:
        client = RtmpClient(server.port, "game/a")
    with client:
        status = client.wait_for(lambda event: isinstance(event, StatusReceived))
    assert status.information["code"] == "NetConnection.Connect.AppShutdown"
    assert ended == ["game/a"]
    assert threading.active_count() <= before + 1  # asgiref's thread for sync code may be new
    with pytest.raises(OSError, match="refused"):
        RtmpClient(server.port, "game/a")


def test_the_projects_application_is_the_default():
    with LiveRtmpServer() as server, RtmpClient(server.port, "lobby/a") as client:
        assert client.call("echo.echo", "hi") == "hi"


def test_what_cannot_be_served_is_told(settings):
    settings.ASGI_APPLICATION = "nowhere.application"
    with pytest.raises(ImproperlyConfigured, match="nowhere"):
        LiveRtmpServer().__enter__()


def nodelay_of(address):
    """Of each of this process's sockets whose peer has that address: whether it sends at once."""
    for number in map(int, os.listdir("/proc/self/fd")):
        try:
            sock = socket.socket(fileno=os.dup(number))
        except OSError:
            continue
        with sock, suppress(OSError):
            if sock.getpeername() == address:
                yield bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


@pytest.mark.parametrize("options", [{}, {"reuseport": True}], ids=["alone", "shared port"])
def test_no_write_waits_for_an_acknowledgement(options):
    """Nagle's algorithm against delayed acknowledgements costs 40 ms."""
    listening = open_socket(EndpointOptions(port=0, interface="127.0.0.1", **options))
    with listening, socket.create_connection(listening.getsockname()):
        listening.setblocking(True)
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_neither_does_one_of_a_session():
    with LiveRtmpServer(Game.as_asgi()) as server, RtmpClient(server.port, "game") as client:
        assert list(nodelay_of(client.socket.getsockname())) == [True]
