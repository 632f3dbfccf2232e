"""The redis sequencer: its script obeys the rules of the state, and nothing is ever missed."""

import asyncio
import random

import pytest
from redis.asyncio import Redis

from rtmp_channels.shared_objects.operations import (
    Batch,
    ClearSlots,
    ObjectKey,
    RemoveSlot,
    Send,
    SetSlot,
)
from rtmp_channels.shared_objects.refusals import SequencerUnavailable, SharedObjectRefused
from rtmp_channels.shared_objects.rules import SharedObjectRules
from rtmp_channels.shared_objects.sequencers.base import LogLost
from rtmp_channels.shared_objects.sequencers.redis import RedisSequencer
from rtmp_channels.shared_objects.state import VERSIONS_PER_LOSS, ObjectState
from tests.support.process import free_port

pytestmark = pytest.mark.redis
KEY = ObjectKey("lobby/room1", "scores")


@pytest.fixture
async def make(redis_url):
    made = []

    def make(**rules):
        made.append(RedisSequencer(redis_url, SharedObjectRules(**rules)))
        return made[-1]

    yield make
    for sequencer in made:
        await sequencer.finish()
    redis = Redis.from_url(redis_url)
    await redis.flushall()
    await redis.aclose()


async def open_(sequencer, key=KEY, *, persistent=False, create=True):
    return await sequencer.open(key, persistent=persistent, create=create)


def random_batch(rng, version):
    keys, values = ["a", "b", "cc", "ü"], [b"1", b"2", b"\0\xff" * 4, None]

    def operation():
        kind = rng.randrange(10)
        if kind < 6:
            return SetSlot(rng.choice(keys), rng.choice(values))
        if kind < 8:
            return RemoveSlot(rng.choice(keys))
        return (
            ClearSlots() if kind == 8 and rng.randrange(3) == 0 else Send(b"x" * rng.randrange(4))
        )

    known = rng.choice([None, version, version, version - 1, version - 3])
    operations = tuple(operation() for _ in range(rng.randrange(4)))
    only_at = rng.choice([None, None, None, version, version - 1])
    return Batch(rng.choice(["ann", "bob", "server"]), operations, known, only_at)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("reject", [True, False])
async def test_the_script_decides_as_the_state_does(make, seed, reject):
    rules = {
        "slots": 3,
        "value_bytes": 6,
        "object_bytes": 12,
        "key_bytes": 2,
        "send_bytes": 2,
        "tombstones": 2,
        "reject_lost_changes": reject,
    }
    sequencer = make(**rules)
    replica = await open_(sequencer)
    model = ObjectState(sequencer._rules, version=replica.version)
    rng = random.Random(seed)
    for _ in range(25):
        batches = [random_batch(rng, model.version) for _ in range(rng.randrange(1, 4))]
        exchange = await sequencer.exchange(KEY, model.sequence, batches)
        assert exchange.missed == []
        assert list(exchange.outcomes) == [model.commit(batch) for batch in batches]
        for outcome in exchange.outcomes:
            if outcome.commit is not None:
                replica.apply(outcome.commit)
    for state in (replica, await open_(sequencer)):
        assert dict(state.values()) == dict(model.values())
        assert (state.version, state.sequence, state.size) == (
            *(model.version, model.sequence, model.size),
        )
        for version in range(model.version - 6, model.version + 2):
            theirs, ours = state.changes_since(version), model.changes_since(version)
            assert (theirs and sorted(theirs)) == (ours and sorted(ours))


async def test_two_processes_see_one_order(make):
    one, two = make(), make()
    first, second = await open_(one), await open_(two)
    assert first.version == second.version
    outcome = (await one.exchange(KEY, 0, [Batch("ann", (SetSlot("a", b"1"),))])).outcomes[0]
    await one.exchange(KEY, 1, [Batch("ann", (Send(b"x"), Send(b"y")))])
    exchange = await two.exchange(KEY, 0, [Batch("bob", (SetSlot("a", b"2"),), first.version)])
    assert exchange.missed[0] == outcome.commit
    assert [commit.sequence for commit in exchange.missed] == [1, 3]
    assert exchange.outcomes[0].answers[0].value == b"1"  # lost
    assert (await two.exchange(KEY, 3, [])).missed == []


@pytest.mark.parametrize("since", [0, 1, 99])
async def test_beyond_the_log_nothing_is_decided(make, since):
    sequencer = make(log_length=2)
    await open_(sequencer)
    for _ in range(3):
        await sequencer.exchange(KEY, 0, [])
        await sequencer.exchange(
            KEY, (await sequencer.heads([KEY]))[0], [Batch("ann", (Send(b"x"), Send(b"y")))]
        )
    with pytest.raises(LogLost):
        await sequencer.exchange(KEY, since, [Batch("ann", (SetSlot("a", b"1"),))])
    assert len(await open_(sequencer)) == 0
    assert len((await sequencer.exchange(KEY, 2, [])).missed) == 2


async def test_a_temporary_object_dies_with_the_last_process(make, redis_url):
    one, two = make(), make()
    state = await open_(one)
    await open_(two)
    await one.exchange(KEY, 0, [Batch("ann", (SetSlot("a", b"1"),))])
    one.close(KEY)
    await one.finish()
    assert dict((await open_(two)).values()) == {"a": b"1"}
    two.close(KEY)
    await asyncio.gather(*two._closing)
    redis = Redis.from_url(redis_url)
    assert await redis.keys("*") == []
    await redis.aclose()
    assert (await open_(two)).version != state.version + 1


async def test_an_object_opened_again_at_once_stays(make):
    sequencer = make()
    await open_(sequencer)
    await sequencer.exchange(KEY, 0, [Batch("ann", (SetSlot("a", b"1"),))])
    sequencer.close(KEY)
    state = await open_(sequencer)
    await asyncio.gather(*sequencer._closing)
    assert dict(state.values()) == {"a": b"1"}
    assert await sequencer.heads([KEY]) == [1]


async def test_every_key_of_a_temporary_object_expires(make, redis_url):
    sequencer = make()
    await open_(sequencer)
    batch = Batch("ann", (SetSlot("a", b"1"), SetSlot("b", b"1"), RemoveSlot("b")))
    await sequencer.exchange(KEY, 0, [batch])
    await sequencer.heads([KEY])
    redis = Redis.from_url(redis_url)
    keys = await redis.keys("*")
    assert len(keys) == 6
    assert all([0 < await redis.pttl(key) <= 60_000 for key in keys])
    await redis.aclose()


async def test_refusals(make):
    sequencer = make()
    with pytest.raises(SharedObjectRefused, match="ObjectCreationFailed"):
        await open_(sequencer, create=False)
    await open_(sequencer)
    with pytest.raises(SharedObjectRefused, match="BadPersistence"):
        await open_(sequencer, persistent=True)


async def test_a_flushed_redis_gets_the_object_back_from_the_first_that_looks(make, redis_url):
    one, two = make(), make()
    first, second = await open_(one), await open_(two)
    for operations in ((SetSlot("a", b"1"), SetSlot("b", b"1")), (RemoveSlot("b"),)):
        exchange = await one.exchange(KEY, first.sequence, [Batch("ann", operations)])
        first.apply(exchange.outcomes[0].commit)
    redis = Redis.from_url(redis_url)
    await redis.flushall()
    await redis.aclose()
    assert await one.heads([KEY]) == [None]
    with pytest.raises(LogLost):
        await one.exchange(KEY, first.sequence, [])
    restored = await one.restore(KEY, first)
    assert dict(restored.values()) == {"a": b"1"}
    # Others may have known changes that are lost, by versions that must not come again.
    assert restored.version == first.version + VERSIONS_PER_LOSS
    assert restored.changes_since(first.version) is None
    with pytest.raises(LogLost):  # an older replica does not go on as if nothing had happened
        await two.exchange(KEY, second.sequence, [Batch("bob", (SetSlot("a", b"0"),))])
    assert dict((await two.restore(KEY, second)).values()) == {"a": b"1"}


async def test_no_redis():
    sequencer = RedisSequencer(f"redis://127.0.0.1:{free_port()}/0", SharedObjectRules())
    with pytest.raises(SequencerUnavailable, match="Redis"):
        await open_(sequencer)
    with pytest.raises(SequencerUnavailable):
        await sequencer.heads([KEY])
    sequencer.close(KEY)
    await sequencer.finish()
