"""Events gathered over a tick: one write for those who read, nothing late for those who write."""

import asyncio

import pytest

from rtmp_channels.protocol.shared_object import Change, Clear, Success, UseSuccess
from rtmp_channels.shared_objects import fanout as fanout_module
from rtmp_channels.shared_objects.access import shared_object
from rtmp_channels.shared_objects.current import shared_object_hubs
from tests.shared_objects.clients import Client, make_hub, settle, until

FOREVER = 3_600_000


async def make_clients(hub, *names):
    clients = [Client(hub, name) for name in names]
    for client in clients:
        await client.use()
        client.events()
    return clients


def flush(hub):
    for turns in hub._objects.values():
        turns.fanout.flush()


async def test_readers_share_one_write_per_tick():
    hub = make_hub(tick_ms=FOREVER)
    ann, bob, cem = await make_clients(hub, "ann", "bob", "cem")
    written = []
    bob.write_shared = cem.write_shared = written.append
    for number in range(5):
        ann.set("a", number)
    assert ann.events() == [Success("a")] * 5
    assert written == []
    flush(hub)
    assert len(written) == 2
    assert written[0] is written[1]
    del bob.write_shared
    bob.write_shared(written[0])
    assert bob.events() == [Change((("a", number),)) for number in range(5)]


async def test_a_writer_is_told_first_what_came_before_its_change():
    hub = make_hub(tick_ms=FOREVER)
    ann, bob = await make_clients(hub, "ann", "bob")
    ann.set("a", 1)
    bob.set("b", 2)
    assert bob.events() == [Change((("a", 1),)), Success("b")]
    assert ann.events() == [Success("a")]
    flush(hub)
    assert bob.events() == []
    assert ann.events() == [Change((("b", 2),))]


async def test_who_comes_between_ticks_is_not_told_twice():
    hub = make_hub(tick_ms=FOREVER)
    (ann,) = await make_clients(hub, "ann")
    ann.set("a", 1)
    bob = Client(hub, "bob")
    await bob.use()
    flush(hub)
    assert bob.events() == [UseSuccess(), Clear(), Change((("a", 1),))]


async def test_the_tick_ends_by_itself():
    hub = make_hub(tick_ms=1)
    ann, bob = await make_clients(hub, "ann", "bob")
    for number in range(3):
        ann.set("a", number)
        await until(lambda number=number: bob.data == {"a": number})


async def test_what_a_tick_gathers_is_limited(monkeypatch):
    monkeypatch.setattr(fanout_module, "GATHERED_COMMITS", 3)
    hub = make_hub(tick_ms=FOREVER)
    ann, bob = await make_clients(hub, "ann", "bob")
    for number in range(3):
        assert bob.events() == []
        ann.set("a", number)
    assert len(bob.events()) == 3


@pytest.mark.parametrize("tick_ms", [0, FOREVER])
async def test_a_call_is_told_of_its_changes_before_its_result(settings, tick_ms):
    settings.RTMP_CHANNELS = {"SHARED_OBJECTS": {"TICK_MS": tick_ms}}
    hub = shared_object_hubs.get()
    try:
        (ann,) = await make_clients(hub, "ann")
        scope = {"path": "/lobby/room1", "rtmp": {"connection_id": ann.id}}
        async with shared_object("scores", scope) as scores:
            scores["a"] = 1
        assert ann.events() == [Change((("a", 1),))]
        ann.port.close()
        await settle()
        assert not [task for task in asyncio.all_tasks() if "relay" in task.get_name()]
    finally:
        await shared_object_hubs.close()
