import asyncio

import pytest

from rtmp_channels.loop_local import LoopLocal


class Hub:
    closed = 0

    async def close(self):
        self.closed += 1


async def test_one_object_per_loop():
    hubs = LoopLocal(Hub)
    assert hubs.peek() is None
    assert hubs.get() is hubs.get() is hubs.peek()
    elsewhere = await asyncio.to_thread(lambda: asyncio.run(_get(hubs)))
    assert elsewhere is not hubs.get()


async def _get(hubs):
    return hubs.get()


async def test_close_ends_it_and_the_next_is_new():
    hubs = LoopLocal(Hub)
    first = hubs.get()
    await hubs.close()
    await hubs.close()
    assert first.closed == 1
    assert hubs.get() is not first


def test_needs_a_loop():
    with pytest.raises(RuntimeError):
        LoopLocal(Hub).get()
