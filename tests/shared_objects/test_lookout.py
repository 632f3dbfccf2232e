"""The watch over objects of several processes ends when it is told to."""

import asyncio

from rtmp_channels.shared_objects import lookout as lookout_module
from rtmp_channels.shared_objects.lookout import Lookout
from rtmp_channels.shared_objects.operations import ObjectKey


class DeafSequencer:
    """Its answers swallow one cancellation, as Redis clients of Python 3.11 have been seen to."""

    def __init__(self):
        self.asked = asyncio.Event()

    async def heads(self, keys):
        self.asked.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            return [0 for _ in keys]


async def test_closing_ends_a_watch_that_did_not_hear_its_cancellation(monkeypatch):
    monkeypatch.setattr(lookout_module, "WATCH_INTERVAL", 0)
    sequencer = DeafSequencer()
    key = ObjectKey("lobby/room1", "scores")
    lookout = Lookout(sequencer, {key: None}, layer=None)
    await lookout.follow(key)
    await sequencer.asked.wait()
    async with asyncio.timeout(20):
        await lookout.close()
