"""The RTMP server on stock daphne, with nginx-rtmp, rtmplite3 and pyrtmp beside it.

    python benchmarks/bench_rtmp.py                 # pure, then compiled (builds a wheel)
    python benchmarks/bench_rtmp.py --only pure --parts calls stream

Server and load are processes of their own. Figures are processor time of the server, from /proc;
a row is void when the load itself took more than 80 % of a core. Servers that are compared take
turns in one run. Fails when a goal is missed; peers that are not installed are named and left out.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from builds import BUILDS, compiled_python
from rtmp_servers import ROOT, Server, Site, nginx, nginx_missing, peer, peer_missing

BUSY = 0.8
"""Share of a core; a load that takes more measures itself."""
ROUNDS = 3
CONNECT_US, CONNECT_MS, CONNECTS_PER_SECOND = 600, 5.0, 1_200
CALL_US = {"pure": 100, "compiled": 45}
DELIVERY_US = 15
IDLE_KB = 60
SETTLED = 3
"""Seconds after which new connections are done with: ours writes them to its list a second late."""
PER_PACKET, PER_TICK = 1.6, 0.25
"""Of nginx-rtmp's processor time for each megabit to each player."""

Figures = dict[str, Any]


def load(server: Server, scenario: str, **task: Any) -> Figures:
    """Runs one scenario in a process of its own."""
    script = Path(__file__).with_name("rtmp_scenarios.py")
    task |= {"scenario": scenario, "port": server.port, "pid": server.pid}
    done = subprocess.run(
        [sys.executable, script],
        input=json.dumps(task),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


@dataclass
class Report:
    """Prints rows as they come, and remembers which goals were missed."""

    missed: list[str] = field(default_factory=list)

    def row(self, what: str, value: float, unit: str, goal: str = "", **notes: float) -> None:
        remarks = ", ".join(f"{name} {amount:.3g}" for name, amount in notes.items())
        print(f"{what:46}{value:10.4g} {unit:18}{goal:>10}  {remarks}", flush=True)

    def judged(
        self, what: str, figures: Figures, value: float, unit: str, limit: float, **notes: float
    ) -> None:
        """A row with a goal: at most `limit`."""
        self.row(what, value, unit, f"<= {limit:g}", load=figures["load"], **notes)
        if figures["load"] > BUSY:
            print(f"  VOID: the load took {figures['load']:.0%} of a core")
        elif value > limit:
            self.missed.append(f"{what}: {value:.4g} {unit}, at most {limit:g} wanted")

    def nothing_lost(self, what: str, count: float) -> None:
        if count:
            self.missed.append(f"{what}: {count:g} lost")


def per(figures: Figures, count: str = "count", scale: float = 1e6) -> float:
    """Processor time of the server for each; microseconds unless `scale` says otherwise."""
    return float(figures["server"]) / float(figures[count]) * scale


def middle(rounds: list[Figures], value: Callable[[Figures], float]) -> Figures:
    """The round whose value is the median."""
    return sorted(rounds, key=value)[len(rounds) // 2]


def measure_connects(site: Site, folder: Path, report: Report) -> None:
    names: dict[str, Any] = {"ours": site.serve}
    if not nginx_missing():
        names["nginx-rtmp"] = lambda: nginx(folder)
    options = {"app": "open", "digest": True, "warm_up": 100}
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(start()) for name, start in names.items()}
        results: dict[tuple[str, str], list[Figures]] = {}
        for _ in range(ROUNDS):
            for name, server in servers.items():
                for scenario, task in {
                    "connects_held": {"count": 1000, "in_flight": 8},
                    "connects_paced": {"count": 600, "rate": 200},
                    "connects_pressed": {"seconds": 3, "in_flight": 32},
                }.items():
                    found = load(server, scenario, **options, **task)
                    results.setdefault((name, scenario), []).append(found)
    for name in servers:
        held = middle(results[name, "connects_held"], per)
        paced = middle(results[name, "connects_paced"], lambda one: float(one["p50"]))
        pressed = middle(results[name, "connects_pressed"], lambda one: -one["count"] / one["wall"])
        closing = held["closing"] / held["count"] * 1e6
        rate = pressed["count"] / pressed["wall"]
        used = pressed["server"] / pressed["wall"]
        # What was there before is used again: the first round is the one that allocates.
        kilobytes = results[name, "connects_held"][0]["memory"] / held["count"] / 1000
        if name != "ours":
            report.row(f"{name}: connect", per(held), "us", load=held["load"], closing=closing)
            report.row(f"{name}: 200 connects a second, p50", paced["p50"] * 1e3, "ms")
            report.row(f"{name}: connects when pressed", rate, "a second", core=used)
            report.row(f"{name}: memory of an idle connection", kilobytes, "kB")
            continue
        report.judged("connect with digest", held, per(held), "us", CONNECT_US, closing=closing)
        p50, p99 = paced["p50"] * 1e3, paced["p99"] * 1e3
        report.judged("200 connects a second, p50", paced, p50, "ms", CONNECT_MS, p99=p99)
        report.row(
            "connects when pressed",
            rate,
            "a second",
            f">= {CONNECTS_PER_SECOND}",
            load=pressed["load"],
            core=used,
            us=per(pressed),
        )
        if rate < CONNECTS_PER_SECOND:
            report.missed.append(f"{rate:.0f} connects a second, {CONNECTS_PER_SECOND} wanted")
        report.judged("memory of an idle connection", held, kilobytes, "kB", IDLE_KB)
        for scenario in ("connects_paced", "connects_pressed"):
            lost = sum(one["lost"] for one in results[name, scenario])
            report.nothing_lost(scenario, lost)


def measure_calls(site: Site, folder: Path, report: Report) -> None:
    starts: dict[str, Any] = {"ours": site.serve}
    for name in ("rtmplite3", "pyrtmp"):
        if not peer_missing(name):
            starts[name] = lambda name=name: peer(name, folder)
    task = {"app": "lobby/bench", "connections": 8, "in_flight": 16, "warm_up": 1, "seconds": 3}
    rounds: dict[str, list[Figures]] = {name: [] for name in starts}
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(start()) for name, start in starts.items()}
        for _ in range(ROUNDS):
            for name, server in servers.items():
                rounds[name].append(load(server, "calls", **task))
    typical = {name: middle(found, per) for name, found in rounds.items()}
    ours = per(typical["ours"])
    limit = CALL_US[site.build]
    rate = typical["ours"]["count"] / typical["ours"]["wall"]
    report.judged("echo.echo through a consumer", typical["ours"], ours, "us", limit, rate=rate)
    for name, figures in list(typical.items())[1:]:
        note = {"ratio": ours / per(figures), "load": figures["load"], "lost": figures["lost"]}
        report.row(f"{name}: the same", per(figures), "us", **note)
    report.nothing_lost("calls", sum(figures["lost"] for figures in rounds["ours"]))


def measure_room(site: Site, folder: Path, report: Report) -> None:
    with site.serve() as server:
        task = {"app": "lobby/bench", "connections": 1000, "warm_up": SETTLED, "seconds": 4}
        figures = load(server, "room", **task)
    report.judged("broadcast to 1,000: a delivery", figures, per(figures), "us", DELIVERY_US)
    report.nothing_lost("listeners", figures["lost"])


def measure_stream(site: Site, folder: Path, report: Report) -> None:
    starts: dict[str, Any] = {
        "per packet": site.serve,
        "250 ms ticks": lambda: site.serve(tick_ms=250),
    }
    if not nginx_missing():
        starts["nginx-rtmp"] = lambda: nginx(folder)
    task = {"app": "open", "players": 500, "warm_up": SETTLED, "seconds": 4}
    rounds: dict[str, list[Figures]] = {name: [] for name in starts}
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(start()) for name, start in starts.items()}
        for _ in range(ROUNDS):
            for name, server in servers.items():
                rounds[name].append(load(server, "stream", **task))

    def cost(figures: Figures) -> float:
        return per(figures, "megabits", 1e3)

    typical = {name: middle(found, cost) for name, found in rounds.items()}
    for name, figures in typical.items():
        note = {key: figures[key] for key in ("load", "late", "segments")}
        report.row(f"500 players, {name}: a player's megabit", cost(figures), "ms", **note)
        lost = sum(one[kind] for one in rounds[name] for kind in ("gaps", "uneven", "lost"))
        report.nothing_lost(f"frames of players, {name}", lost)
    if "nginx-rtmp" not in typical:
        return
    theirs = [cost(one) for one in rounds["nginx-rtmp"]]
    for name, limit in (("per packet", PER_PACKET), ("250 ms ticks", PER_TICK)):
        pairs = zip(rounds[name], theirs, strict=True)
        ratio = median(cost(one) / other for one, other in pairs)
        report.judged(f"500 players, {name}/nginx-rtmp", typical[name], ratio, "times", limit)


PARTS = {
    "connects": measure_connects,
    "calls": measure_calls,
    "room": measure_room,
    "stream": measure_stream,
}


@contextlib.contextmanager
def prepared(build: str, folder: Path) -> Iterator[Site]:
    """The demo site with the tree's sources, or with a wheel whose codec is compiled."""
    python = compiled_python(folder) if build == "compiled" else Path(sys.executable)
    yield Site.prepare(str(python), folder / "site", build=build)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=BUILDS)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    options = parser.parse_args()
    missing = [nginx_missing(), peer_missing("rtmplite3"), peer_missing("pyrtmp")]
    for reason in filter(None, missing):
        print(f"not compared: {reason}")
    report = Report()
    for build in BUILDS:
        if options.only not in (None, build):
            continue
        with tempfile.TemporaryDirectory() as name, prepared(build, Path(name)) as site:
            version = sys.version.split()[0]
            print(f"\n== {build} codec, Python {version}, in-memory layer, stock daphne, demo site")
            for part in options.parts:
                PARTS[part](site, Path(name), report)
    for line in report.missed:
        print(f"MISSED {line}")
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
