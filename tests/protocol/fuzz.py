"""Feeds mutated conversations to connections: `python -m tests.protocol.fuzz --seconds 600`.

Nothing but RemoteProtocolError may come out, and memory stays flat. A failure prints the seed of
the case, which `--seed N --cases 1` repeats.
"""

from __future__ import annotations

import argparse
import gc
import random
import resource
import time
from collections import Counter
from collections.abc import Callable

from amf_remoting import amf
from rtmp_channels.protocol import (
    COMPILED,
    Connection,
    ConnectionConfig,
    RemoteProtocolError,
    Role,
)
from rtmp_channels.protocol.events import ConnectRequested, Event, PlayRequested, PublishRequested
from rtmp_channels.protocol.shared_object import (
    Change,
    RequestChange,
    SendMessage,
    SharedObjectMessage,
    Use,
)

from .chunks import chunk, message, u32
from .peers import PLAIN_HANDSHAKE, call, connect
from .replay import NAMES, captured
from .test_aggregate import tag

HANDSHAKE_SIZE = 3073
INTERESTING = (0, 1, 2, 3, 0x11, 0x40, 0x7F, 0x80, 0xC0, 0xFE, 0xFF)


def game(object_encoding: int) -> bytes:
    """A conversation with all that the captures lack."""
    value = {"a": [1, "é", None], "b": b"bytes"}
    values = amf.dumps_many(["echo", 5, None, value, [value]], 0, avmplus=True)
    events = (Use(), RequestChange((("k", value), ("l", 1))), SendMessage("hi", (value,)))
    shared = SharedObjectMessage("so", 1, 2, events, object_encoding)
    inside = tag(8, 40, b"a") + tag(9, 60, b"v" * 200) + tag(18, 60, amf.dumps("cue", 0))
    return b"".join(
        (
            PLAIN_HANDSHAKE,
            message(u32(4096), type=1),
            connect(objectEncoding=object_encoding),
            message(b"\0" + values, type=17, chunk_size=4096),
            message(shared.serialize(), type=shared.type, chunk_size=4096),
            call("createStream", 2),
            call("publish", 3, "mp4:a?b", "live", stream=1),
            message(inside, type=22, stream=1, chunk_size=4096),
            message(b"\0" + values, type=15, stream=1, chunk_size=4096),
            chunk(0, 70, b"x" * 4096, length=9000, time=0xFFFFFFFF),
            message(u32(70), type=2),
            message(u32(10), type=5),
            message(u32(10) + b"\2", type=6),
            message(b"\0\6" + u32(10), type=4),
            call("_checkbw", 4),
            call("_result", (1 << 31) + 1, 0),
            call("closeStream", 0, stream=1),
            call("play", 3, "mp4:a?b", -2, -1, True, stream=1),
            call("deleteStream", 0, 1),
        )
    )


def answers() -> bytes:
    """What a server writes to a client."""
    server = Connection()
    server.receive_data(game(3))
    server.accept_connect()
    server.send_call("ping2", ["x", {"a": 1}], expect_result=True)
    server.send_shared_object(SharedObjectMessage("so", 1, 2, (Change((("k", [1]),)),), 3))
    server.send_message(1, 9, 0xFFFFFF, b"v" * 1000)
    return server.data_to_send()


CORPUS = [captured(name)[:12_000] for name in NAMES] + [game(0), game(3)]
ANSWERS = [answers()]


def flip(rng: random.Random, data: bytearray, at: int) -> None:
    data[at] ^= 1 << rng.randrange(8)


def replace(rng: random.Random, data: bytearray, at: int) -> None:
    data[at] = rng.choice(INTERESTING)


def insert(rng: random.Random, data: bytearray, at: int) -> None:
    data[at:at] = rng.randbytes(rng.randrange(1, 20))


def remove(rng: random.Random, data: bytearray, at: int) -> None:
    del data[at : at + rng.randrange(1, 20)]


def repeat(rng: random.Random, data: bytearray, at: int) -> None:
    piece = data[at : at + rng.randrange(1, 300)]
    data[at:at] = piece * rng.randrange(1, 20)


def move(rng: random.Random, data: bytearray, at: int) -> None:
    other = rng.choice(CORPUS)
    start = rng.randrange(HANDSHAKE_SIZE, len(other))
    data[at:at] = other[start : start + rng.randrange(1, 300)]


MUTATIONS: list[Callable[[random.Random, bytearray, int], None]] = [
    *(flip, flip, replace, replace, replace),
    *(insert, remove, repeat, move),
]


def mutate(rng: random.Random, data: bytes) -> bytes:
    """A few changes, most of them behind the handshake."""
    mutated = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 3, 8])):
        first = 0 if rng.random() < 0.05 else min(HANDSHAKE_SIZE, len(mutated) - 1)
        near = min(len(mutated), first + rng.choice([20, 400, 1 << 20]))
        rng.choice(MUTATIONS)(rng, mutated, rng.randrange(first, max(near, first + 1)))
    return bytes(mutated)


def agree(rng: random.Random, connection: Connection, events: list[Event]) -> None:
    """Answers as an application would, now and then refusing."""
    for event in events:
        willing = rng.random() < 0.8
        match event:
            case ConnectRequested() if willing:
                agree(rng, connection, connection.accept_connect())
            case ConnectRequested():
                connection.reject_connect()
            case PublishRequested(message_stream_id=stream) if event is events[-1]:
                (connection.accept_publish if willing else connection.reject_publish)(stream)
            case PlayRequested(message_stream_id=stream) if event is events[-1]:
                (connection.accept_play if willing else connection.reject_play)(stream)


def run_case(seed: int) -> str:
    """One mutated conversation; returns how it ended."""
    rng = random.Random(seed)
    config = ConnectionConfig(
        random_bytes=rng.randbytes,
        max_message_length=1 << 18,
        messages_per_turn=rng.choice([None, 1, 32]),
    )
    if rng.random() < 0.1:
        connection = Connection(Role.CLIENT, config)
        connection.receive_data(ANSWERS[0][:HANDSHAKE_SIZE])
        connection.send_connect({"app": "lobby"})
        data = mutate(rng, ANSWERS[0])[HANDSHAKE_SIZE:]
    else:
        connection = Connection(Role.SERVER, config)
        data = mutate(rng, rng.choice(CORPUS))
    try:
        while data:
            size = rng.choice([1, 7, 128, 1448, 65_536])
            agree(rng, connection, connection.receive_data(data[:size]))
            while connection.has_more:
                agree(rng, connection, connection.receive_more())
            data = data[size:]
    except RemoteProtocolError as error:
        text = str(error)
        assert text
        assert "\n" not in text
        assert connection.receive_data(b"more") == []
        return " ".join(word for word in text.split()[:4] if word.isalpha())
    finally:
        written = connection.data_to_send()
    assert len(written) < 1 << 20
    return "survived"


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
    print(f"compiled: {COMPILED}")
    print(f"{seed - options.seed} cases, resident memory grew by {grown} KB after the first 5,000")
    for ending, count in endings.most_common():
        print(f"{count:8} {ending}")
    if grown > 10_000:
        raise SystemExit("memory is not flat")


if __name__ == "__main__":
    main()
