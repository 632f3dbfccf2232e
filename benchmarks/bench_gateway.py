"""The gateway above an empty view, in process, with Py3AMF's gateway beside it.

    python benchmarks/bench_gateway.py            # pure, then compiled (builds a wheel)
    python benchmarks/bench_gateway.py --only pure

The sync view runs under WSGIHandler, the async one under ASGIHandler; times are processor time of
all threads, of the fastest among many short rounds in which all take turns. A process is one draw
of where code and data lie in memory, and that alone moves a figure by ten microseconds and more:
each figure is the median of several processes, and the two builds take turns. Fails when a goal is
missed.
"""

import argparse
import asyncio
import io
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from bench_codec import INNER, ROOT, Goals, Work

GOALS = {"pure": (100.0, 60.0), "compiled": (60.0, 60.0)}
"""Microseconds above the empty view: of one call, and of each call of a batch."""
BATCH = 20
DRAWS = 15
"""Processes of each build."""
ROUNDS = 100
"""In each process."""
SELDOM = 10
"""What takes long (records, Py3AMF) takes part in one of so many rounds."""
TURNS = 3
"""In each round, of the calls whose differences are small against the times they are made of."""
WARM_UP = 3
"""Calls before those that are timed: what another work left in the caches is no matter of this
one. After a single call it still is: the figures of both doors were higher, and wandered more."""
CONTENT_TYPE = "application/x-amf"

Asked = tuple[str, Work]
"""A route, and what asks for it."""
Times = dict[str, float]
"""Microseconds of one call, by name, in one process."""


def take_turns(works: dict[str, Asked]) -> Times:
    """All works in every round, so that what else the machine does meets all of them."""
    from gateway_site import put_first

    loops = {}
    for name, (_, work) in works.items():
        work()
        start = time.perf_counter()
        work()
        loops[name] = max(1, int(0.0005 / (time.perf_counter() - start)))
    times: dict[str, list[float]] = {name: [] for name in works}
    small = [name for name in works if name.startswith(("WSGI e", "ASGI e"))]
    often = [name for name in works if not name.startswith(("records", "Py3AMF"))]
    often += small * (TURNS - 1)
    seldom = [name for name in works if name not in often]
    for number in range(ROUNDS):
        # Nothing always comes after what leaves caches or threads warm for it.
        order = often + (seldom if number % SELDOM == 0 else [])
        random.shuffle(order)
        for name in order:
            route, work = works[name]
            put_first(route)
            for _ in range(WARM_UP):
                work()
            start = time.process_time()
            for _ in range(loops[name]):
                work()
            times[name].append((time.process_time() - start) / loops[name] * 1e6)
    for door in ("WSGI", "ASGI"):
        times[f"{door} empty"] += times[f"{door} empty again"]
    return {name: typical(rounds) for name, rounds in times.items()}


def wsgi() -> Callable[[str, bytes], bytes]:
    """Posts a body to a path through WSGIHandler; → the response's."""
    from django.core.handlers.wsgi import WSGIHandler

    handler = WSGIHandler()

    def post(path: str, body: bytes) -> bytes:
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "CONTENT_TYPE": CONTENT_TYPE,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "wsgi.url_scheme": "http",
        }
        response = handler(environ, lambda status, headers: None)
        content = b"".join(response)
        response.close()
        return content

    return post


class InlineLoop(asyncio.SelectorEventLoop):
    """Does on the spot what it is told to have done by a thread.

    ASGIHandler hops into threads for its signals and for closing the response, and starts one at
    the end of every request to end the others, whatever the view does. That costs a millisecond,
    and varies by more than what is to be measured.
    """

    def __init__(self) -> None:
        super().__init__()
        # Within a context of threads the handler makes none of its own, and has none to end.
        self.within = copy_context()
        self.within.run(SyncToAsync.thread_sensitive_context.set, ThreadSensitiveContext())

    def run_until_complete(self, future: Awaitable[Any]) -> Any:
        return self.within.run(super().run_until_complete, future)

    def run_in_executor(self, executor: Any, function: Any, *args: Any) -> asyncio.Future[Any]:
        future = self.create_future()
        future.set_result(function(*args))
        return future


def asgi(loop: asyncio.AbstractEventLoop) -> Callable[[str, bytes], bytes]:
    """The same through ASGIHandler."""
    from django.core.handlers.asgi import ASGIHandler

    handler = ASGIHandler()

    def post(path: str, body: bytes) -> bytes:
        return loop.run_until_complete(_exchange(handler, path, body))

    return post


async def _exchange(handler: Any, path: str, body: bytes) -> bytes:
    headers = [(b"content-type", CONTENT_TYPE.encode()), (b"content-length", b"%d" % len(body))]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": headers,
    }
    events = [{"type": "http.request", "body": body}]
    parts = []

    async def receive() -> dict[str, Any]:
        # A client that stays: the disconnect never comes.
        return events.pop() if events else await asyncio.get_running_loop().create_future()

    async def send(event: dict[str, Any]) -> None:
        parts.append(event.get("body", b""))

    await handler(scope, receive, send)
    return b"".join(parts)


def asked(post: Callable[[str, bytes], bytes], route: str, body: bytes) -> Asked:
    return route, lambda: post(f"/{route}", body)


def packet(target: str, *, count: int = 1, version: int = 0, arguments: Any = None) -> bytes:
    from amf_remoting.packet import Message, Packet

    values = [1, "two", 3.5, True, None] if arguments is None else arguments
    messages = [
        Message(target, f"/{number}", values, encoding=3 if version == 3 else 0)
        for number in range(1, count + 1)
    ]
    return Packet(version, [], messages).serialize()


def check(body: bytes, count: int) -> bytes:
    """What is measured has to work."""
    from amf_remoting import packet as packets

    targets = [message.target_uri for message in packets.parse(body).messages]
    assert targets == [f"/{number}/onResult" for number in range(1, count + 1)], targets
    return body


def measure() -> tuple[Times, tuple[int, int]]:
    """Times; bytes of the records in AMF3 and in JSON."""
    inline, loop = InlineLoop(), asyncio.new_event_loop()
    sync, async_, with_threads = wsgi(), asgi(inline), asgi(loop)
    one, many = packet("echo.args"), packet("echo.args", count=BATCH)
    aone, amany = packet("echo.aargs"), packet("echo.aargs", count=BATCH)
    records = packet("echo.records", version=3, arguments=[])
    for post, body, count in [(sync, one, 1), (sync, many, BATCH), (async_, amany, BATCH)]:
        check(post("/gateway/", body), count)
    check(sync("/py3amf/", many), BATCH)
    works = {
        "WSGI empty": asked(sync, "empty/", one),
        "WSGI echo": asked(sync, "gateway/", one),
        "WSGI batch": asked(sync, "gateway/", many),
        "ASGI empty": asked(async_, "aempty/", one),
        "ASGI empty again": asked(async_, "aempty/", one),
        "WSGI empty again": asked(sync, "empty/", one),
        "ASGI echo": asked(async_, "gateway/", aone),
        "ASGI batch": asked(async_, "gateway/", amany),
        "pool empty": asked(with_threads, "aempty/", one),
        "pool echo": asked(with_threads, "gateway/", one),
        "Py3AMF echo": asked(sync, "py3amf/", one),
        "Py3AMF batch": asked(sync, "py3amf/", many),
        "records AMF3": asked(sync, "gateway/", records),
        "records JSON": asked(sync, "json/", b""),
    }
    times = take_turns(works)
    sizes = (len(check(sync("/gateway/", records), 1)), len(sync("/json/", b"")))
    inline.close()
    loop.close()
    return times, sizes


def typical(rounds: list[float]) -> float:
    """What a call takes while the machine does nothing else: one round of 32 is faster."""
    return quantiles(rounds, n=32, method="inclusive")[0]


def above(times: Times, name: str) -> float:
    """Microseconds above the empty view; of a batch, for each call."""
    door = "WSGI" if name.startswith("Py3AMF") else name.split(maxsplit=1)[0]
    difference = times[name] - times[f"{door} empty"]
    return difference / (BATCH if name.endswith("batch") else 1)


def judge(kind: str, draws: list[Times], size_ratio: float) -> Goals:
    goals = Goals()
    version = sys.version.split()[0]
    print(f"\n== {kind} codec, Python {version}, no middleware, no database, {DRAWS} processes")
    empty = ", ".join(
        f"{door} {median(one[f'{door} empty'] for one in draws):.0f} us"
        for door in ("WSGI", "ASGI")
    )
    print(f"empty views: {empty}")
    print(f"{'us above the empty view':28}{'ours':>8}{'from':>8}{'to':>6}{'goal':>6}{'Py3AMF':>8}")
    for form, goal in zip(("echo", "batch"), GOALS[kind], strict=True):
        theirs = median(above(one, f"Py3AMF {form}") for one in draws)
        for door in ("WSGI", "ASGI"):
            figures = sorted(above(one, f"{door} {form}") for one in draws)
            ours, least, most = median(figures), figures[0], figures[-1]
            title = f"{form} of {BATCH}, per call, {door}" if form == "batch" else f"echo, {door}"
            print(f"{title:28}{ours:8.0f}{least:8.0f}{most:6.0f}{goal:6.0f}{theirs:8.0f}")
            goals.at_most(f"{title}, us", ours, goal)
    pooled = median(above(one, "pool echo") for one in draws)
    print(f"{'echo of a sync method, ASGI':28}{pooled:8.0f}  (processor time of all threads)")
    time_ratio = median(one["records AMF3"] / one["records JSON"] for one in draws)
    print(f"1,000 records, AMF3/JsonResponse: time {time_ratio:.2f}, bytes {size_ratio:.2f}")
    goals.at_most("bytes of the records, AMF3/JSON", size_ratio, 0.5)
    if kind == "compiled":
        goals.at_most("time of the records, AMF3/JSON", time_ratio, 1.0)
    return goals


def run_inner(kind: str) -> None:
    """Measures in this process, and prints what ``draw`` reads."""
    import gateway_site

    gateway_site.configure()
    gateway_site.add_addresses()
    from amf_remoting import amf

    assert amf.COMPILED is (kind == "compiled"), f"{amf.__file__} is not {kind}"
    print(json.dumps(measure()))


def draw(kind: str, python: Path, folder: str) -> tuple[Times, float]:
    """One process's times, and the records' share of JSON's bytes."""
    variables = {"PYTHONPATH": str(ROOT)} if kind == "pure" else {}
    command = [python, __file__, INNER, kind]
    done = subprocess.run(command, cwd=folder, env=variables, check=True, stdout=subprocess.PIPE)
    times, (amf_size, json_size) = json.loads(done.stdout)
    return times, amf_size / json_size


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=[*GOALS])
    parser.add_argument(INNER, choices=[*GOALS], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inner:
        run_inner(options.inner)
        return 0
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        pythons = {kind: Path(sys.executable) for kind in GOALS if options.only in (None, kind)}
        if "compiled" in pythons:
            # Not above: it leads to the tree's sources, which the compiled half must not find.
            from builds import compiled_python

            pythons["compiled"] = compiled_python(Path(folder))
        drawn: dict[str, list[tuple[Times, float]]] = {kind: [] for kind in pythons}
        for _ in range(DRAWS):
            for kind, python in pythons.items():
                drawn[kind].append(draw(kind, python, folder))
        for kind, draws in drawn.items():
            goals = judge(kind, [times for times, _ in draws], draws[0][1])
            missed += [f"{kind} {line}" for line in goals.missed]
    for line in missed:
        print(f"MISSED {line}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
