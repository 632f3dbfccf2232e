"""The end of the server: every step is tried, and none keeps it from stopping."""

import asyncio
import logging

import pytest

from rtmp_channels.open_sessions import open_sessions
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


async def test_the_hubs_are_closed_when_the_sessions_have_ended(monkeypatch):
    reactor, steps = Reactor(), []

    async def all_closed(timeout):
        steps.append("all closed")
        assert room_hubs.peek() is hub

    sessions, hub = open_sessions.get(), room_hubs.get()
    monkeypatch.setattr(sessions, "end_all", lambda: steps.append("end all"))
    monkeypatch.setattr(sessions, "all_closed", all_closed)
    shutdown.stop_before_shutdown(reactor)
    await reactor.stop()
    assert steps == ["end all", "all closed"]
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
