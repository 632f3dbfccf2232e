"""Application instances: made once, ended once, whatever their connections meet."""

import asyncio

import pytest

from rtmp_channels.consumers import AsyncRtmpConsumer, remote
from rtmp_channels.exceptions import ConnectionClosed
from rtmp_channels.instances import ApplicationInstance, Instances, instances
from rtmp_channels.permissions import ANYONE, NOBODY
from rtmp_channels.rooms.current import room_hubs
from rtmp_channels.shared_objects.access import shared_object
from rtmp_channels.shared_objects.current import shared_object_hubs
from rtmp_channels.testing import RtmpCommunicator


@pytest.fixture(autouse=True)
async def nothing_is_left():
    yield
    await instances.close()
    await room_hubs.close()
    await shared_object_hubs.close()


@pytest.fixture
def table():
    """A class of its own for each test, with a diary."""

    class Table(ApplicationInstance):
        diary = []  # noqa: RUF012
        gate = None
        """Awaited by on_start if there is one."""

        async def on_start(self):
            if self.gate is not None:
                await self.gate.wait()
            self.diary.append(f"start {self.name}")
            self.moves = 0

        async def on_stop(self):
            await asyncio.sleep(0)
            self.diary.append(f"stop {self.name}")

    return Table


@pytest.fixture
def game(table):
    class Game(AsyncRtmpConsumer):
        may_connect = may_call = ANYONE
        instance_class = table

        async def connect(self):
            match self.scope["rtmp"]["arguments"]:
                case ["refuse"]:
                    await self.close()
                case ["raise"]:
                    raise RuntimeError("a bug")
                case _:
                    await self.accept()

        async def disconnect(self, code):
            table.diary.append(f"{len(self.instance.members)} left")

        @remote
        async def move(self):
            self.instance.moves += 1
            await self.instance.broadcast("onMove", self.instance.moves)

        @remote
        async def count(self):
            return len(self.instance.members)

    return Game


async def connected(consumer, path="/game/one", *arguments):
    application = consumer.as_asgi(may_connect=ANYONE)
    communicator = RtmpCommunicator(application, path, arguments=arguments)
    assert (await communicator.connect())[0]
    return communicator


async def settled():
    while len(instances.get()):
        await asyncio.sleep(0)


async def test_connections_of_an_instance_share_it(game, table):
    ann, bob = await connected(game), await connected(game)
    elsewhere = await connected(game, "/game/two")
    for number in (1, 2):
        await ann.notify("move")
        for player in (ann, bob):
            call = await player.receive_call()
            assert (call["name"], call["arguments"]) == ("onMove", [number])
    assert await elsewhere.receive_nothing()
    assert [await ann.call("count"), await elsewhere.call("count")] == [2, 1]
    for client in (ann, bob, elsewhere):
        await client.disconnect()
    await settled()
    for name in ("one", "two"):
        said = [line for line in table.diary if line.endswith(name)]
        assert said == [f"start game/{name}", f"stop game/{name}"]
    assert [line for line in table.diary if "left" in line] == ["1 left", "0 left", "0 left"]


async def test_many_at_once_make_one(game, table):
    table.gate = asyncio.Event()
    clients = [RtmpCommunicator(game.as_asgi(), "/game/one") for _ in range(20)]
    connecting = [asyncio.create_task(client.connect()) for client in clients]
    await asyncio.sleep(0.01)
    assert not any(task.done() for task in connecting)
    table.gate.set()
    assert [accepted for accepted, _ in await asyncio.gather(*connecting)] == [True] * 20
    assert await clients[0].call("count") == 20
    await asyncio.gather(*(client.disconnect() for client in clients))
    await settled()
    assert table.diary.count("start game/one") == table.diary.count("stop game/one") == 1


async def test_refusals_and_errors_end_it_too(game, table, caplog):
    refused = RtmpCommunicator(game.as_asgi(), "/game/one", arguments=["refuse"])
    assert not (await refused.connect())[0]
    await refused.disconnect()
    broken = RtmpCommunicator(game.as_asgi(), "/game/one", arguments=["raise"])
    with pytest.raises(RuntimeError, match="a bug"):
        await broken.connect()
    await settled()
    assert table.diary.count("start game/one") == table.diary.count("stop game/one")
    assert table.diary[-1] == "stop game/one"


async def test_cancelled_while_it_starts(game, table):
    table.gate = asyncio.Event()
    client = RtmpCommunicator(game.as_asgi(), "/game/one")
    await client.send_input({"type": "rtmp.connect"})
    await asyncio.sleep(0.01)
    client.future.cancel()
    await client.wait()
    assert table.diary == [], "on_start goes on: another may come"
    table.gate.set()
    await settled()
    assert table.diary == ["start game/one", "stop game/one"]


async def test_cancelled_later(game, table):
    client = await connected(game)
    client.future.cancel()
    await client.wait()
    await settled()
    assert table.diary == ["start game/one", "0 left", "stop game/one"]


async def test_who_comes_while_it_stops_gets_a_new_one(table):
    stopping, go_on = asyncio.Event(), asyncio.Event()

    class Slow(table):
        async def on_stop(self):
            stopping.set()
            await go_on.wait()
            await super().on_stop()

    registry = Instances()
    async with registry.use(Slow, "game/one") as first:
        pass
    await stopping.wait()
    using = registry.use(Slow, "game/one")
    next_one = asyncio.create_task(using.__aenter__())
    await asyncio.sleep(0.01)
    assert not next_one.done()
    go_on.set()
    assert await next_one is not first
    assert table.diary == ["start game/one", "stop game/one", "start game/one"]
    await using.__aexit__(None, None, None)
    await registry.close()
    assert len(registry) == 0


async def test_who_comes_before_it_stops_keeps_it(table):
    registry = Instances()
    async with registry.use(table, "game/one") as first:
        pass
    async with registry.use(table, "game/one") as second:
        assert second is first
    await registry.close()
    assert table.diary == ["start game/one", "stop game/one"]


async def test_on_start_that_fails_refuses_and_is_tried_again(game, table, caplog):
    working, table.on_start = table.on_start, failing
    broken = RtmpCommunicator(game.as_asgi(), "/game/one")
    with pytest.raises(RuntimeError, match="no table"):
        await broken.connect()
    table.on_start = working
    client = await connected(game)
    await client.disconnect()
    await settled()
    assert table.diary == ["start game/one", "0 left", "stop game/one"]


async def failing(self):
    raise RuntimeError("no table")


async def test_on_stop_that_fails_is_logged(table, caplog):
    table.on_stop = failing
    registry = Instances()
    async with registry.use(table, "game/one"):
        pass
    await registry.close()
    assert "on_stop of 'game/one' failed" in caplog.text
    assert len(registry) == 0


async def test_the_server_stops_while_it_starts(table, monkeypatch):
    monkeypatch.setattr("rtmp_channels.instances.STOP_SECONDS", 0.01)
    table.gate = asyncio.Event()
    registry = Instances()
    waiting = asyncio.create_task(registry.use(table, "game/one").__aenter__())
    await asyncio.sleep(0)
    await registry.close()
    with pytest.raises(ConnectionClosed):
        await waiting
    assert (len(registry), table.diary) == (0, [])


async def test_classes_do_not_share(table):
    class Other(table):
        pass

    registry = Instances()
    async with registry.use(table, "game/one") as one, registry.use(Other, "game/one") as other:
        assert (type(one), type(other)) == (table, Other)
    await registry.close()


async def test_its_shared_objects():
    shared_object_hubs.get()  # made by the first connection of a server
    instance = ApplicationInstance("game/one")
    async with shared_object("score", instance.scope) as score:
        score["ann"] = 1
        async with shared_object("score", {**instance.scope, "path": "/game/two"}) as other:
            assert dict(other) == {}
    async with shared_object("score", instance.scope) as score:
        assert dict(score) == {}, "nobody used it in between"


async def test_who_may_not_connect_starts_none(game, table):
    table.gate = asyncio.Event()  # and waits for none
    client = RtmpCommunicator(game.as_asgi(may_connect=NOBODY), "/game/one")
    assert await client.connect() == (False, "NetConnection.Connect.Rejected")
    await client.disconnect()
    assert (len(instances.get()), table.diary) == (0, [])


async def test_consumers_without_one(table):
    client = await connected(AsyncRtmpConsumer)
    assert len(instances.get()) == 0
    await client.disconnect()
