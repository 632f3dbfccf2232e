"""What bench_rtmp has a server do, in a process of its own.

Reads one JSON object from stdin (`scenario`, `port`, `pid` of the server, and what the scenario
takes), prints one JSON object of figures.
"""

from __future__ import annotations

import json
import re
import struct
import sys
import time
from statistics import quantiles
from typing import Any

from rtmp_load import PATIENCE, Client, Load, Meter, command
from rtmp_stream_load import LOOK_SECONDS, stream


def connects_held(task: dict[str, Any], meter: Meter) -> dict[str, Any]:
    """Opens connections one after the other and keeps them; then closes them all."""
    load = Load(task["port"], task["app"], digest=task["digest"])
    load.open_many(task["warm_up"])
    load.close_all()
    meter.settle()
    memory = meter.resident_bytes()
    meter.restart()
    load.open_many(task["count"], in_flight=task["in_flight"])
    meter.settle()
    figures = meter.figures()
    held = meter.resident_bytes() - memory
    meter.restart()
    load.close_all()
    meter.settle()
    closing = meter.figures()["server"]
    return {**figures, "count": task["count"], "closing": closing, "memory": held}


def connects_paced(task: dict[str, Any], meter: Meter) -> dict[str, Any]:
    """Begins connections at a fixed rate, whatever becomes of them; each is closed when open."""
    load = Load(task["port"], task["app"], digest=task["digest"])
    load.open_many(task["warm_up"])
    load.close_all()
    load.latencies.clear()
    load.on_accepted = load.close
    meter.restart()
    begin = time.perf_counter()
    opened = 0
    while opened < task["count"] or load.clients:
        due = begin + opened / task["rate"]
        now = time.perf_counter()
        if opened < task["count"] and now >= due:
            load.open(due)
            opened += 1
            load.turn(0)
        else:
            load.turn(min(due - now, 0.1) if opened < task["count"] else 0.1)
    tenths = quantiles(load.latencies, n=100)
    return {
        **meter.figures(),
        "count": len(load.latencies),
        "lost": load.lost,
        "p50": tenths[49],
        "p99": tenths[98],
    }


def connects_pressed(task: dict[str, Any], meter: Meter) -> dict[str, Any]:
    """As many as the server takes: so many at a time, each closed when it is open."""
    load = Load(task["port"], task["app"], digest=task["digest"])
    load.open_many(task["warm_up"])
    load.close_all()
    load.latencies.clear()
    load.on_accepted = load.close
    meter.restart()
    end = time.perf_counter() + task["seconds"]
    while time.perf_counter() < end:
        while len(load.clients) < task["in_flight"]:
            load.open(time.perf_counter())
        load.turn(0.1)
    figures = meter.figures()
    count = len(load.latencies)
    load.close_all()
    return {**figures, "count": count, "lost": load.lost}


TEXT = b"sixteen letters!"
ANSWER = re.compile(rb"\x02\x00\x07_result\x00(........)\x05\x02\x00\x10" + TEXT, re.DOTALL)
ANSWER_BYTES = 10 + 9 + 1 + 3 + len(TEXT)


def calls(task: dict[str, Any], meter: Meter) -> dict[str, Any]:
    """Calls of echo.echo, each with an id of its own: so many on each connection in flight."""
    before, after = command("echo.echo", 1, TEXT.decode()).split(struct.pack(">d", 1), 1)
    waiting: dict[int, set[bytes]] = {}
    answered = sent = 0
    calling = True

    def call(client: Client, count: int) -> None:
        nonlocal sent
        ids = [struct.pack(">d", 1000 + sent + number) for number in range(count)]
        sent += count
        waiting[id(client)].update(ids)
        client.sock.send(b"".join([before + one + after for one in ids]))

    def on_data(client: Client, data: bytes) -> None:
        nonlocal answered
        data = client.tail + data
        answers = list(ANSWER.finditer(data))
        rest = data[answers[-1].end() :] if answers else data
        client.tail = rest[-ANSWER_BYTES + 1 :]
        if answers:
            waiting[id(client)].difference_update([answer[1] for answer in answers])
            answered += len(answers)
            if calling:
                call(client, len(answers))

    load = Load(task["port"], task["app"], digest=False, on_data=on_data)
    for client in load.open_many(task["connections"], in_flight=1):
        waiting[id(client)] = set()
        call(client, task["in_flight"])
    warm = time.perf_counter() + task["warm_up"]
    while time.perf_counter() < warm:
        load.turn(0.1)
    first = answered
    meter.restart()
    end = time.perf_counter() + task["seconds"]
    while time.perf_counter() < end:
        load.turn(0.1)
    figures = meter.figures()
    count = answered - first
    calling = False
    patience = time.perf_counter() + PATIENCE
    while any(waiting.values()) and time.perf_counter() < patience:
        load.turn(0.1)
    lost = sum(map(len, waiting.values())) + load.lost
    load.close_all()
    return {**figures, "count": count, "lost": lost}


def room(task: dict[str, Any], meter: Meter) -> dict[str, Any]:
    """One says something in a room of many; when all have heard it, again.

    The sockets are looked at every few milliseconds, as in `stream`, for the reason given there.
    """
    text = b"hello, everybody in this room"
    heard = 0

    def on_data(client: Client, data: bytes) -> None:
        nonlocal heard
        heard += data.count(text)

    load = Load(task["port"], task["app"], digest=False, on_data=on_data)
    speaker = load.open_many(task["connections"], in_flight=16)[0]
    say = command("lobby.say", 0, text.decode())
    listeners = task["connections"] - 1
    count = 0

    def speak() -> None:
        nonlocal count
        speaker.sock.send(say)
        count += listeners
        while heard < count:
            time.sleep(LOOK_SECONDS)
            load.turn(0.1)

    warm = time.perf_counter() + task["warm_up"]
    while time.perf_counter() < warm:
        speak()
    first = count
    meter.restart()
    end = time.perf_counter() + task["seconds"]
    while time.perf_counter() < end:
        speak()
    figures = meter.figures()
    load.close_all()
    return {**figures, "count": count - first, "lost": load.lost}


SCENARIOS = {
    each.__name__: each
    for each in (connects_held, connects_paced, connects_pressed, calls, room, stream)
}


def main() -> None:
    task = json.load(sys.stdin)
    meter = Meter(task["pid"])
    figures = SCENARIOS[task["scenario"]](task, meter)
    json.dump(figures, sys.stdout)


if __name__ == "__main__":
    main()
