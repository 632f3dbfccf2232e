"""The timer wheel."""

import asyncio

import pytest

from rtmp_channels.timers import RESOLUTION, TimerWheel


class Entry:
    def __init__(self, *again):
        self.reached = asyncio.Queue()
        self.again = list(again)

    def deadline_reached(self, now):
        self.reached.put_nowait(now)
        return now + self.again.pop(0) if self.again else None


@pytest.fixture
async def wheel():
    wheel = TimerWheel()
    yield wheel
    await wheel.close()


def now():
    return asyncio.get_running_loop().time()


async def test_deadlines_are_reached_in_time_and_never_early(wheel):
    entry = Entry()
    deadline = now() + 0.3
    wheel.schedule(entry, deadline)
    reached = await asyncio.wait_for(entry.reached.get(), 2)
    assert deadline <= reached <= deadline + 3 * RESOLUTION


async def test_an_entry_may_ask_again(wheel):
    entry = Entry(RESOLUTION)
    wheel.schedule(entry, now())
    first = await asyncio.wait_for(entry.reached.get(), 2)
    assert await asyncio.wait_for(entry.reached.get(), 2) >= first + RESOLUTION


async def test_a_new_deadline_replaces_the_old_one(wheel):
    entry, other = Entry(), Entry()
    wheel.schedule(entry, now())
    wheel.schedule(entry, now() + 1_000)
    wheel.schedule(other, now() + RESOLUTION)
    await asyncio.wait_for(other.reached.get(), 2)
    assert entry.reached.empty()
    wheel.schedule(entry, now())
    await asyncio.wait_for(entry.reached.get(), 2)


async def test_discarded_entries_are_not_reached(wheel):
    entry, other = Entry(), Entry()
    wheel.schedule(entry, now())
    wheel.schedule(other, now() + RESOLUTION)
    wheel.discard(entry)
    wheel.discard(entry)
    await asyncio.wait_for(other.reached.get(), 2)
    assert entry.reached.empty()


async def test_an_entry_that_raises_is_logged_and_the_others_go_on(wheel, caplog):
    class Broken:
        def deadline_reached(self, now):
            raise RuntimeError("broken")

    other = Entry()
    wheel.schedule(Broken(), now())
    wheel.schedule(other, now() + RESOLUTION)
    await asyncio.wait_for(other.reached.get(), 2)
    [record] = caplog.records
    assert "could not be handled" in record.getMessage()


@pytest.mark.parametrize("is_moved", [False, True])
async def test_an_entry_may_end_or_move_those_that_are_due_with_it(wheel, caplog, is_moved):
    class Ending(Entry):
        def deadline_reached(self, now):
            for other in {*entries} - {self}:
                wheel.discard(other)
                if is_moved:
                    wheel.schedule(other, now + 1_000)
            return super().deadline_reached(now)

    entries = [Ending() for _ in range(3)]
    later = Entry()
    deadline = now()
    for entry in entries:
        wheel.schedule(entry, deadline)
    wheel.schedule(later, deadline + 2 * RESOLUTION)
    await asyncio.wait_for(later.reached.get(), 2)
    assert sum(entry.reached.qsize() for entry in entries) == 1
    assert caplog.records == []


async def test_no_timer_runs_while_nothing_waits(wheel):
    entry = Entry()
    wheel.schedule(entry, now())
    await asyncio.wait_for(entry.reached.get(), 2)
    assert wheel._timer is None
    wheel.schedule(entry, now())
    await asyncio.wait_for(entry.reached.get(), 2)
