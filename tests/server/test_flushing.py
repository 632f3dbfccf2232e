"""Writes at the end of a turn of the loop: one that fails is not the others' affair."""

import asyncio

from rtmp_channels.flushing import FlushQueue


class Writer:
    def __init__(self, written, *, works=True):
        self._written, self._works = written, works

    def flush(self):
        if not self._works:
            raise RuntimeError("broken")
        self._written.append(self)


async def test_all_write_but_the_broken_one(caplog):
    written = []
    first, broken, last = Writer(written), Writer(written, works=False), Writer(written)
    queue = FlushQueue()
    for one in (first, broken, last):
        queue.add(one)
    assert written == []
    await asyncio.sleep(0)
    assert written == [first, last]
    assert "could not be written to" in caplog.text
    queue.add(broken)
    queue.add(first)
    await asyncio.sleep(0)
    assert written == [first, last, first]
