"""While Redis is away: objects are read-only, or refused; when it is back they are, too."""

import asyncio

import pytest
from redis.asyncio import Redis

from rtmp_channels.protocol.shared_object import Change, Clear, Status, UseSuccess
from rtmp_channels.shared_objects import lookout as lookout_module
from rtmp_channels.shared_objects.access import shared_object
from rtmp_channels.shared_objects.current import shared_object_hubs
from rtmp_channels.shared_objects.grants import Grant
from rtmp_channels.shared_objects.refusals import SequencerUnavailable
from tests.shared_objects.clients import Client, settle, until
from tests.shared_objects.test_processes import make_clients

pytestmark = pytest.mark.redis

NO_READ = Status("SharedObject.NoReadAccess", "error")
NO_WRITE = Status("SharedObject.NoWriteAccess", "error")
FAILED = Status("SharedObject.ObjectCreationFailed", "error")


@pytest.fixture
def unwatched(monkeypatch):
    """Nobody looks but the test."""
    monkeypatch.setattr(lookout_module, "WATCH_INTERVAL", 3600)


class Outage:
    """Takes a hub's sequencer away until it is given back."""

    def __init__(self, hub):
        self.hub = hub

    async def begin(self):
        sequencer = self.hub.sequencer
        for name in ("open", "exchange", "restore", "heads"):
            setattr(sequencer, name, self.fail)
        await self.look()

    async def end(self):
        for name in ("open", "exchange", "restore", "heads"):
            delattr(self.hub.sequencer, name)
        await self.look()

    async def look(self):
        """As the watch does once a second."""
        await self.hub._lookout._compare(tuple(self.hub._objects))
        await asyncio.gather(*(turns.settled() for turns in self.hub._objects.values()))
        await settle()

    async def fail(self, *arguments, **options):
        raise SequencerUnavailable("gone")


async def test_read_only(make_redis_hub, unwatched):
    hub = make_redis_hub()
    ann, bob = await make_clients(hub, hub)
    ann.set("a", 1)
    await until(lambda: bob.data == {"a": 1})
    ann.events(), bob.events()
    outage = Outage(hub)
    await outage.begin()
    ann.set("a", 2)
    assert ann.events() == [NO_WRITE, Change((("a", 1),))]  # at once: nobody is asked
    late = Client(hub, "late")
    await late.use()
    assert late.events() == [UseSuccess(), Clear(), Change((("a", 1),))]
    await late.use(name="new")
    assert late.events() == [FAILED]
    persistent = Client(hub, "persistent", flags=2)
    await persistent.use()
    assert persistent.events() == [Status("SharedObject.BadPersistence", "error")]
    await outage.end()
    late.set("a", 3)
    await until(lambda: ann.data == bob.data == {"a": 3})
    assert bob.events() == [Change((("a", 3),))]


async def test_refused(make_redis_hub, unwatched):
    hub = make_redis_hub(without_sequencer="refuse")
    ann, bob = await make_clients(hub, hub)
    ann.set("a", 1)
    await until(lambda: bob.data == {"a": 1})
    ann.events(), bob.events()
    outage = Outage(hub)
    await outage.begin()
    assert ann.events() == bob.events() == [NO_READ, Clear()]
    assert ann.data == bob.data == {}
    ann.set("a", 2)
    assert ann.events() == [NO_WRITE]
    await ann.use(version=0)
    assert ann.events() == [NO_READ]
    late = Client(hub, "late")
    await late.use()
    assert late.events() == [FAILED]
    await outage.end()
    assert ann.events() == bob.events() == [UseSuccess(), Clear(), Change((("a", 1),))]
    bob.set("b", 2)
    await until(lambda: ann.data == bob.data == {"a": 1, "b": 2})
    await late.use(version=0)
    await until(lambda: late.data == {"a": 1, "b": 2})


async def test_what_was_under_way_when_it_was_refused(make_redis_hub, unwatched):
    """Its answer comes after the refusal, and is not told: what holds is told in the end."""
    hub = make_redis_hub(without_sequencer="refuse")
    ann, bob = await make_clients(hub, hub)
    decide, gate = hub.sequencer.exchange, asyncio.Event()

    async def slowly(*arguments):
        exchange = await decide(*arguments)
        await gate.wait()
        return exchange

    hub.sequencer.exchange = slowly
    ann.set("a", 1)
    await settle()
    hub._lookout._sequencer_went(SequencerUnavailable("gone"))
    gate.set()
    turns = next(iter(hub._objects.values()))
    await turns.settled()
    assert ann.events() == bob.events() == [NO_READ, Clear()]
    hub.sequencer.exchange = decide
    await Outage(hub).look()
    assert ann.data == bob.data == {"a": 1}


async def test_others_go_on_meanwhile(make_redis_hub, unwatched):
    """One process cannot reach Redis: what others do is told when it can."""
    one, two = make_redis_hub(without_sequencer="refuse"), make_redis_hub()
    ann, bob = await make_clients(one, two)
    outage = Outage(one)
    await outage.begin()
    bob.set("b", 1)
    bob.send("hello")
    await until(lambda: bob.sent)
    await outage.end()
    assert (ann.data, ann.sent) == ({"b": 1}, [("hello",)])


@pytest.mark.parametrize("mode", ["read_only", "refuse"])
async def test_redis_comes_back_empty(make_redis_hub, unwatched, redis_url, mode):
    hubs = [make_redis_hub(without_sequencer=mode) for _ in range(2)]
    ann, bob = await make_clients(*hubs)
    ann.set("a", 1)
    await until(ann.events)
    await hubs[1].refresh(next(iter(hubs[1]._objects)))
    outages = [Outage(hub) for hub in hubs]
    for outage in outages:
        await outage.begin()
    redis = Redis.from_url(redis_url)
    await redis.flushall()
    await redis.aclose()
    for outage in outages:
        await outage.end()
    assert ann.data == bob.data == {"a": 1}
    bob.events()
    bob.set("b", 2)
    await until(bob.events)
    await outages[0].look()
    assert ann.data == bob.data == {"a": 1, "b": 2}
    assert ann.version == bob.version


@pytest.mark.parametrize("mode", ["read_only", "refuse"])
async def test_server_code(redis_url, settings, unwatched, mode):
    settings.RTMP_CHANNELS = {
        "SEQUENCER": "redis",
        "REDIS_URL": redis_url,
        "SHARED_OBJECTS": {"WITHOUT_SEQUENCER": mode},
    }
    hub = shared_object_hubs.get()
    try:
        (ann,) = await make_clients(hub)
        ann.set("a", 1)
        await until(ann.events)
        scope = {"path": "/lobby/room1", "rtmp": {"connection_id": ann.id}}
        seen = []

        async def change():
            async with shared_object("scores", scope) as scores:
                seen.append(dict(scores))
                scores["a"] = 2

        await Outage(hub).begin()
        with pytest.raises(SequencerUnavailable):
            await change()
        assert seen == ([{"a": 1}] if mode == "read_only" else [])
        await Outage(hub).end()
        await change()
        assert seen[-1] == {"a": 1}
        ann.port.close()
    finally:
        await shared_object_hubs.close()


async def test_nothing_is_kept_of_names_that_were_refused(make_redis_hub):
    hub = make_redis_hub()
    client = Client(hub, "ann")
    for number in range(5):
        client.grants[f"name {number}"] = Grant(create=False)
        client.say_use(name=f"name {number}")
    await until(lambda: len(client.messages) == 5)
    assert client.events() == [FAILED] * 5
    await until(lambda: not hub._lookout._keys)
    assert not hub._opening


async def test_the_last_user_leaves_while_it_is_away(make_redis_hub, monkeypatch):
    """Nobody watches any more: the next use finds out for itself."""
    monkeypatch.setattr(lookout_module, "WATCH_INTERVAL", 0.01)
    hub = make_redis_hub()
    (ann,) = await make_clients(hub)
    outage = Outage(hub)
    await outage.begin()
    ann.release()
    for name in ("open", "exchange", "restore", "heads"):
        delattr(hub.sequencer, name)
    await until(lambda: not hub._lookout.is_sequencer_away)
    ann.say_use(version=0)
    await until(lambda: ann.events() == [UseSuccess(), Clear()])
