"""The end of the server: every step is tried, and none keeps it from stopping."""

import asyncio
import logging

import pytest

from rtmp_channels.rooms.current import room_hubs
from rtmp_channels.server import shutdown
from rtmp_channels.shared_objects.current import shared_object_hubs


class Reactor:
    def __init__(self):
        self.triggers = []

    def addSystemEventTrigger(self, phase, event, trigger):
        assert (phase, event) == ("before", "shutdown")
        self.triggers.append(trigger)

    async def stop(self):
        loop = asyncio.get_running_loop()
        endings = [trigger() for trigger in self.triggers]
        await asyncio.gather(*(ending.asFuture(loop) for ending in endings))


async def test_the_hubs_are_closed_when_the_sessions_have_ended():
    reactor, steps = Reactor(), []

    async def finish():
        steps.append("finish")
        assert room_hubs.peek() is hub

    hub = room_hubs.get()
    shutdown.stop_before_shutdown(reactor, lambda: steps.append("begin"), finish)
    await reactor.stop()
    assert steps == ["begin", "finish"]
    assert room_hubs.peek() is None


async def test_the_last_endpoint_that_has_ended_closes_the_hubs():
    reactor, hub = Reactor(), room_hubs.get()
    first_has_ended = asyncio.Event()
    found = []

    async def ends_first():
        first_has_ended.set()

    async def ends_later():
        await first_has_ended.wait()
        for _ in range(10):  # turns of the loop in which the first could go on
            await asyncio.sleep(0)
        found.append(room_hubs.peek())

    for finish in (ends_first, ends_later):
        shutdown.stop_before_shutdown(reactor, lambda: None, finish)
    await reactor.stop()
    assert found == [hub]
    assert room_hubs.peek() is None


async def fails():
    raise RuntimeError("a hub that cannot be closed")


async def hangs():
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("close", "text"),
    [
        (fails, "RTMP connections could not be ended in order"),
        (hangs, "something did not end within 0.05 s"),
    ],
)
async def test_a_hub_that_does_not_close_leaves_the_others_their_turn(
    monkeypatch, caplog, close, text
):
    monkeypatch.setattr(shutdown, "PATIENCE", 0.05)
    monkeypatch.setattr(room_hubs.get(), "close", close)
    shared_object_hubs.get()
    with caplog.at_level(logging.ERROR):
        await shutdown.close_hubs()
    assert shared_object_hubs.peek() is None
    [record] = caplog.records
    assert text in record.getMessage()
