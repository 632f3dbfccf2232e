"""Mutated packets and values against the codec: `python -m tests.codec.fuzz --seconds 600`.

Every input ends in a value or an AMFError, within a second and 100 times its size in memory. A
failing input is printed as hexadecimal with the seed that made it. `--atheris` is guided by
coverage instead, where atheris is installed.
"""

import argparse
import os
import random
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amf_remoting import amf, packet

CAPTURES = Path(__file__).parent.parent / "captures" / "amf"
MEMORY_FLOOR = (512 if not amf.COMPILED else 2048) * 1024
"""Bytes that any call may take: buffers, and an error that holds the frames of all 256 levels
(machine code makes up to six frames of a kilobyte for each, but only then)."""
MEMORY_FACTOR = 100
SLOWEST = 1.0


def corpus() -> list[bytes]:
    """Captured packets, and values of every kind in both versions."""
    shared = [1, "text"]
    value: list[Any] = [
        None,
        True,
        -1,
        2**27,
        1.5,
        "text",
        "ü" * 20,
        b"bytes",
        shared,
        shared,
        {"a": 1, "b": {"c": [1]}},
        amf.Undefined,
        amf.Date(0.0),
        amf.XML("<a/>"),
        amf.XMLDocument("<b/>"),
        amf.IntVector([1, 2]),
        amf.UIntVector([1]),
        amf.DoubleVector([1.5]),
        amf.ObjectVector([None, "a"], "A"),
        amf.Dictionary([("a", 1), ((), 2)]),
        amf.MixedArray([1], {"a": 2}),
        amf.TypedObject("A", {"x": 1}),
        amf.TypedObject("A", {"x": 2}),
        amf.ArrayCollection([1]),
    ]
    found = [path.read_bytes() for path in sorted(CAPTURES.glob("*.bin"))]
    found += [amf.dumps(item, version) for item in [*value, value] for version in (0, 3)]
    found.append(packet.Packet(3, [], [packet.Message("a.b", "/1", value)]).serialize())
    return found


def mutated(chance: random.Random, seeds: list[bytes]) -> bytes:
    """One of the seeds with some bytes changed, repeated, removed or taken from another."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 6)):
        position = chance.randint(0, len(data))
        match chance.randint(0, 5):
            case 0:
                data[position : position + 1] = bytes((chance.randint(0, 0x12),))
            case 1:
                data[position : position + 1] = chance.randbytes(1)
            case 2:
                data[position:position] = chance.choice([b"\xff\xff\xff\xff", b"\x01", b"\x0a\x01"])
            case 3:
                del data[position : position + chance.randint(1, 8)]
            case 4:
                piece = data[position : position + chance.randint(1, 16)]
                data[position:position] = piece * chance.choice([1, 2, 50, 1000])
            case _:
                other = chance.choice(seeds)
                start = chance.randint(0, len(other))
                data[position:position] = other[start : start + chance.randint(1, 64)]
    return bytes(data[:100_000])


def check(data: bytes) -> None:
    """Decode as everything it could be; encode what came out. Only AMFError may come of it."""
    for version in (0, 3):
        with suppress(amf.AMFError):
            value = amf.loads(data, version)
            for other in (0, 3):
                amf.dumps(value, other, limits=amf.Limits(output_bytes=1_000_000))
    with suppress(amf.AMFError):
        amf.loads_many(data, 0, avmplus_tables="fresh")
    with suppress(amf.AMFError):
        packet.parse(data)


def check_memory(data: bytes) -> int:
    """Decoding takes at most MEMORY_FACTOR times the size of its input. Bytes it took."""
    most = 0
    for version in (0, 3):
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        with suppress(amf.AMFError):
            amf.loads(data, version)
        used = tracemalloc.get_traced_memory()[1] - before
        allowed = MEMORY_FLOOR + MEMORY_FACTOR * len(data)
        assert used <= allowed, f"{used} bytes of memory for {len(data)}"
        most = max(most, used)
    return most


def inputs(seed: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    seeds = corpus()
    while True:
        yield mutated(chance, seeds)


@dataclass
class Findings:
    """What a run without a failure saw."""

    inputs: int = 0
    slowest: float = 0.0
    """Seconds of one input."""
    measured: int = 0
    """Inputs whose memory was measured too."""
    memory: int = 0
    """Most bytes that one of them took."""


def run(*, seconds: float, seed: int, measure_every: int = 10) -> Findings:
    """Raises what the codec must not raise, with the input as a note.

    Tracing memory is slow: it is on for one input of `measure_every`, and its time does not count.
    """
    end = time.monotonic() + seconds
    found = Findings()
    for data in inputs(seed):
        start = time.monotonic()
        if start >= end:
            break
        try:
            check(data)
            taken = time.monotonic() - start
            assert taken < SLOWEST, f"{taken:.1f} s for one input"
            if found.inputs % measure_every == 0:
                tracemalloc.start()
                found.memory = max(found.memory, check_memory(data))
                found.measured += 1
        except BaseException as error:
            error.add_note(f"seed {seed}, input {data.hex()}")
            raise
        finally:
            tracemalloc.stop()
        found.inputs += 1
        found.slowest = max(found.slowest, taken)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--atheris", action="store_true")
    options = parser.parse_args()
    print(f"compiled: {amf.COMPILED}", flush=True)
    if options.atheris:
        program = [sys.executable, "-m", "tests.codec.fuzz_atheris", f"{options.seconds:.0f}"]
        os.execv(sys.executable, program)
    seed = random.randrange(2**32) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    found = run(seconds=options.seconds, seed=seed)
    print(
        f"{found.inputs} inputs, the slowest in {found.slowest * 1000:.0f} ms; {found.measured}"
        f" measured: at most {found.memory / 1000:.0f} KB of memory"
    )


if __name__ == "__main__":
    main()
