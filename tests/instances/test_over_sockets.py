"""Connections that end in every way, over sockets: nothing of them is left."""

import asyncio
import contextlib
import socket

import pytest

from rtmp_channels import push
from rtmp_channels.connections.current import rosters
from rtmp_channels.consumers import AsyncRtmpConsumer, remote
from rtmp_channels.fresh_users import fresh_users
from rtmp_channels.instances import ApplicationInstance, instances
from rtmp_channels.open_sessions import open_sessions
from rtmp_channels.permissions import ANYONE
from rtmp_channels.rooms.current import room_hubs
from rtmp_channels.testing import LiveRtmpServer
from tests.support.rtmp_client import RtmpClient, RtmpRefusal

ROUNDS = 5


class Counted(ApplicationInstance):
    alive = made = 0

    async def on_start(self):
        Counted.alive += 1
        Counted.made += 1
        await asyncio.sleep(0.001)

    async def on_stop(self):
        await asyncio.sleep(0.001)
        Counted.alive -= 1


class Game(AsyncRtmpConsumer):
    may_connect = may_call = ANYONE
    instance_class = Counted

    async def connect(self):
        match self.scope["rtmp"]["arguments"]:
            case ["refuse"]:
                await self.close()
            case ["raise"]:
                raise RuntimeError("a bug in connect")
            case _:
                await self.accept(id=self.connection_id)

    @remote
    async def fail(self):
        raise asyncio.CancelledError

    @remote
    async def hang(self):
        await asyncio.Event().wait()


def leave(server, app):
    RtmpClient(server.port, app).close()


def vanish(server, app):
    client = RtmpClient(server.port, app)
    client.send("hang")
    linger = b"\1\0\0\0\0\0\0\0"  # a reset instead of an orderly end
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    client.close()


def be_refused(server, app):
    with pytest.raises(RtmpRefusal):
        RtmpClient(server.port, app, arguments=["refuse"])


def meet_a_bug(server, app):
    with pytest.raises(RtmpRefusal):
        RtmpClient(server.port, app, arguments=["raise"])


def be_kicked(server, app):
    with RtmpClient(server.port, app) as client:
        push.call_room(app, "onNotice")
        client.next_call("onNotice")
        push.kick_client(client_id(server))
        with pytest.raises(ConnectionError):
            client.wait_for(lambda event: False)


def break_the_protocol(server, app):
    with RtmpClient(server.port, app) as client:
        client.socket.sendall(b"\xca" * 20)
        with pytest.raises(ConnectionError):
            client.wait_for(lambda event: False)


def cancel_itself(server, app):
    with RtmpClient(server.port, app) as client:
        client.send("fail")
        with pytest.raises(ConnectionError):
            client.wait_for(lambda event: False)


def never_connect(server, app):
    with contextlib.closing(socket.create_connection(("127.0.0.1", server.port))) as sock:
        sock.sendall(b"\3" + bytes(1_000))


def in_server(server, function):
    async def run():
        return function()

    return asyncio.run_coroutine_threadsafe(run(), server._loop).result(20)


def client_id(server):
    return in_server(server, lambda: next(iter(rosters.get()._by_id)))


def left_over(server):
    return {
        "sessions": len(open_sessions.get()),
        "connections": len(rosters.get()),
        "instances": len(instances.get()),
        "users": len(fresh_users.get()._consumers),
        "rooms": len(room_hubs.get()._rooms),
        "tasks": len(asyncio.all_tasks()),
    }


def test_nothing_is_left_of_any_ending(caplog):
    ways = (
        *(leave, vanish, be_refused, meet_a_bug),
        *(be_kicked, break_the_protocol, cancel_itself, never_connect),
    )
    Counted.alive = Counted.made = 0
    with LiveRtmpServer(Game.as_asgi()) as server:
        before = in_server(server, lambda: left_over(server))
        for number in range(ROUNDS):
            for way in ways:
                way(server, f"game/{number}")
        asyncio.run(until(lambda: in_server(server, lambda: left_over(server)) == before))
        assert Counted.alive == 0
        assert Counted.made >= ROUNDS


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)
