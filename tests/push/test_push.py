"""`rtmp_channels.push` in one process, by communicators."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import sync_to_async

from rtmp_channels import push, serving
from rtmp_channels.connections.current import rosters
from rtmp_channels.connections.orders import Audience, Order, Verb
from rtmp_channels.connections.roster import Roster
from rtmp_channels.consumers import AsyncRtmpConsumer
from rtmp_channels.exceptions import LayerFailed, OutOfReach
from rtmp_channels.permissions import ANYONE
from rtmp_channels.protocol.errors import LocalProtocolError
from rtmp_channels.rooms.current import room_hubs
from rtmp_channels.rooms.limits import RoomLimitExceeded
from tests.rooms.layers import FakeLayer
from tests.server.patient import PatientCommunicator


class Known(AsyncRtmpConsumer):
    """Users by what they say: tests need no passwords."""

    may_connect = may_call = ANYONE

    async def connect(self):
        arguments = self.scope["rtmp"]["arguments"]
        if arguments:
            self.user = User(arguments[0])
        await self.accept()


class User:
    is_authenticated = True

    def __init__(self, pk):
        self.pk = pk


class Staying(Known):
    """Goes on as nobody when its user is gone."""

    opened = []  # noqa: RUF012

    async def connect(self):
        self.opened.append(self)
        await super().connect()

    async def on_user_gone(self):
        await self.notify("onUserGone")


@pytest.fixture
async def clients():
    """Ann twice, in two rooms, and somebody without a name."""
    opened = []
    for path, arguments in [("/lobby/a", [1]), ("/lobby/b", [1]), ("/lobby/a", [])]:
        communicator = PatientCommunicator(Known.as_asgi(), path, arguments=arguments)
        assert (await communicator.connect())[0]
        opened.append(communicator)
    yield opened
    for communicator in opened:
        if not communicator.future.done():
            await communicator.disconnect()
    assert len(rosters.get()) == 0
    await room_hubs.close()
    await rosters.close()


async def heard(clients):
    """Who was called, and with what."""
    calls = []
    for number, client in enumerate(clients):
        while not await client.receive_nothing():
            call = await client.receive_call()
            calls.append((number, call["name"], call["arguments"], call["transaction_id"]))
    return calls


async def test_a_client_a_user_a_room_and_everyone(clients):
    ann, ann_again, _ = clients
    await push.acall_client(ann_again.id, "onNotice", "client", 1.5)
    assert await heard(clients) == [(1, "onNotice", ["client", 1.5], 0)]
    await push.acall_user(User(1), "onNotice", "user")
    await push.acall_user(1, "onNotice", "by key")
    assert await heard(clients) == [
        (number, "onNotice", [text], 0) for number in (0, 1) for text in ("user", "by key")
    ]
    await push.acall_room("lobby/a", "onNotice")
    assert await heard(clients) == [(0, "onNotice", [], 0), (2, "onNotice", [], 0)]
    await push.acall_everyone("onNotice")
    assert [number for number, *_ in await heard(clients)] == [0, 1, 2]
    await ann.disconnect()
    await push.acall_everyone("onNotice")
    assert [number for number, *_ in await heard(clients[1:])] == [0, 1]


async def test_what_is_for_a_user_does_not_reach_who_is_so_no_more():
    one, other = [
        PatientCommunicator(Staying.as_asgi(), "/lobby/a", arguments=[1]) for _ in range(2)
    ]
    for communicator in (one, other):
        assert (await communicator.connect())[0]
    await Staying.opened[0].user_gone()
    assert (await one.receive_call())["name"] == "onUserGone"
    await push.acall_user(1, "onSecret")
    await push.acall_everyone("onNews")
    assert [call[:2] for call in await heard([one, other])] == [
        (0, "onNews"),
        (1, "onSecret"),
        (1, "onNews"),
    ]
    for communicator in (one, other):
        await communicator.disconnect()
    assert len(rosters.get()) == 0
    await room_hubs.close()
    await rosters.close()


async def test_those_who_are_not_there_are_no_error(clients):
    await push.acall_client("0" * 32, "onNotice")
    await push.acall_user(99, "onNotice")
    await push.acall_room("lobby/empty", "onNotice")
    assert await heard(clients) == []


def call_all(client_id):
    push.call_client(client_id, "onNotice", "client")
    push.call_user(1, "onNotice", "user")
    push.call_room("lobby/a", "onNotice", "room")
    push.call_everyone("onNotice", "everyone")


async def test_from_a_sync_view_of_the_server(clients):
    await sync_to_async(call_all)(clients[0].id)
    said = [(number, *arguments) for number, _, arguments, _ in await heard(clients)]
    assert said == [
        (0, "client"),
        (0, "user"),
        (0, "room"),
        (0, "everyone"),
        (1, "user"),
        (1, "everyone"),
        (2, "room"),
        (2, "everyone"),
    ]


async def test_from_a_thread_that_knows_nothing_of_the_loop(clients):
    with ThreadPoolExecutor(1) as thread:
        await asyncio.wrap_future(thread.submit(call_all, clients[0].id))
    for client, count in zip(clients, (4, 2, 2), strict=True):
        for _ in range(count):
            assert (await client.receive_call())["name"] == "onNotice"


async def test_kicks(clients):
    ann, ann_again, _ = clients
    assert push.is_within_reach(ann.id)
    assert not push.is_within_reach("0" * 32)
    await push.akick_client(ann.id, "Not here.")
    await ann.wait()
    await sync_to_async(push.kick_user)(1)
    await ann_again.wait()
    assert len(rosters.get()) == 1
    await sync_to_async(push.kick_client)(clients[2].id)
    await clients[2].wait()


async def test_what_cannot_be_pushed_reaches_nobody(clients, settings):
    with pytest.raises(LocalProtocolError):
        await push.acall_everyone("onNotice", object())
    settings.RTMP_CHANNELS = {"ROOMS": {"BROADCAST_BYTES": 100}}
    for pushing in (
        push.acall_everyone("onNotice", "x" * 100),
        push.acall_room("lobby/a", "onNotice", "x" * 100),
    ):
        with pytest.raises(RoomLimitExceeded, match="100 at most"):
            await pushing
    for nobody in (None, "", User(None)):
        with pytest.raises(ValueError, match="anonymous"):
            await push.acall_user(nobody, "onNotice")
    assert await heard(clients) == []


@pytest.fixture
def _elsewhere(monkeypatch):
    """As in a process that serves nothing."""
    monkeypatch.setattr(serving, "_servers", set())
    monkeypatch.setattr(rosters, "_objects", {})
    monkeypatch.setattr(room_hubs, "_objects", {})


@pytest.mark.usefixtures("_elsewhere")
def test_without_a_layer_that_joins_processes_other_code_is_told():
    for pushing in (
        lambda: push.call_everyone("onNotice"),
        lambda: push.call_room("lobby/a", "onNotice"),
        lambda: push.kick_client("0" * 32),
    ):
        with pytest.raises(OutOfReach, match="does not serve RTMP"):
            pushing()


@pytest.mark.usefixtures("_elsewhere")
def test_a_server_without_clients_is_no_error():
    server = Roster()
    serving.serves(server)
    push.call_everyone("onNotice")


@pytest.mark.usefixtures("_elsewhere")
async def test_through_a_layer_once_and_encoded_once(monkeypatch):
    layer = FakeLayer()
    monkeypatch.setattr(push, "joining_layer", lambda: layer)
    await push.acall_user(7, "onNotice", "hi")
    [(group, message)] = layer.sent
    assert Order.parse(message["body"]) == Order(
        Verb.CALL, Audience.USER, "7", b"\2\0\x08onNotice" + bytes(9) + b"\5\2\0\2hi"
    )
    assert (message["group"], message["origin"]) == (group, "")
    layer.failing.add("group_send")
    with pytest.raises(LayerFailed, match="group_send fails"):
        await push.acall_user(7, "onNotice", "hi")


class Member:
    def __init__(self, name):
        self.id = name
        self.heard = []

    def write_shared(self, data):
        if self.id == "broken":
            raise RuntimeError("a bug")
        self.heard.append(data)

    def kick(self, description):
        self.heard.append(description)


async def test_rosters_joined_by_a_layer(caplog):
    layer = FakeLayer()
    one, two = Roster(layer=layer), Roster(layer=layer)
    for roster in (one, two):
        await roster.joining()
        assert roster.joining() is None
    here, broken, there = Member("here"), Member("broken"), Member("there")
    for roster, member in ((one, here), (one, broken), (two, there)):
        roster.add(member, user="7")
    await one.carry(Order(Verb.CALL, Audience.EVERYONE, "", b"\2\0\1x"))
    await one.carry(Order(Verb.KICK, Audience.CLIENT, "there", "Häschen".encode()))
    await one.carry(Order(Verb.KICK, Audience.CLIENT, "here", b"out"))
    while len(there.heard) < 2:
        await asyncio.sleep(0)
    assert there.heard == [here.heard[0], "Häschen"]
    assert here.heard[1:] == ["out"]
    assert len(layer.sent) == 2, "what is done here concerns nobody else"
    assert "Connection broken could not be written" in caplog.text
    for roster, member in ((one, here), (one, here), (two, there)):
        roster.discard(member)
    await two.close()
    await one.close()
