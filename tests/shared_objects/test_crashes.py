"""Processes are killed while they write; Red5's faults are looked for and not found."""

import asyncio
import itertools
import os
import signal
import sys

import pytest
from channels.layers import InMemoryChannelLayer

from rtmp_channels.protocol.shared_object import Change, RequestChange, Success
from rtmp_channels.shared_objects import lookout as lookout_module
from rtmp_channels.shared_objects.grants import Grant
from tests.shared_objects.clients import Client, make_hub, settle, until
from tests.support.process import REPOSITORY

pytestmark = pytest.mark.redis


async def use(hub, name):
    client = Client(hub, name)
    client.say_use()
    await until(lambda: client.messages)
    client.events()
    return client


async def test_kill_9_of_one_process_while_all_write(redis_url, make_redis_hub, layers):
    """What it had acknowledged is there, nobody waits for it, and all that are left agree."""
    hub = make_redis_hub(layer=layers[0])
    watcher = await use(hub, "watcher")
    names = ["p0", "p1", "p2"]
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
        await until(lambda: watcher.data["p1"] > mark + 20 and watcher.data["p2"] > 5)
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
