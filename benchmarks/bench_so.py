"""Shared objects on stock daphne: processor time and delays, with plain Channels beside them.

    python benchmarks/bench_so.py                    # pure, then compiled (builds a wheel)
    python benchmarks/bench_so.py --only pure --parts fanout redis    # and tick, crowd

Processor time is the server's, of all its threads, from /proc; the load comes from this process,
over raw sockets, and a run in which it took more than 80 % of a core is void. Fails when a goal is
missed.
"""

import argparse
import contextlib
import itertools
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import quantiles

import redis
from bare_sends import cost_of_a_send
from bench_codec import Goals
from builds import BUILDS, compiled_python
from daphne_process import TREE, Daphne, Installation, run_daphne
from load import Receiver, Run, Sender, run
from object_clients import (
    Heard,
    ObjectReceiver,
    change_request,
    events,
    frames,
    json_request,
    numbered,
    open_rtmp,
    open_websocket,
)

from amf_remoting import amf
from rtmp_channels.protocol.shared_object import Change, Success
from tests.support.process import find_program
from tests.support.redis_server import run_redis_server

APPLICATION = "objects_site:application"
MOST_OF_A_CORE = 0.8
SUBSCRIBERS = 1000
LOOK_SECONDS = 0.005
"""Between two looks at a thousand readers' sockets; see `load.run`."""
RATIO = 15
"""How many times cheaper than plain Channels a delivery has to be."""


@dataclass(frozen=True)
class Site:
    """What serves the benchmark's application."""

    build: str
    """pure or compiled."""
    installation: Installation

    def serve(self, **environment: str) -> contextlib.AbstractContextManager[Daphne]:
        return run_daphne(APPLICATION, environment, installation=self.installation)


def redis_parser() -> str:
    """Which of redis-py's parsers is installed."""
    return "with hiredis" if find_spec("hiredis") else "without hiredis"


def report(title: str, measured: Run, delays: Sequence[float], *, more: str = "") -> None:
    """A line of the table; delays in seconds."""
    cuts = quantiles(delays, n=100)
    row = "".join(f"{1000 * value:9.1f}" for value in (cuts[49], cuts[89], cuts[98], max(delays)))
    print(f"{title:44}{row}{100 * measured.cpu_share:8.0f} %  {more}")
    assert measured.cpu_share <= MOST_OF_A_CORE, "void: the load generator was the bottleneck"


def p(delays: Sequence[float], percent: int) -> float:
    """A percentile in milliseconds."""
    return 1000 * quantiles(delays, n=100)[percent - 1]


def start() -> float:
    """When the senders begin: a little later, so that all are ready."""
    return time.perf_counter() + 0.2


def check_versions(heard: Sequence[Heard]) -> None:
    assert all(a.version <= b.version for a, b in itertools.pairwise(heard)), "versions fell"


# ---- One writer, a thousand readers -----------------------------------------------------------


@dataclass(frozen=True)
class FanOut:
    """What a run of one writer came to."""

    microseconds: float
    """Of the server's processor time, for each slot delivered."""
    delays: list[float]


def fan_out(title: str, server: Daphne, *, rate: int, seconds: float) -> FanOut:
    """Every change in order, exactly once, to everyone; or an assertion fails."""
    writer = open_rtmp(server)
    readers = [open_rtmp(server) for _ in range(SUBSCRIBERS)]
    sent: dict[float, float] = {}
    make = numbered(lambda value: change_request(writer, "score", value), sent)
    count = int(rate * seconds)
    cpu = server.cpu_seconds()
    sender = Sender(start(), writer, 1 / rate, count, make)
    measured = run([writer, *readers], [sender], look=LOOK_SECONDS)
    cpu = server.cpu_seconds() - cpu
    written = readers[0].received
    heard = list(events(written))
    check_versions(heard)
    assert [(event.code, event.value) for event in heard] == [(Change.code, n) for n in sent]
    assert all(reader.received == written for reader in readers), "readers differ"
    assert [event.code for event in events(writer.received)] == [Success.code] * count
    ends = [event.end for event in heard]
    delays = [
        arrived - sent_at
        for reader in readers
        for arrived, sent_at in zip(reader.arrivals(ends), sent.values(), strict=True)
    ]
    close([writer, *readers])
    each = 1e6 * cpu / (count * SUBSCRIBERS)
    report(title, measured, delays, more=f"{each:6.1f} us")
    return FanOut(each, delays)


def plain_channels(server: Daphne, *, rate: int, count: int) -> FanOut:
    """The same by group_send to a consumer for each client."""
    writer = open_websocket(server)
    readers = [open_websocket(server) for _ in range(SUBSCRIBERS)]
    sent: dict[float, float] = {}
    make = numbered(lambda value: json_request("score", value), sent)
    cpu = server.cpu_seconds()
    sender = Sender(start(), writer, 1 / rate, count, make)
    measured = run([writer, *readers], [sender], quiet=3, look=LOOK_SECONDS)
    cpu = server.cpu_seconds() - cpu
    heard = list(frames(readers[0].received))
    assert [told["value"] for _, told in heard] == list(sent), "plain Channels lost some"
    ends = [end for end, _ in heard]
    delays = [
        arrived - sent_at
        for reader in readers
        for arrived, sent_at in zip(reader.arrivals(ends), sent.values(), strict=True)
    ]
    close([writer, *readers])
    each = 1e6 * cpu / (count * SUBSCRIBERS)
    report("plain Channels, group_send, 20/s", measured, delays, more=f"{each:6.1f} us")
    return FanOut(each, delays)


def close(receivers: Sequence[Receiver]) -> None:
    for receiver in receivers:
        receiver.socket.close()


def bench_fanout(goals: Goals, site: Site) -> None:
    with site.serve() as server:
        ours = fan_out("1 writer, 1,000 readers, 20/s", server, rate=20, seconds=10)
    goals.at_most("p99 with 1,000 readers, ms", p(ours.delays, 99), 50)
    goals.at_most("us for each delivery", ours.microseconds, 15)
    if site.build == "pure":
        with site.serve() as server:
            theirs = plain_channels(server, rate=20, count=20)
        ratio = theirs.microseconds / ours.microseconds
        print(f"{'':44}plain Channels needs {ratio:.1f} times as much for each delivery")
        goals.at_least("times what plain Channels needs", ratio, RATIO)
    floor = cost_of_a_send(SUBSCRIBERS, 62)
    print(f"{'':44}of ours, {floor:.1f} us are what a bare send to such a socket takes here")


def bench_tick(goals: Goals, site: Site) -> None:
    with site.serve(TICK_MS="50") as server:
        merged = fan_out("the same, 100/s at a tick of 50 ms", server, rate=100, seconds=10)
    goals.at_most("us for each slot, merged", merged.microseconds, 3)


# ---- Fifty writers ----------------------------------------------------------------------------

CROWD = 50
BALL = "ball"


class Player:
    """Changes nine slots of its own in turn, then the one that everybody fights for."""

    def __init__(self, receiver: ObjectReceiver, number: int, values: Iterator[int]) -> None:
        self.receiver = receiver
        self.writes: list[tuple[float, str, float]] = []
        """(when, slot, value)."""
        self._number = number
        self._values = values

    def move(self) -> bytes:
        turn = len(self.writes) % 10
        key = BALL if turn == 9 else f"{self._number}/{turn}"
        value = float(next(self._values))
        self.receiver.catch_up()
        self.writes.append((time.perf_counter(), key, value))
        return change_request(self.receiver, key, value)

    def heard(self) -> list[tuple[float, Heard]]:
        """(when, what) of all that came."""
        heard = list(events(self.receiver.received))
        return list(zip(self.receiver.arrivals([h.end for h in heard]), heard, strict=True))

    def shows(self) -> dict[str, float]:
        """What a Flash client has in the end: it shows its own changes at once."""
        steps = [(at, key, value) for at, key, value in self.writes]
        steps += [(at, h.key, h.value) for at, h in self.heard() if h.code == Change.code]
        return {key: value for _, key, value in sorted(steps)}


def bench_crowd(goals: Goals, site: Site) -> None:
    with site.serve(TICK_MS="50") as server:
        values = itertools.count(1)
        players = [Player(open_rtmp(server), number, values) for number in range(CROWD)]
        receivers = [player.receiver for player in players]
        begin, interval = start(), 0.1
        senders = [
            Sender(begin + interval * n / CROWD, player.receiver, interval, 100, player.move)
            for n, player in enumerate(players)
        ]
        cpu = server.cpu_seconds()
        measured = run(receivers, senders)
        cpu = server.cpu_seconds() - cpu
    close(receivers)
    shown = [player.shows() for player in players]
    assert all(slots == shown[0] for slots in shown), "copies differ"
    assert len(shown[0]) == 9 * CROWD + 1
    sent = {value: at for player in players for at, _, value in player.writes}
    heard = [told for player in players for told in player.heard()]
    delays = [at - sent[told.value] for at, told in heard if told.code == Change.code]
    report(
        f"{CROWD} writers, 10/s each, tick of 50 ms",
        measured,
        delays,
        more=f"{1e6 * cpu / len(heard):6.1f} us",
    )
    goals.at_most("p99 of the crowd, ms", p(delays, 99), 150)


# ---- Four processes over Redis ----------------------------------------------------------------

PROCESSES = 4
READERS = 3
"""In each process."""
WINDOW = 64
"""Changes of one writer that wait for their acknowledgement."""


@contextlib.contextmanager
def four_processes(site: Site) -> Iterator[list[Daphne]]:
    program = find_program("redis-server")
    assert program is not None, "redis-server is not installed"
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis_url = stack.enter_context(run_redis_server(program, folder))
        yield [stack.enter_context(site.serve(REDIS_URL=redis_url)) for _ in range(PROCESSES)]


def bench_redis(goals: Goals, site: Site) -> None:
    with four_processes(site) as servers:
        delays = redis_delays(servers)
        goals.at_most("p50 over Redis, ms", p(delays, 50), 5)
    with four_processes(site) as servers:
        goals.at_least("changes per second over Redis", redis_rate(servers), 2000)


def redis_delays(servers: Sequence[Daphne]) -> list[float]:
    writers = [open_rtmp(server) for server in servers]
    readers = [open_rtmp(server) for server in servers for _ in range(READERS)]
    sent: dict[float, float] = {}
    makers = [
        numbered(partial(change_request, writer, f"slot {n}"), sent, first=n * 1e6)
        for n, writer in enumerate(writers)
    ]
    begin = start()
    senders = [
        Sender(begin + 0.005 * n, writer, 0.02, 250, make)
        for n, (writer, make) in enumerate(zip(writers, makers, strict=True))
    ]
    cpu = sum(server.cpu_seconds() for server in servers)
    measured = run([*writers, *readers], senders)
    cpu = sum(server.cpu_seconds() for server in servers) - cpu
    heard = check_order(readers, sent)
    delays = [
        at - sent[told.value]
        for reader in readers
        for at, told in zip(reader.arrivals([h.end for h in heard]), heard, strict=True)
    ]
    close([*writers, *readers])
    report(
        f"{PROCESSES} processes over Redis, 200/s",
        measured,
        delays,
        more=f"{1e6 * cpu / len(delays):6.1f} us",
    )
    return delays


def check_order(readers: Sequence[ObjectReceiver], sent: Mapping[float, float]) -> list[Heard]:
    """Everything, once, in one order in all processes."""
    heard = [list(events(reader.received)) for reader in readers]
    assert all(each == heard[0] for each in heard), "the order differs"
    assert sorted(told.value for told in heard[0]) == sorted(sent)
    check_versions(heard[0])
    return heard[0]


def redis_rate(servers: Sequence[Daphne], *, seconds: float = 5.0) -> float:
    """Changes per second, as many as the writers get acknowledged."""
    writers = [open_rtmp(server) for server in servers]
    readers = [open_rtmp(server) for server in servers]
    sent: dict[float, float] = {}
    requests = [
        numbered(partial(change_request, writer, f"slot {n}"), sent, first=n * 1e6)
        for n, writer in enumerate(writers)
    ]
    asked = [0] * PROCESSES
    begin = time.perf_counter()

    def ask(number: int) -> None:
        """Fills the window of one writer."""
        writer = writers[number]
        writer.catch_up()
        room = WINDOW - (asked[number] - writer.acknowledged)
        if room >= WINDOW // 2 and time.perf_counter() < begin + seconds:
            writer.socket.send(b"".join(requests[number]() for _ in range(room)))
            asked[number] += room

    def after_read(receiver: Receiver) -> None:
        if receiver in writers:
            ask(writers.index(receiver))

    for number in range(PROCESSES):
        ask(number)
    cpu = sum(server.cpu_seconds() for server in servers)
    measured = run([*writers, *readers], after_read=after_read)
    cpu = sum(server.cpu_seconds() for server in servers) - cpu
    heard = check_order(readers, sent)
    took = max(writer.pieces[-1][0] for writer in writers) - begin
    delays = [
        at - sent[told.value]
        for reader in readers
        for at, told in zip(reader.arrivals([h.end for h in heard]), heard, strict=True)
    ]
    close([*writers, *readers])
    rate = len(sent) / took
    report(
        f"as many as possible: {rate:.0f} changes/s",
        measured,
        delays,
        more=f"{1e6 * cpu / len(sent):6.1f} us for each change",
    )
    return rate


BENCHES: dict[str, Callable[[Goals, Site], None]] = {
    "fanout": bench_fanout,
    "tick": bench_tick,
    "crowd": bench_crowd,
    "redis": bench_redis,
}


@contextlib.contextmanager
def prepared(build: str) -> Iterator[Site]:
    """The site with the tree's sources, or with a wheel and nothing else of the tree."""
    if build == "pure":
        assert not amf.COMPILED
        yield Site(build, TREE)
        return
    with tempfile.TemporaryDirectory() as name:
        python, folder = compiled_python(Path(name)), Path(name) / "site"
        folder.mkdir()
        shutil.copy(Path(__file__).with_name("objects_site.py"), folder)
        check = "from amf_remoting import amf; assert amf.COMPILED"
        subprocess.run([python, "-c", check], cwd=folder, check=True)
        yield Site(build, Installation(python, folder, [folder]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=BUILDS)
    parser.add_argument("--parts", nargs="+", choices=list(BENCHES), default=list(BENCHES))
    options = parser.parse_args()
    print(
        "stock daphne; nothing is persistent; memory sequencer and layer; over Redis its own, and"
    )
    print(f"RedisPubSubChannelLayer, redis-py {redis.__version__} {redis_parser()}")
    missed = []
    for build in BUILDS:
        if options.only not in (None, build):
            continue
        with prepared(build) as site:
            print(f"\n== {build}, Python {sys.version.split()[0]}")
            print(f"{'ms':44}{'p50':>9}{'p90':>9}{'p99':>9}{'max':>9}{'loader':>10}  server, each")
            goals = Goals()
            for part in options.parts:
                BENCHES[part](goals, site)
            missed += [f"{build}: {line}" for line in goals.missed]
    for line in missed:
        print(f"MISSED {line}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
