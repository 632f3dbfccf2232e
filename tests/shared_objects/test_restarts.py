"""Daphnes are restarted one after the other, or killed; what has to stay is there."""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from rtmp_channels.client import NetConnection, Sync
from rtmp_channels.client.address import Address
from tests.shared_objects.clients import until
from tests.support.demo_server import run_demo_server
from tests.support.process import REPOSITORY

SHELL = """
from rtmp_channels.shared_objects.access import shared_object
with shared_object("board", {"path": "/lobby/rolling"}) as board:
    board["shell"] = len(board)
"""


class Restartable:
    """A demo site that can be stopped and started; waits for that outside of the event loop."""

    def __init__(self, **options):
        self._options = options
        self._running = contextlib.ExitStack()

    async def start(self):
        """Returns where it listens, and the environment it runs with."""
        server = run_demo_server(**self._options)
        started = await asyncio.to_thread(self._running.enter_context, server)
        self._process = started.process
        return Address.parse(started.rtmp_url("lobby/rolling")), started.environment

    async def stop(self):
        await asyncio.to_thread(self._running.close)

    async def kill(self):
        self._process.kill()
        await asyncio.to_thread(self._process.wait)
        with pytest.raises(AssertionError, match="the server died"):
            await self.stop()


async def count_up(board, name):
    """Writes on and on, each number when the one before stands."""
    for number in range(1_000_000):
        board.set(name, number)
        await board.until(lambda slots, number=number: slots.get(name) == number)


@pytest.mark.redis
async def test_rolling_restart(redis_url, migrated_database, tmp_path):
    database = shutil.copy(migrated_database, tmp_path / "db.sqlite3")
    environment = {"REDIS_URL": redis_url}
    servers = [
        Restartable(folder=tmp_path, database=database, environment=environment) for _ in range(2)
    ]
    try:
        started = await asyncio.gather(*(server.start() for server in servers))
        connections = [NetConnection(address.url) for address, _ in started]
        for connection in connections:
            await connection.connect()
        boards = [connection.shared_object("board") for connection in connections]
        for board in boards:
            await board.use()
        boards[0].update({"kept": [1, "é"], "gone 0": 0, "gone 1": 1})
        await boards[1].until(len)
        for number, server in enumerate(servers):
            mine, other = boards[number], boards[1 - number]
            writing = asyncio.create_task(count_up(other, f"count {number}"))
            await mine.until(lambda slots, number=number: slots.get(f"count {number}", 0) > 3)
            before = mine[f"count {number}"]
            await server.stop()
            await connections[number].wait_closed()
            assert not mine.in_use
            other.remove(f"gone {number}")
            connections[number].address, _ = await server.start()
            await connections[number].connect()
            writing.cancel()
            synced = []
            mine.on_sync = synced.extend
            await mine.use()
            # Only what changed: the connection comes back with the version it had.
            assert Sync("delete", f"gone {number}", number) in synced
            assert {sync.key for sync in synced} == {f"gone {number}", f"count {number}"}
            mine.set(f"back {number}", True)
            await other.until(lambda slots, number=number: f"back {number}" in slots)
            await until(lambda mine=mine, other=other: dict(mine) == dict(other))
            assert mine[f"count {number}"] > before
        assert set(boards[0]) == {"kept", "count 0", "count 1", "back 0", "back 1"}
        # And a shell takes part.
        shell = [sys.executable, "manage.py", "shell", "-c", SHELL]
        variables = {**os.environ, **started[0][1]}
        await asyncio.to_thread(
            subprocess.run, shell, cwd=REPOSITORY, env=variables, check=True, timeout=60
        )
        for board in boards:
            await board.until(lambda slots: slots.get("shell") == 5)
        for connection in connections:
            await connection.close()
    finally:
        for server in servers:
            await server.stop()


async def test_kill_9_loses_no_more_than_the_delay(migrated_database, tmp_path):
    """In the memory of one process: what was written down before is there again."""
    database = shutil.copy(migrated_database, tmp_path / "db.sqlite3")
    server = Restartable(folder=tmp_path, database=database)

    def is_written():
        with contextlib.closing(sqlite3.connect(database)) as connection:
            return connection.execute(
                "SELECT name FROM rtmp_channels_sharedobjectrecord"
            ).fetchall()

    try:
        address, _ = await server.start()
        connection = NetConnection(address.url)
        await connection.connect()
        notes = connection.shared_object("notes", persistent=True)
        await notes.use()
        notes.set("old", 1)
        await until(is_written)
        notes.set("new", 2)
        await notes.until(lambda slots: "new" in slots)
        await server.kill()
        await connection.wait_closed()
        connection.address, _ = await server.start()
        await connection.connect()
        synced = []
        notes.on_sync = synced.extend
        await notes.use()
        assert synced[:2] == [Sync("clear"), Sync("change", "old")]  # everything is told
        assert notes["old"] == 1
        assert set(notes) <= {"old", "new"}
        await connection.close()
    finally:
        await server.stop()
