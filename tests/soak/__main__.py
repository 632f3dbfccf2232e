"""Leads a server through thousands of connections, and asks whether it is as it was before.

    python -m tests.soak --seconds 3600

Prints what it did and what the server's process held, and fails when that is more than it held
after the first rounds: descriptors, tasks, threads, and memory beyond a margin.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from rtmp_channels.client import NetConnection
from tests.interop.tls import RtmpsEndpoint
from tests.soak.lives import Lives
from tests.soak.tunnels import TunnelLives
from tests.support.demo_server import DemoServer, migrate, run_demo_server

WORKERS = 12
WARM_UP = 0.2
"""The part of the time after which the server has seen everything once."""
MARGIN_BYTES = 12_000_000
SETTLE_SECONDS = 30.0

PROGRESS_SECONDS = 60.0

State = dict[str, Any]
Kinds = dict[str, tuple[Callable[[], Awaitable[None]], float]]


async def state(port: int) -> State:
    """What the server holds, this question included."""
    async with NetConnection(f"rtmp://127.0.0.1:{port}/inside", timeout=30) as connection:
        return dict(await connection.call("state"))


async def settled(port: int, before: State | None) -> State:
    """Its state when it is done with everything: no more than before, or no less for seconds."""
    deadline = time.monotonic() + SETTLE_SECONDS
    best = await state(port)
    while time.monotonic() < deadline:
        if before is not None and not leaks(before, best):
            return best
        await asyncio.sleep(2)
        now = await state(port)
        if before is None and all(now[key] >= best[key] for key in ("tasks", "descriptors")):
            return now
        best = now
    return best


def leaks(before: State, after: State) -> list[str]:
    """What has grown."""
    margins = {"tasks": 0, "threads": 0, "descriptors": 0, "memory": MARGIN_BYTES}
    return [
        f"{key}: {before[key]} before, {after[key]} after"
        for key, margin in margins.items()
        if after[key] > before[key] + margin
    ]


def kinds_of_life(lives: Lives, tunnels: TunnelLives) -> Kinds:
    """Each with how often it is led, relative to the others."""
    return {
        "call": (lives.call, 6),
        "talk": (lives.talk, 4),
        "many_calls": (lives.many_calls, 2),
        "thrown_out": (lives.thrown_out, 3),
        "killed": (lives.killed, 3),
        "show": (lives.show, 2),
        "objects": (lives.objects, 4),
        "stalled": (lives.stalled, 0.5),
        "stalled_player": (lives.stalled_player, 0.5),
        "refused": (lives.refused, 2),
        "half_open": (lives.half_open, 0.5),
        "garbage": (lives.garbage, 1),
        "secure": (lives.secure, 2),
        "secure_garbage": (lives.secure_garbage, 0.5),
        "rtmpt": (tunnels.rtmpt, 3),
        "rtmpt_vanished": (tunnels.rtmpt_vanished, 2),
        "rtmpt_cut": (tunnels.rtmpt_cut, 1),
        "rtmpt_out_of_turn": (tunnels.rtmpt_out_of_turn, 1),
        "websocket": (tunnels.websocket, 3),
        "websocket_vanished": (tunnels.websocket_vanished, 2),
        "websocket_stalled": (tunnels.websocket_stalled, 0.5),
    }


async def live(kinds: Kinds, until: float, chance: random.Random, done: Counter[str]) -> None:
    """One worker: a random life after the other."""
    weights = [weight for _, weight in kinds.values()]
    while time.monotonic() < until:
        (name,) = chance.choices(list(kinds), weights)
        try:
            async with asyncio.timeout(60):
                await kinds[name][0]()
        except Exception as error:
            error.add_note(f"in a life of kind {name!r}")
            raise
        done[name] += 1


async def report(port: int, done: Counter[str]) -> None:
    """A line now and then, by which a long soak shows where it is."""
    began = time.monotonic()
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        held = await state(port)
        print(f"{time.monotonic() - began:.0f} s, {done.total()} lives: {held}", flush=True)


async def soak(server: DemoServer, tls_port: int, seconds: float, seed: int) -> list[str]:
    chance, done = random.Random(seed), Counter[str]()
    port = server.rtmp_port
    kinds = kinds_of_life(Lives(port, tls_port, chance), TunnelLives(server.http_port, chance))

    async def lead(duration: float) -> None:
        until = time.monotonic() + duration
        async with asyncio.TaskGroup() as tasks:
            reporting = tasks.create_task(report(port, done))
            async with asyncio.TaskGroup() as workers:
                for _ in range(WORKERS):
                    workers.create_task(live(kinds, until, chance, done))
            reporting.cancel()

    await lead(seconds * WARM_UP)
    before = await settled(port, None)
    print(f"after {done.total()} lives: {before}", flush=True)
    await lead(seconds * (1 - WARM_UP))
    after = await settled(port, before)
    print(f"after {done.total()} lives: {after}")
    print(", ".join(f"{name} {count}" for name, count in sorted(done.items())))
    return leaks(before, after)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(1 << 30)
    print(f"soak of {options.seconds:g} s, seed {seed}", flush=True)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rtmps = RtmpsEndpoint.make(folder)
        server = stack.enter_context(
            run_demo_server(
                folder,
                endpoints=[rtmps.description],
                database=migrate(folder / "db.sqlite3"),
                application="tests.soak.site:application",
                environment={"DJANGO_SETTINGS_MODULE": "tests.soak.settings"},
                allow_traceback=True,
            )
        )
        grown = asyncio.run(soak(server, rtmps.port, options.seconds, seed))
        tracebacks = server.log().count("Traceback") - server.log().count("ValueError: on request")
    if tracebacks:
        grown.append(f"{tracebacks} tracebacks in the server's log")
    for line in grown:
        print(f"GROWN {line}" if "before" in line else line)
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
