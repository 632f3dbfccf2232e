"""The load of bench_rtmp, in a process of its own: raw sockets and bytes made beforehand.

Reads one JSON object from stdin (`scenario`, `port`, `pid` of the server, and what the scenario
takes), prints one JSON object of figures. A server's processor time comes from /proc.
"""

from __future__ import annotations

import json
import os
import re
import select
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

from rtmp_channels.protocol import Connection, Role
from rtmp_channels.protocol.chunk import Message, serialize_message
from rtmp_channels.protocol.chunk_reader import ChunkReader
from rtmp_channels.protocol.commands import Command
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.control import SetChunkSize
from rtmp_channels.protocol.handshake import ClientHandshake

HANDSHAKE_REPLY = 3073
CHUNK_SIZE = 65_536
ACCEPTED = b"NetConnection.Connect.Success"
PATIENCE = 30.0
"""Seconds without any progress after which a scenario gives up."""
TICKS = os.sysconf("SC_CLK_TCK")


class Meter:
    """Processor time of the server and of this process, and the time on the wall."""

    def __init__(self, pid: int) -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        self._statm = Path(f"/proc/{pid}/statm")
        self.restart()

    def restart(self) -> None:
        self._began = time.perf_counter()
        self._own = time.process_time()
        self._server = self._server_seconds()

    def _server_seconds(self) -> float:
        fields = self._stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_bytes(self) -> int:
        return int(self._statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def figures(self) -> dict[str, float]:
        """Seconds since the last restart."""
        wall = time.perf_counter() - self._began
        return {
            "wall": wall,
            "server": self._server_seconds() - self._server,
            "load": (time.process_time() - self._own) / wall,
        }


def command(name: str, transaction_id: int, *arguments: Any, stream: int = 0) -> bytes:
    """A command in one chunk."""
    payload = Command(name, transaction_id, None, list(arguments)).serialize()
    message = Message(MessageType.COMMAND_AMF0, stream, 0, payload)
    return serialize_message(message, chunk_stream_id=3, chunk_size=CHUNK_SIZE)


def hello(app: str, *, digest: bool) -> tuple[bytes, bytes]:
    """C0 and C1; C2 and `connect`, which no server here finds wrong for not echoing S1."""
    first = ClientHandshake(os.urandom, offer_digest=digest).data_to_send()
    connection = Connection(Role.CLIENT)
    connection.data_to_send()
    connection.receive_data(b"\x03" + bytes(1536) + bytes(1536))
    connection.data_to_send()
    connection.send_connect({"app": app, "tcUrl": f"rtmp://127.0.0.1/{app}", "objectEncoding": 0})
    return first, bytes(1536) + connection.data_to_send()


@dataclass(slots=True, eq=False)
class Client:
    """One socket and how far it has come."""

    sock: socket.socket
    due: float
    """When it should have begun."""
    received: int = 0
    accepted: bool = False
    greeting: bytes = b""
    """What came behind the handshake until the connection was accepted."""
    tail: bytes = b""
    """For handlers: what they have not made sense of yet."""


@dataclass
class Load:
    """Opens connections, and hands what the accepted ones receive to a handler."""

    port: int
    app: str
    digest: bool = True
    latencies: list[float] = field(default_factory=list)
    """Seconds from when each connection should have begun to its acceptance."""
    lost: int = 0
    on_accepted: Callable[[Client], None] = lambda client: None
    on_data: Callable[[Client, bytes], None] = lambda client, data: None

    def __post_init__(self) -> None:
        self._first, self._second = hello(self.app, digest=self.digest)
        self._epoll = select.epoll()
        self.clients: dict[int, Client] = {}
        self._progress = time.perf_counter()

    def open(self, due: float) -> None:
        """Begins a connection; loopback connects without waiting while the backlog has room."""
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        sock.send(self._first)
        self.clients[sock.fileno()] = Client(sock, due)
        self._epoll.register(sock, select.EPOLLIN)

    def open_many(self, count: int, *, in_flight: int = 16) -> list[Client]:
        """Opens so many and keeps them open."""
        before = len(self.latencies)
        opened = len(self.clients)
        while len(self.latencies) - before < count:
            while len(self.clients) < opened + count and self.opening < in_flight:
                self.open(time.perf_counter())
            self.turn(0.1)
        return list(self.clients.values())

    @property
    def opening(self) -> int:
        return sum(not client.accepted for client in self.clients.values())

    def turn(self, timeout: float) -> None:
        """Reads once from every socket that has something."""
        ready = self._epoll.poll(max(timeout, 0.0))
        for number, _ in ready:
            client = self.clients[number]
            try:
                data = client.sock.recv(262_144)
            except ConnectionError:
                data = b""
            if not data:
                self.close(client)
                self.lost += 1
            elif client.accepted:
                self.on_data(client, data)
            else:
                self._greet(client, data)
        now = time.perf_counter()
        if ready:
            self._progress = now
        elif now - self._progress > PATIENCE:
            raise TimeoutError(f"nothing came for {PATIENCE} s; {self.opening} are opening")

    def close(self, client: Client) -> None:
        del self.clients[client.sock.fileno()]
        client.sock.close()

    def close_all(self) -> None:
        for client in list(self.clients.values()):
            self.close(client)

    def _greet(self, client: Client, data: bytes) -> None:
        before = client.received
        client.received += len(data)
        if before < HANDSHAKE_REPLY <= client.received:
            client.sock.send(self._second)
            data = data[HANDSHAKE_REPLY - before :]
        if client.received >= HANDSHAKE_REPLY:
            client.greeting += data
            if ACCEPTED in client.greeting:
                client.accepted = True
                self.latencies.append(time.perf_counter() - client.due)
                self.on_accepted(client)


# ---- scenarios ----------------------------------------------------------------------------------


def connects_held(task: dict[str, Any], meter: Meter) -> dict[str, Any]:
    """Opens connections one after the other and keeps them; then closes them all."""
    load = Load(task["port"], task["app"], digest=task["digest"])
    load.open_many(task["warm_up"])
    load.close_all()
    settle(meter)
    memory = meter.resident_bytes()
    meter.restart()
    load.open_many(task["count"], in_flight=task["in_flight"])
    settle(meter)
    figures = meter.figures()
    held = meter.resident_bytes() - memory
    meter.restart()
    load.close_all()
    settle(meter)
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
    """One says something in a room of many; when all have heard it, again."""
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
            load.turn(0.1)

    for _ in range(3):
        speak()
    first = count
    meter.restart()
    end = time.perf_counter() + task["seconds"]
    while time.perf_counter() < end:
        speak()
    figures = meter.figures()
    load.close_all()
    return {**figures, "count": count - first, "lost": load.lost}


# ---- a live stream ------------------------------------------------------------------------------

VIDEO_RATE, AUDIO_RATE = 25, 43
KEYFRAME_EVERY = 50
KEYFRAME_BYTES, FRAME_BYTES, AUDIO_BYTES = 20_000, 4_040, 372
"""Together 1 Mbit/s, as an encoder for 1 Mbit/s would share it out."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What is published, and when."""

    milliseconds: int
    data: bytes


def frames(seconds: float) -> list[Frame]:
    """Everything that is published, in order; every payload holds its number."""
    made = [
        (0, MessageType.VIDEO, b"\x17\x00\x00\x00\x00", 40),
        (0, MessageType.AUDIO, b"\xaf\x00", 4),
    ]
    for number in range(int(seconds * VIDEO_RATE)):
        is_keyframe = number % KEYFRAME_EVERY == 0
        head = b"\x17\x01\x00\x00\x00" if is_keyframe else b"\x27\x01\x00\x00\x00"
        size = KEYFRAME_BYTES if is_keyframe else FRAME_BYTES
        made.append((number * 1000 // VIDEO_RATE, MessageType.VIDEO, head, size))
    made += [
        (number * 1000 // AUDIO_RATE, MessageType.AUDIO, b"\xaf\x01", AUDIO_BYTES)
        for number in range(int(seconds * AUDIO_RATE))
    ]
    made.sort(key=lambda one: one[0])
    found = []
    for number, (at, kind, head, size) in enumerate(made):
        payload = head + number.to_bytes(4, "big") + bytes(size)
        stream_id = 4 if kind is MessageType.AUDIO else 6
        message = Message(kind, 1, at, payload)
        data = serialize_message(message, chunk_stream_id=stream_id, chunk_size=CHUNK_SIZE)
        found.append(Frame(at, data))
    return found


def numbers_in(data: bytes) -> list[int]:
    """The numbers of the media messages that a player received, behind the handshake."""
    reader = ChunkReader(max_message_length=1 << 24, max_partial_bytes=1 << 24, max_chunk_streams=9)
    reader.feed(data)
    found = []
    while (message := reader.next_message()) is not None:
        if message.type == MessageType.SET_CHUNK_SIZE:
            reader.chunk_size = SetChunkSize.parse(message.payload).chunk_size
        elif message.type in (MessageType.AUDIO, MessageType.VIDEO):
            at = 5 if message.type == MessageType.VIDEO else 2
            found.append(int.from_bytes(message.payload[at : at + 4], "big"))
    return found


def stream(task: dict[str, Any], meter: Meter) -> dict[str, Any]:
    """One publisher in real time and many players.

    A few players keep all they get: their frames are counted one by one. All others must have
    received just as many bytes.
    """
    kept: dict[int, bytearray] = {}
    sizes: dict[int, int] = {}
    started = 0

    def on_data(client: Client, data: bytes) -> None:
        nonlocal started
        key = id(client)
        sizes[key] += len(data)
        if key in kept:
            kept[key] += data
        if not client.tail and b"NetStream.Play.Start" in data:
            client.tail = b"plays"
            started += 1

    load = Load(task["port"], task["app"], digest=False)
    publisher = load.open_many(1)[0]
    publisher.tail = b"publishes"
    sizes[id(publisher)] = 0
    load.on_data = on_data
    chunk_size = SetChunkSize(CHUNK_SIZE)
    announce = serialize_message(
        Message(chunk_size.type, 0, 0, chunk_size.serialize()), chunk_stream_id=2, chunk_size=128
    )
    publish = command("publish", 0, "show", "live", stream=1)
    publisher.sock.send(announce + command("createStream", 2) + publish)
    play = command("createStream", 2) + command("play", 0, "show", -2, stream=1)
    for sample in range(task["players"]):
        client = load.open_many(1)[-1]
        sizes[id(client)] = 0
        if sample % 100 == 0:
            kept[id(client)] = bytearray(client.greeting)
        client.sock.send(play)
    patience = time.perf_counter() + PATIENCE
    while started < task["players"]:
        load.turn(0.1)
        if time.perf_counter() > patience:
            raise TimeoutError(f"{started} of {task['players']} players started")

    seconds = task["warm_up"] + task["seconds"]
    schedule = frames(seconds)
    begin = time.perf_counter()
    total = 0
    figures: dict[str, float] = {}
    measured = 0
    late = 0.0
    for frame in schedule:
        due = begin + frame.milliseconds / 1000
        while (now := time.perf_counter()) < due:
            load.turn(due - now)
        late = max(late, now - due)
        if not figures and now - begin >= task["warm_up"]:
            figures = {"since": now}
            measured = sum(sizes.values())
            meter.restart()
        publisher.sock.send(frame.data)
        total += 1
    load.turn(0.02)
    figures = meter.figures()
    measured = sum(sizes.values()) - measured
    quiet = time.perf_counter() + 1.5
    while time.perf_counter() < quiet:
        load.turn(0.1)
    players = [size for key, size in sizes.items() if key != id(publisher)]
    gaps = sum(numbers_in(bytes(data)) != list(range(total)) for data in kept.values())
    lost = load.lost
    load.close_all()
    return {
        **figures,
        "megabits": measured * 8 / 1e6,
        "frames": total,
        "gaps": gaps,
        "uneven": len(players) - players.count(max(set(players), key=players.count)),
        "lost": lost,
        "late": late,
    }


def settle(meter: Meter) -> None:
    """Waits until the server has nothing more to do."""
    idle = 0
    while idle < 3:
        before = meter._server_seconds()
        time.sleep(0.1)
        idle = idle + 1 if meter._server_seconds() - before < 0.02 else 0


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
