"""What a heartbeat writes, and when."""

import asyncio
import logging

import pytest

from rtmp_channels.connections import heartbeat
from rtmp_channels.connections.heartbeat import Heartbeat
from rtmp_channels.connections.roster import Roster
from tests.presence.facts import facts


class Member:
    def __init__(self, connection_id):
        self.id = connection_id
        self.now = facts(connection_id)

    def facts(self):
        return self.now


class FakeStore:
    def __init__(self):
        self.beats = asyncio.Queue()
        self.is_known = True
        self.error = None
        self.has_left = False

    async def write(self, beat):
        if self.error is not None:
            self.beats.put_nowait("failed")
            raise self.error
        self.beats.put_nowait(beat)
        was_known, self.is_known = self.is_known, True
        return was_known

    async def leave(self):
        self.has_left = True
        if self.error is not None:
            raise self.error

    async def next(self):
        """(connections, ids of the facts, ids of those that are gone) of the next beat."""
        async with asyncio.timeout(10):
            beat = await self.beats.get()
        if beat == "failed":
            return beat
        facts = [*beat.new, *beat.changed]
        return beat.connections, [one.connection_id for one in facts], list(beat.gone)


@pytest.fixture
def store():
    return FakeStore()


@pytest.fixture
async def make_roster(store):
    made = []

    def make(interval):
        roster = Roster(make_heartbeat=lambda roster: Heartbeat(roster, store, interval=interval))
        made.append(roster)
        return roster

    yield make
    for roster in made:
        await roster.close()


async def test_only_what_changed_is_written(make_roster, store):
    roster = make_roster(0.01)
    one, two = Member("one"), Member("two")
    roster.add(one, listed=True)
    roster.add(two, listed=True)
    roster.add(Member("communicator"))
    assert await store.next() == (2, ["one", "two"], [])
    assert await store.next() == (2, [], [])
    two.now = facts("two", received=4_000)
    while (beat := await store.next())[1] != ["two"]:
        assert beat == (2, [], [])
    roster.discard(one)
    roster.discard(one)
    while (beat := await store.next())[2] != ["one"]:
        assert beat == (2, [], [])
    assert await store.next() == (1, [], [])


async def test_whose_user_is_gone_is_nobodys(make_roster, store):
    """What else has changed is written with it."""
    roster = make_roster(0.01)
    one = Member("one")
    one.now = facts("one", user=7)
    roster.add(one, user="7", listed=True)
    (written,) = (await store.beats.get()).new
    assert written.user == 7
    roster.forget_user("one")
    one.now = facts("one", user=7, received=4_000)
    async with asyncio.timeout(10):
        while not (beat := await store.beats.get()).new:
            assert beat.changed == []
    assert (beat.new, beat.changed, beat.gone) == ([facts("one", received=4_000)], [], [])
    assert await store.next() == (1, [], [])


async def test_comings_and_goings_are_told_before_the_next_beat(make_roster, store, monkeypatch):
    monkeypatch.setattr(heartbeat, "EARLY", 0.01)
    roster = make_roster(60)
    one, two = Member("one"), Member("two")
    roster.add(one, listed=True)
    assert await store.next() == (1, ["one"], [])
    one.now = facts("one", received=4_000)  # waits for the next beat
    roster.add(two, listed=True)
    while (beat := await store.next()) != (2, ["two"], []):
        assert beat == (1, [], [])
    roster.discard(one)
    roster.discard(two)
    assert await store.next() == (0, [], ["one", "two"])


async def test_who_was_taken_for_dead_tells_all_again(make_roster, store):
    roster = make_roster(0.01)
    roster.add(Member("one"), listed=True)
    assert await store.next() == (1, ["one"], [])
    store.is_known = False
    assert await store.next() == (1, [], [])
    assert await store.next() == (1, ["one"], [])
    assert await store.next() == (1, [], [])


async def test_a_store_that_fails_is_logged_once_and_tried_again(make_roster, store, caplog):
    caplog.set_level(logging.INFO, "rtmp_channels")
    store.error = OSError("no such table")
    roster = make_roster(0.01)
    roster.add(Member("one"), listed=True)
    for _ in range(3):
        assert await store.next() == "failed"
    store.error = None
    while (beat := await store.next()) == "failed":
        pass
    assert beat == (1, ["one"], [])
    await store.next()
    assert [record.getMessage() for record in caplog.records] == [
        "The list of connections cannot be written (migrate?): no such table",
        "The list of connections is written again",
    ]


async def test_the_process_leaves_the_list_when_it_ends(make_roster, store, caplog):
    roster = make_roster(60)
    roster.add(Member("one"), listed=True)
    await store.next()
    await roster.close()
    assert store.has_left
    roster = make_roster(60)
    roster.add(Member("one"), listed=True)
    store.error = OSError("the database is gone")
    await roster.close()
    assert "This process stays in the list" in caplog.text


async def test_no_heartbeat_without_an_interval():
    roster = Roster()
    one = Member("one")
    roster.add(one, listed=True)
    assert list(roster.listed()) == []
    roster.discard(one)
    await roster.close()
