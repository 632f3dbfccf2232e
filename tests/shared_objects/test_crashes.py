"""Processes are killed while they write; Red5's faults are looked for and not found."""

import asyncio
import contextlib
import itertools
import os
import signal
import sys

import pytest
from channels.layers import InMemoryChannelLayer
from redis.asyncio import Redis

from rtmp_channels.protocol.shared_object import Change, RequestChange, Success
from rtmp_channels.shared_objects import lookout as lookout_module
from rtmp_channels.shared_objects.grants import Grant
from tests.shared_objects.clients import Client, make_hub, settle, until
from tests.support.process import REPOSITORY, find_program
from tests.support.redis_server import run_redis_server

pytestmark = pytest.mark.redis


async def use(hub, name):
    client = Client(hub, name)
    client.say_use()
    await until(lambda: client.messages)
    client.events()
    return client


async def test_kill_9_of_one_of_four_processes_while_all_write(redis_url, make_redis_hub, layers):
    """What it had acknowledged is there, nobody waits for it, and all that are left agree."""
    hub = make_redis_hub(layer=layers[0])
    watcher = await use(hub, "watcher")
    names = ["p0", "p1", "p2", "p3"]
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.shared_objects.object_process", redis_url, name),
            cwd=REPOSITORY,
            stdout=asyncio.subprocess.PIPE,
        )
        for name in names
    ]
    try:
        async with asyncio.timeout(30):
            for process in processes:
                while int(await process.stdout.readline()) < 5:
                    pass
        os.kill(processes[0].pid, signal.SIGKILL)
        last = (await processes[0].stdout.read()).split()
        acknowledged = int(last[-1]) if last else 5
        mark = watcher.data["p1"]
        await until(lambda: watcher.data["p1"] > mark + 20)
        assert min(watcher.data["p2"], watcher.data["p3"]) >= 5
        assert watcher.data["p0"] >= acknowledged
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
            await process.wait()
    # One late comer, in another process's eyes, has what the watcher has.
    await hub.refresh(next(iter(hub._objects)))
    late = await use(make_redis_hub(), "late")
    assert late.data == watcher.data


async def test_kill_9_of_redis_while_all_write(make_redis_hub, monkeypatch, tmp_path):
    """It comes back empty; what everyone had is there again, in one state, and goes on."""
    monkeypatch.setattr(lookout_module, "WATCH_INTERVAL", 0.05)
    program = find_program("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(run_redis_server(program, tmp_path))
        hubs = [make_redis_hub(url=url) for _ in range(2)]
        clients = [await use(hub, f"client {n}") for n, hub in enumerate(hubs * 2)]
        writing = [asyncio.create_task(write_on(client)) for client in clients]
        await until(lambda: all(client.data.get(client.id, 0) >= 5 for client in clients))
        async with Redis.from_url(url) as redis:
            os.kill((await redis.info("server"))["process_id"], signal.SIGKILL)
        await until(lambda: all(hub._lookout.is_sequencer_away for hub in hubs))
        seen = [min(client.data[other.id] for client in clients) for other in clients]
        port = int(url.rpartition(":")[2].partition("/")[0])
        monkeypatch.setattr("tests.support.redis_server.free_port", lambda: port)
        stack.enter_context(run_redis_server(program, tmp_path))
        await until(lambda: not any(hub._lookout.is_sequencer_away for hub in hubs))
        for task in writing:
            task.cancel()
        for client in clients:
            client.set(f"{client.id} again", True)
        names = {client.id for client in clients}
        expected = names | {f"{name} again" for name in names}
        await until(lambda: all(set(client.data) == expected for client in clients))
        await until(lambda: all(client.data == clients[0].data for client in clients))
        for client, before in zip(clients, seen, strict=True):
            assert clients[0].data[client.id] >= before
        late = await use(make_redis_hub(url=url), "late")
        assert late.data == clients[0].data
        for client in (*clients, late):
            client.port.close()
        for hub in (*hubs, late.port.hub):
            await hub.close()


async def write_on(client):
    """Counts up in its own slot, one answer after the other, whatever the answers are."""
    while True:
        client.events()
        client.set(client.id, client.data.get(client.id, 0) + 1)
        await until(client.events)
        await asyncio.sleep(0.002)  # while nobody can be asked, answers are there at once


async def test_a_channel_layer_that_is_full(make_redis_hub, monkeypatch):
    """Hints are dropped in silence; the watch makes up for them."""
    monkeypatch.setattr(lookout_module, "WATCH_INTERVAL", 0.05)
    layer = InMemoryChannelLayer(capacity=1)
    ann = await use(make_redis_hub(layer=layer), "ann")
    bob = await use(make_redis_hub(layer=layer), "bob")
    for number in range(200):
        ann.set("a", number)
        ann.send("count", number)
        await until(lambda: not ann.port.is_congested)  # as a session does
    await until(lambda: bob.data == {"a": 199})
    assert bob.sent == ann.sent == [("count", number) for number in range(200)]


class TestRed5:
    """Its three faults."""

    async def test_no_write_is_lost_however_long_another_takes(self):
        """Red5 gives up a write that waits 100 ms for another thread's."""
        hub = make_hub()
        gate = asyncio.get_running_loop().create_future()
        slow, others = Client(hub, "slow"), [Client(hub, f"client {n}") for n in range(50)]
        slow.grants["scores"] = gate
        slow.say_use()
        slow.set("slow", 1)
        for client in others:
            await client.use()
            client.set(client.id, 1)
        await asyncio.sleep(0.15)
        gate.set_result(Grant())
        await settle()
        expected = {"slow": 1, **{client.id: 1 for client in others}}
        assert all(client.data == expected for client in others)

    async def test_versions_never_overtake_each_other(self, make_redis_hub, layers):
        hubs = [make_redis_hub(layer=layer) for layer in layers]
        clients = [await use(hubs[number % 2], f"client {number}") for number in range(6)]
        for number in range(30):
            for client in clients:
                client.set(f"k{number % 3} {client.id}", number)
            await asyncio.sleep(0)
        await until(
            lambda: (
                len({client.version for client in clients}) == 1
                and clients[0].version >= clients[0].messages[0].version + 180
            )
        )
        for client in clients:
            versions = [message.version for message in client.messages]
            assert all(a <= b for a, b in itertools.pairwise(versions))
            assert client.data == clients[0].data

    async def test_bulk_changes_are_acknowledged_and_told_at_once(self):
        hub = make_hub()
        ann, bob = Client(hub, "ann"), Client(hub, "bob")
        for client in (ann, bob):
            await client.use()
            client.events()
        pairs = tuple((f"k{number}", number) for number in range(100))
        ann.say(RequestChange(pairs))
        assert ann.events() == [Success(key) for key, _ in pairs]
        assert bob.events() == [Change((pair,)) for pair in pairs]
        assert ann.messages[-1].version == bob.messages[-1].version
