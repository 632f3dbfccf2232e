"""The codec against Py3AMF, msgpack, orjson and json, in one process, interleaved.

    python benchmarks/bench_codec.py              # pure, then compiled (builds a wheel)
    python benchmarks/bench_codec.py --only pure

Prints ratios of times (below 1.0: we are faster) and fails when a goal is missed. The compiled
codec comes from a wheel in a virtual environment of its own, never from this tree.
"""

import argparse
import base64
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
INNER = "--inner"

Work = Callable[[], object]


@dataclass
class Goals:
    """What must hold, as ratios; each message says what does not."""

    missed: list[str] = field(default_factory=list)

    def at_most(self, what: str, ratio: float, limit: float) -> None:
        if ratio > limit:
            self.missed.append(f"{what}: {ratio:.2f}, at most {limit} wanted")

    def at_least(self, what: str, figure: float, limit: float) -> None:
        if figure < limit:
            self.missed.append(f"{what}: {figure:.2f}, at least {limit} wanted")


def geometric_mean(ratios: Iterable[float]) -> float:
    values = list(ratios)
    return math.exp(sum(map(math.log, values)) / len(values))


def fastest(contenders: dict[str, Work], *, settled: int = 8, most: int = 60) -> dict[str, float]:
    """Processor seconds of one call of each, the best of the rounds in which all take turns.

    On a machine that does other work a few rounds prove little: they go on until `settled` of them
    in a row made nothing faster by a hundredth, or `most` are over.
    """
    loops = {}
    for name, work in contenders.items():
        start = time.thread_time()
        work()
        loops[name] = max(1, int(0.01 / (time.thread_time() - start + 1e-9)))
    best = dict.fromkeys(contenders, math.inf)
    unchanged = 0
    for _ in range(most):
        unchanged += 1
        for name, work in contenders.items():
            count = loops[name]
            start = time.thread_time()
            for _ in range(count):
                work()
            taken = (time.thread_time() - start) / count
            if taken < 0.99 * best[name]:
                unchanged = 0
            best[name] = min(best[name], taken)
        if unchanged >= settled:
            break
    return best


def contenders(name: str, value: Any) -> tuple[dict[str, Work], dict[str, Work]]:
    """Encoders and decoders of one payload. Bytes go through Base64 where a format has none."""
    import codec_payloads
    import msgpack
    import orjson
    import pyamf
    from pyamf.amf3 import ByteArray

    from amf_remoting import amf

    is_bytes = name == codec_payloads.BYTES
    text = base64.b64encode(value).decode() if is_bytes else value
    as_json = json.dumps(text, default=vars)
    packed = msgpack.packb(value, default=vars)
    ours = {version: amf.dumps(value, version) for version in (0, 3)}
    assert all(amf.loads(ours[version], version) == value for version in ours)
    for_pyamf = ByteArray(value) if is_bytes else value
    theirs = {version: pyamf.encode(for_pyamf, encoding=version).getvalue() for version in (0, 3)}
    encoders: dict[str, Work] = {
        "AMF3": lambda: amf.dumps(value, 3),
        "AMF0": lambda: amf.dumps(value, 0),
        "Py3AMF 3": lambda: pyamf.encode(for_pyamf, encoding=3).getvalue(),
        "Py3AMF 0": lambda: pyamf.encode(for_pyamf, encoding=0).getvalue(),
        "json": lambda: json.dumps(
            base64.b64encode(value).decode() if is_bytes else value, default=vars
        ),
        "msgpack": lambda: msgpack.packb(value, default=vars),
        "orjson": lambda: orjson.dumps(base64.b64encode(value).decode() if is_bytes else value),
    }
    decoders: dict[str, Work] = {
        "AMF3": lambda: amf.loads(ours[3], 3),
        "AMF0": lambda: amf.loads(ours[0], 0),
        "Py3AMF 3": lambda: list(pyamf.decode(theirs[3], encoding=3)),
        "Py3AMF 0": lambda: list(pyamf.decode(theirs[0], encoding=0)),
        "json": lambda: base64.b64decode(json.loads(as_json)) if is_bytes else json.loads(as_json),
        "msgpack": lambda: msgpack.unpackb(packed),
        "orjson": lambda: (
            base64.b64decode(orjson.loads(as_json)) if is_bytes else orjson.loads(as_json)
        ),
    }
    return encoders, decoders


def register_classes() -> None:
    import codec_payloads
    import pyamf

    from amf_remoting import amf

    amf.alias("bench.Person")(codec_payloads.Person)
    pyamf.register_class(codec_payloads.Person, "bench.Person")


PEERS = ("Py3AMF", "json", "msgpack", "orjson")
Times = dict[tuple[str, str], dict[str, float]]
"""Seconds by (payload, direction) and contender."""


def measure() -> Times:
    import codec_payloads

    register_classes()
    times: Times = {}
    for name, value in codec_payloads.payloads().items():
        for direction, works in zip(("encode", "decode"), contenders(name, value), strict=True):
            times[name, direction] = fastest(works)
    return times


def ratio(row: dict[str, float], version: int, peer: str) -> float:
    return row[f"AMF{version}"] / row[f"{peer} {version}" if peer == "Py3AMF" else peer]


def print_table(times: Times) -> None:
    head = "".join(f"{f'AMF{version}/{peer}':>14}" for version in (3, 0) for peer in PEERS)
    print(f"{'':22}{'':8}{'AMF3 us':>9}{'AMF0 us':>9}{head}")
    for (name, direction), row in times.items():
        cells = "".join(
            f"{ratio(row, version, peer):14.2f}" for version in (3, 0) for peer in PEERS
        )
        print(f"{name:22}{direction:8}{row['AMF3'] * 1e6:9.1f}{row['AMF0'] * 1e6:9.1f}{cells}")


def mean(
    times: Times,
    direction: str,
    peer: str,
    *,
    versions: tuple[int, ...] = (3, 0),
    without: str = "",
) -> float:
    return geometric_mean(
        ratio(row, version, peer)
        for (name, this), row in times.items()
        for version in versions
        if this == direction and name != without
    )


def judge_pure(times: Times, goals: Goals) -> None:
    for (name, direction), row in times.items():
        for version in (3, 0):
            label = f"{name}, {direction} AMF{version}/Py3AMF"
            goals.at_most(label, ratio(row, version, "Py3AMF"), 1.0)
    for direction, factor in (("encode", 3.0), ("decode", 2.5)):
        average = mean(times, direction, "Py3AMF")
        print(f"pure {direction}: {1 / average:.1f} times as fast as Py3AMF (goal: {factor})")
        goals.at_most(f"mean of {direction}/Py3AMF", average, 1 / factor)


def judge_compiled(times: Times, goals: Goals) -> None:
    """Against json, on every payload that json can hold."""
    import codec_payloads

    limits = {"encode": 1.0, "decode": 0.9}
    without = codec_payloads.BYTES
    for (name, direction), row in times.items():
        for version in (3, 0):
            if name != without:
                label = f"{name}, {direction} AMF{version}/json"
                goals.at_most(label, ratio(row, version, "json"), limits[direction])
    for direction in limits:
        for version in (3, 0):
            average = mean(times, direction, "json", versions=(version,), without=without)
            print(f"compiled {direction}, AMF{version}: {average:.2f} of json's time (goal: 0.5)")
            goals.at_most(f"mean of {direction} AMF{version}/json", average, 0.5)
        print(f"compiled {direction}: {1 / mean(times, direction, 'Py3AMF'):.0f} times Py3AMF")
    for version in (3, 0):
        against = ratio(times[codec_payloads.RECORDS, "decode"], version, "msgpack")
        label = f"records, decode AMF{version}/msgpack"
        print(f"compiled {label}: {against:.2f} (goal: below 1)")
        goals.at_most(label, against, 1.0)


def judge_memory_speed(goals: Goals) -> None:
    """Bytes and vectors of numbers move as blocks: compared with copying the same memory."""
    from amf_remoting import amf

    block = bytes(8_000_000)
    vector = amf.DoubleVector.parse(block, fixed=False)
    encoded = {"bytes": amf.dumps(block), "vector": amf.dumps(vector)}
    works: dict[str, Work] = {
        "copy": lambda: bytearray(block),
        "bytes encode": lambda: amf.dumps(block),
        "bytes decode": lambda: amf.loads(encoded["bytes"]),
        "vector encode": lambda: amf.dumps(vector),
        "vector decode": lambda: amf.loads(encoded["vector"]),
    }
    times = fastest(works)
    for name in list(works)[1:]:
        rate = len(block) / times[name] / 1e9
        print(f"8 MB of {name}: {rate:.1f} GB/s (goal: 0.5)")
        goals.at_most(f"{name}: seconds per 0.5 GB", 0.5 / rate, 1.0)


def run_inner(kind: str) -> int:
    from amf_remoting import amf

    assert amf.COMPILED is (kind == "compiled"), f"{amf.__file__} is not {kind}"
    print(f"\n== {kind} codec, Python {sys.version.split()[0]}; times by ours / theirs")
    goals = Goals()
    times = measure()
    print_table(times)
    (judge_compiled if kind == "compiled" else judge_pure)(times, goals)
    judge_memory_speed(goals)
    for line in goals.missed:
        print(f"MISSED {line}")
    return 1 if goals.missed else 0


def run_pure() -> int:
    command = [sys.executable, __file__, INNER, "pure"]
    return subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, check=False).returncode


def run_in_wheel(script: Path) -> int:
    """Builds a wheel, and runs a benchmark with it from a folder outside of the tree."""
    sys.path.insert(0, str(ROOT))
    from tests.packaging.environments import Environment, build_wheel

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = Environment.create(folder / "environment")
        environment.link_all()
        environment.install(build_wheel(folder, build="require"))
        command = [environment.python, str(script), INNER, "compiled"]
        return subprocess.run(command, cwd=folder, env={}, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=["pure", "compiled"])
    parser.add_argument(INNER, choices=["pure", "compiled"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inner:
        return run_inner(options.inner)
    status = 0
    if options.only != "compiled":
        status |= run_pure()
    if options.only != "pure":
        status |= run_in_wheel(Path(__file__))
    return status


if __name__ == "__main__":
    sys.exit(main())
