"""Feeds mutated values and packets to the codec: `python -m tests.codec.fuzz --seconds 600`.

Nothing but AMFError may come out, what was decoded can be encoded again, and memory stays flat. A
failure prints the seed of the case, which `--seed N --cases 1` repeats.
"""

from __future__ import annotations

import argparse
import gc
import random
import resource
import time
from collections import Counter
from datetime import UTC, datetime

from amf_remoting import amf
from amf_remoting.packet import parse
from tests.support.process import REPOSITORY

VALUE = {
    "all": [None, amf.Undefined, True, -1, 1 << 28, 0.1, "", "é🙂", b"\0\1", {"a": {"b": [[]]}}],
    "date": datetime(2024, 2, 29, tzinfo=UTC),
    "typed": [amf.TypedObject("a.B", {"x": 1, "y": "é🙂"}), amf.TypedObject("a.B", {"x": 2})],
}
PACKETS = [path.read_bytes() for path in sorted((REPOSITORY / "tests/captures/amf").glob("*.bin"))]
VALUES = [(version, amf.dumps(VALUE, version)) for version in (0, 3)]
GROWTH_KILOBYTES = 20_000


def mutate(rng: random.Random, data: bytes) -> bytes:
    """A few changes, most of them near the beginning of a value."""
    mutated = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 4, 16])):
        at = rng.randrange(len(mutated) + 1)
        match rng.randrange(5):
            case 0:
                mutated[at : at + 1] = rng.randbytes(1)
            case 1:
                mutated[at:at] = rng.randbytes(rng.randrange(1, 9))
            case 2:
                del mutated[at : at + rng.randrange(1, 9)]
            case 3:
                mutated[at : at + 1] = bytes([rng.randrange(0x12)])  # a marker, of either version
            case _:
                mutated[at:at] = mutated[at : at + rng.randrange(1, 60)] * rng.randrange(1, 9)
    return bytes(mutated)


def run_case(seed: int) -> str:
    """One mutated input; returns how it ended."""
    rng = random.Random(seed)
    try:
        if rng.random() < 0.4:
            packet = parse(mutate(rng, rng.choice(PACKETS)))
            errors = sum(message.error is not None for message in packet.messages)
            return "packet with bad bodies" if errors else "packet"
        version, data = rng.choice(VALUES)
        value = amf.loads(mutate(rng, data), version)
    except amf.AMFError as error:
        return type(error).__name__ if str(error) else "error without a word"
    try:
        amf.dumps(value, version)
    except amf.EncodeError:
        return "value that cannot be encoded again"  # a Date out of range, say
    return "value"


def resident_kilobytes() -> int:
    """This process's resident set."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize() // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--cases", type=int, default=1 << 60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    endings: Counter[str] = Counter()
    deadline = time.monotonic() + options.seconds
    warm = 0
    seed = options.seed
    while time.monotonic() < deadline and seed < options.seed + options.cases:
        try:
            endings[run_case(seed)] += 1
        except BaseException:
            print(f"case {seed} failed")
            raise
        seed += 1
        if seed == options.seed + 5000:
            gc.collect()
            warm = resident_kilobytes()
    gc.collect()
    grown = resident_kilobytes() - warm if warm else 0
    print(f"{seed - options.seed} cases, resident memory grew by {grown} KB after the first 5,000")
    for ending, count in endings.most_common():
        print(f"{count:8} {ending}")
    if grown > GROWTH_KILOBYTES:
        raise SystemExit("memory grew")


if __name__ == "__main__":
    main()
