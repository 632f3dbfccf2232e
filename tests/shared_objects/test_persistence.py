"""Persistent objects: kept by a store, in memory here, in the database below."""

import asyncio
import logging

import pytest

from rtmp_channels.models import SharedObjectRecord
from rtmp_channels.protocol.shared_object import PERSISTENT, Change, Clear, Status, UseSuccess
from rtmp_channels.shared_objects import persistence
from rtmp_channels.shared_objects.access import shared_object
from rtmp_channels.shared_objects.current import shared_object_hubs
from rtmp_channels.shared_objects.grants import Grant
from rtmp_channels.shared_objects.hub import SharedObjectHub
from rtmp_channels.shared_objects.operations import ObjectKey
from rtmp_channels.shared_objects.persistence import Keeper, StoredObject
from rtmp_channels.shared_objects.rules import SharedObjectRules
from rtmp_channels.shared_objects.sequencers.memory import MemorySequencer
from rtmp_channels.shared_objects.sequencers.redis import RedisSequencer
from tests.shared_objects.clients import Client, settle, until

KEY = ObjectKey("lobby/room1", "scores")


class Shelf:
    """A store that can be told to fail, or to take its time."""

    def __init__(self):
        self.objects = {}
        self.saves = 0
        self.failing = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def load(self, key):
        await self.gate.wait()
        if self.failing:
            raise OSError("no store")
        return self.objects.get(key)

    async def save(self, objects):
        await self.gate.wait()
        if self.failing:
            raise OSError("no store")
        self.saves += 1
        self.objects.update((stored.key, stored) for stored in objects)

    def close(self):
        pass


def make_hub(store, *, delay=0.01):
    rules = SharedObjectRules()
    keeper = Keeper(store, rules, delay=delay)
    return SharedObjectHub(MemorySequencer(rules), rules, keeper=keeper)


async def make_client(hub, name="ann", **options):
    client = Client(hub, name, flags=PERSISTENT, **options)
    client.say_use()
    await until(lambda: client.messages)
    return client


@pytest.fixture
def shelf():
    return Shelf()


async def test_it_outlives_its_users_and_the_server(shelf):
    hub = make_hub(shelf, delay=3600)
    ann = await make_client(hub)
    ann.set("a", {"x": [1, "é"]})
    ann.set("b", 1)
    ann.remove("b")
    ann.port.close()
    again = await make_client(hub, "again")
    assert again.data == {"a": {"x": [1, "é"]}}
    assert shelf.saves == 0
    await hub.close()  # writes it down
    assert shelf.saves == 1
    later = await make_client(make_hub(shelf), "later")
    assert later.data == {"a": {"x": [1, "é"]}}
    assert later.messages[0].persistent
    assert later.version > again.version


async def test_changes_are_written_together_within_the_delay(shelf):
    hub = make_hub(shelf)
    ann = await make_client(hub)
    for number in range(20):
        ann.set("a", number)
    await until(lambda: shelf.objects)
    assert shelf.saves == 1
    assert shelf.objects[KEY].version == ann.version
    await hub.close()
    assert shelf.saves == 1


async def test_after_a_restart_everything_is_told(shelf):
    """A version that a client knows may be one of a change that was lost."""
    hub = make_hub(shelf)
    ann = await make_client(hub)
    ann.set("a", 1)
    await hub.close()
    bob = Client(make_hub(shelf), "bob", flags=PERSISTENT)
    bob.version = ann.version + 3
    bob.data = {"lost": True}
    bob.say_use()
    await until(lambda: bob.messages)
    assert bob.events() == [UseSuccess(), Clear(), Change((("a", 1),))]


async def test_a_change_while_it_is_written_is_written_again(shelf):
    hub = make_hub(shelf, delay=0)
    ann = await make_client(hub)
    shelf.gate.clear()
    ann.set("a", 1)
    await settle()
    ann.set("a", 2)
    shelf.gate.set()
    await until(lambda: shelf.saves == 2)
    assert shelf.objects[KEY].version == ann.version
    await hub.close()


async def test_reading_waits_for_no_older_state(shelf):
    """Opened by one while the last other changes and leaves: the change is not undone."""
    hub = make_hub(shelf)
    ann = await make_client(hub)
    ann.set("a", 1)
    await until(lambda: shelf.objects)
    ann.release()
    shelf.gate.clear()
    bob = Client(hub, "bob", flags=PERSISTENT)
    bob.say_use()
    await settle()
    shelf.objects[KEY] = StoredObject(KEY, 10**6, ())
    hub._keeper._writes += 1  # as if it had been written meanwhile
    shelf.gate.set()
    await until(lambda: bob.messages)
    assert bob.data == {}
    await hub.close()


async def test_a_store_that_fails_is_tried_again_and_logged_once(shelf, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(persistence, "LONGEST_PAUSE", 0.01)
    hub = make_hub(shelf)
    ann = await make_client(hub)
    shelf.failing = True
    ann.set("a", 1)
    await until(lambda: "cannot be written down now" in caplog.text)
    ann.set("a", 2)
    await asyncio.sleep(0.05)
    shelf.failing = False
    await until(lambda: shelf.objects)
    await until(lambda: "written down again" in caplog.text)
    assert caplog.text.count("cannot be written down now") == 1
    await hub.close()


async def test_what_cannot_be_written_at_shutdown_is_said(shelf, caplog):
    hub = make_hub(shelf)
    ann = await make_client(hub)
    shelf.failing = True
    ann.set("a", 1)
    await hub.close()
    assert "1 shared objects could not be written down" in caplog.text


async def test_a_store_that_cannot_be_read_refuses_the_use(shelf):
    shelf.failing = True
    ann = await make_client(make_hub(shelf))
    assert ann.events() == [Status("SharedObject.ObjectCreationFailed", "error")]


async def test_create_is_not_needed_for_what_is_kept(shelf):
    hub = make_hub(shelf)
    ann = await make_client(hub)
    ann.set("a", 1)
    await hub.close()
    bob = Client(make_hub(shelf), "bob", flags=PERSISTENT)
    bob.grants["scores"] = Grant(create=False)
    bob.say_use()
    await until(lambda: bob.messages)
    assert bob.data == {"a": 1}


async def test_temporary_objects_are_not_written(shelf):
    hub = make_hub(shelf)
    ann = Client(hub, "ann")
    await ann.use()
    ann.set("a", 1)
    await hub.close()
    assert shelf.objects == {}


@pytest.mark.django_db(transaction=True)
class TestDatabase:
    async def test_objects_survive_in_the_database(self):
        for number in range(2):
            ann = await make_client(shared_object_hubs.get(), f"ann {number}")
            assert ann.data == ({"ü": [b"\0\xff", 0.5]} if number else {})
            ann.set("ü", [b"\0\xff", 0.5])
            ann.set("b", 1)
            ann.set("b", None)
            await shared_object_hubs.close()
        record = await SharedObjectRecord.objects.aget()
        assert (record.instance, record.name) == KEY
        assert str(record) == "scores in lobby/room1"
        assert record.version == ann.version

    async def test_server_code_and_several_objects(self):
        ann = await make_client(shared_object_hubs.get())
        scope = {"path": "/lobby/room1", "rtmp": {"connection_id": ann.id}}
        for name in ("one", "two"):
            async with shared_object(name, scope, persistent=True) as view:
                view["name"] = name
        await shared_object_hubs.close()
        names = [r.name async for r in SharedObjectRecord.objects.order_by("name")]
        assert names == ["one", "two"]

    async def test_names_that_databases_refuse(self):
        from rtmp_channels.shared_objects.database import DatabaseStore

        store = DatabaseStore()
        keys = [ObjectKey("lobby/a", "sco\0res"), ObjectKey("lobby\0/a", "scores")]
        await store.save([StoredObject(key, 1, (("a\0", b"\1\1"),)) for key in keys])
        loaded = [await store.load(key) for key in keys]
        assert [(one.key, one.slots) for one in loaded] == [
            (key, (("a\0", b"\1\1"),)) for key in keys
        ]
        names = SharedObjectRecord.objects.values_list("instance", "name")
        assert [row async for row in names] == [("lobby/a", "scores")] * 2
        store.close()

    async def test_an_older_version_does_not_replace_a_newer(self):
        from rtmp_channels.shared_objects.database import DatabaseStore

        store = DatabaseStore()
        for version in (5, 4):
            await store.save([StoredObject(KEY, version, (("a", b"\1\1"),))])
        assert (await store.load(KEY)).version == 5
        assert await store.load(ObjectKey("other", "scores")) is None
        store.close()

    async def test_without_persistence_it_is_refused(self, settings):
        settings.RTMP_CHANNELS = {"PERSISTENCE": "none"}
        ann = await make_client(shared_object_hubs.get())
        assert ann.events() == [Status("SharedObject.BadPersistence", "error")]
        await shared_object_hubs.close()

    @pytest.mark.redis
    async def test_with_redis_a_lost_redis_begins_from_the_database(self, redis_url, settings):
        settings.RTMP_CHANNELS = {"SEQUENCER": "redis", "REDIS_URL": redis_url}
        ann = await make_client(shared_object_hubs.get())
        ann.set("a", 1)
        await until(lambda: ann.messages[1:])
        await shared_object_hubs.close()
        hub = shared_object_hubs.get()
        assert isinstance(hub.sequencer, RedisSequencer)
        await hub.sequencer._redis.flushall()
        bob = await make_client(hub, "bob")
        assert bob.data == {"a": 1}
        await hub.sequencer._redis.flushall()
        await shared_object_hubs.close()
