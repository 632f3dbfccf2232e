"""Rooms over a real Redis, in two processes."""

import asyncio
import sys

import pytest

from tests.support.process import REPOSITORY

pytestmark = pytest.mark.redis


class Process:
    """One of the processes of room_process.py."""

    def __init__(self, process):
        self.process = process

    async def line(self):
        async with asyncio.timeout(20):
            return (await self.process.stdout.readline()).decode().rstrip("\n")

    async def do(self, command):
        """Gives a command; returns what was heard before it was done."""
        self.process.stdin.write(f"{command}\n".encode())
        heard = []
        while (line := await self.line()) != "done":
            heard.append(line)
        return heard

    async def end(self):
        self.process.stdin.write(b"end\n")
        return await asyncio.wait_for(self.process.wait(), 20)


@pytest.fixture
async def processes(redis_url):
    started = [
        Process(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.rooms.room_process", redis_url),
                cwd=REPOSITORY,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        )
        for _ in range(2)
    ]
    yield started
    for process in started:
        if process.process.returncode is None:
            process.process.kill()
            await process.process.wait()


async def test_a_broadcast_reaches_its_own_room_only_in_every_process(processes):
    one, two = processes
    for process in processes:
        await process.do("join red")
        await process.do("join blue")
    assert await one.do("say red first") == ["red first"]
    assert await two.line() == "red first"
    assert await two.do("say blue second") == ["blue second"]
    assert await one.line() == "blue second"
    # A room that somebody left is heard of no more; the other still is.
    await two.do("leave red")
    assert await one.do("say red third") == ["red third"]
    assert await one.do("say blue fourth") == ["blue fourth"]
    assert await two.line() == "blue fourth"
    assert [await process.end() for process in processes] == [0, 0]
