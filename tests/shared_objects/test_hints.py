"""What processes tell each other through the channel layer, and what they make of it."""

import asyncio

import pytest
from redis.asyncio import Redis

from rtmp_channels.shared_objects import lookout as lookout_module
from rtmp_channels.shared_objects.lookout import NEWS_BYTES
from rtmp_channels.shared_objects.operations import Commit, EventKind, ObjectEvent, object_group
from rtmp_channels.shared_objects.sequencers import redis_packing
from tests.rooms.layers import FakeLayer
from tests.shared_objects.clients import Client, until
from tests.shared_objects.test_processes import make_clients

pytestmark = pytest.mark.redis


async def test_a_hint_holds_what_is_small(make_redis_hub):
    layer = FakeLayer()
    one, two = make_redis_hub(layer=layer), make_redis_hub(layer=layer)
    ann, bob = await make_clients(one, two)
    asked = count_exchanges(two)
    ann.set("a", "x" * 1000)
    await until(lambda: bob.data == {"a": "x" * 1000})
    ann.send("hello")
    await until(lambda: bob.sent == [("hello",)])
    assert asked == []  # all was in the hints
    ann.set("a", "x" * NEWS_BYTES)
    await until(lambda: bob.data == {"a": "x" * NEWS_BYTES})
    assert asked == [3 - 1]  # from the log
    group, message = layer.sent[-1]
    assert group.startswith("so.")
    assert message["body"] == b"3\n"


async def test_a_gap_before_a_hint_is_read_from_the_log(make_redis_hub):
    layer = FakeLayer()
    one, two = make_redis_hub(layer=layer), make_redis_hub(layer=layer)
    ann, bob = await make_clients(one, two)
    send, layer.group_send = layer.group_send, lose
    ann.set("a", 1)
    await until(lambda: len(ann.messages) == 2)
    layer.group_send = send
    ann.set("b", 2)
    await until(lambda: bob.data == {"a": 1, "b": 2})


async def test_hints_that_come_while_a_turn_is_under_way(make_redis_hub):
    """They wait for it; what it brings is not told twice, and nothing is skipped."""
    layer = FakeLayer()
    one, two = make_redis_hub(layer=layer), make_redis_hub(layer=layer)
    ann, bob = await make_clients(one, two)
    decide, gate = two.sequencer.exchange, asyncio.Event()

    async def slowly(*arguments):
        exchange = await decide(*arguments)
        await gate.wait()
        return exchange

    two.sequencer.exchange = slowly
    bob.set("b", 0)
    for number in range(5):
        ann.send("count", number)
    turns = next(iter(two._objects.values()))
    await until(lambda: len(turns._news) == 5)
    assert bob.sent == []
    gate.set()
    await until(lambda: ann.sent == bob.sent == [("count", number) for number in range(5)])
    assert ann.data == bob.data == {"b": 0}
    two.sequencer.exchange = decide


async def test_hints_of_an_object_that_was_lost_are_not_taken(make_redis_hub):
    """Same name, next number, but another incarnation: the log is asked, and it knows."""
    one, two = make_redis_hub(), make_redis_hub()
    ann, bob = await make_clients(one, two)
    turns = next(iter(two._objects.values()))
    commit = Commit(1, ann.version + 1, "ann", (ObjectEvent(EventKind.SEND, data=b"?"),))
    news = redis_packing.pack_news(b"another", [commit])
    two._lookout._heard(object_group(turns.fanout.key), b"1\n" + news)
    await turns.settled()
    assert bob.sent == []
    ann.set("a", 1)
    await until(ann.events)
    two._lookout._heard(object_group(turns.fanout.key), b"1\n" + news)
    await until(lambda: bob.data == {"a": 1})


async def test_a_use_does_not_hide_that_the_object_was_lost(make_redis_hub, redis_url, monkeypatch):
    """Both have come to the same number, one of them by what Redis has lost: nobody forks."""
    monkeypatch.setattr(lookout_module, "WATCH_INTERVAL", 3600)
    one, two = make_redis_hub(), make_redis_hub()
    ann, bob = await make_clients(one, two)
    ann.set("a", "lost")
    await until(ann.events)
    redis = Redis.from_url(redis_url)
    await redis.flushall()
    await redis.aclose()
    bob.set("a", "kept")  # restored from bob's copy, which has not seen ann's change
    await until(bob.events)
    late = Client(one, "late")
    late.say_use()  # opens what bob has made, beside ann's copy
    await until(lambda: late.messages)
    late.set("b", 1)
    await until(lambda: "b" in ann.data)
    await two.refresh(next(iter(two._objects)))
    assert ann.data == bob.data == late.data == {"a": "kept", "b": 1}


async def lose(group, message):
    pass


def count_exchanges(hub):
    """The sequence numbers after which the hub has asked, from now on."""
    asked, exchange = [], hub.sequencer.exchange

    def counted(key, since, batches):
        asked.append(since)
        return exchange(key, since, batches)

    hub.sequencer.exchange = counted
    return asked


async def test_the_last_user_goes_while_the_next_one_comes(make_redis_hub, monkeypatch):
    """Hints still reach the object: who comes has asked for them before the other has gone."""
    monkeypatch.setattr(lookout_module, "WATCH_INTERVAL", 3600)
    layer = FakeLayer()
    one, two = make_redis_hub(layer=layer), make_redis_hub(layer=layer)
    ann, bob = await make_clients(one, two)
    open_, gate = two.sequencer.open, asyncio.Event()

    async def slowly(*arguments, **options):
        await gate.wait()
        return await open_(*arguments, **options)

    two.sequencer.open = slowly
    late = Client(two, "late")
    late.say_use()
    await until(lambda: two._opening)
    bob.release()
    assert not two._objects
    gate.set()
    await until(lambda: late.messages)
    ann.set("a", 1)
    await until(lambda: late.data == {"a": 1})
