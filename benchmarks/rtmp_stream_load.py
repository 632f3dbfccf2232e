"""One publisher in real time, many players, and whether each of them got everything."""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass
from statistics import median
from typing import Any

from rtmp_load import CHUNK_SIZE, PATIENCE, Client, Load, Meter, command, ping_answer

from rtmp_channels.protocol.chunk import Message, serialize_message
from rtmp_channels.protocol.chunk_reader import ChunkReader
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.control import SetChunkSize

VIDEO_RATE, AUDIO_RATE = 25, 43
KEYFRAME_EVERY = 50
KEYFRAME_BYTES, FRAME_BYTES, AUDIO_BYTES = 20_000, 4_040, 372
"""Together 1 Mbit/s, as an encoder for 1 Mbit/s would share it out."""


LOOK_SECONDS = 0.005
MOST_PINGS = 20
"""How many more pings one player may have got than another."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What is published, and when."""

    milliseconds: int
    kind: MessageType
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
        payload = head + number.to_bytes(4, "big") + b"\xaa" * size
        stream_id = 4 if kind is MessageType.AUDIO else 6
        message = Message(kind, 1, at, payload)
        data = serialize_message(message, chunk_stream_id=stream_id, chunk_size=CHUNK_SIZE)
        found.append(Frame(at, kind, data))
    return found


def numbers_in(data: bytes | bytearray) -> list[int]:
    """The numbers of the media messages that a player received, behind the handshake."""
    reader = ChunkReader(max_message_length=1 << 24, max_partial_bytes=1 << 24, max_chunk_streams=9)
    reader.feed(bytes(data))
    found = []
    while (message := reader.next_message()) is not None:
        if message.type == MessageType.SET_CHUNK_SIZE:
            reader.chunk_size = SetChunkSize.parse(message.payload).chunk_size
        elif message.type in (MessageType.AUDIO, MessageType.VIDEO):
            at = 5 if message.type == MessageType.VIDEO else 2
            found.append(int.from_bytes(message.payload[at : at + 4], "big"))
    return found


def is_whole(numbers: list[int], schedule: list[Frame]) -> bool:
    """Whether every frame came, once, and audio and video each in their order.

    Between the two there is none: nginx sends the audio's header behind the first picture.
    """
    ordered = sorted(numbers, key=lambda number: schedule[number].kind)
    return ordered == sorted(range(len(schedule)), key=lambda number: schedule[number].kind)


def segments(sock: socket.socket) -> int:
    """What the kernel has received with data in it so far (tcpi_data_segs_in, linux/tcp.h).

    On loopback that is how often the server's kernel has sent something: small writes that follow
    each other leave in one piece where the server does not forbid it (TCP_NODELAY).
    """
    information = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 156)
    return int(struct.unpack_from("=I", information, 152)[0])


class Show:
    """One publisher and its players.

    A few players keep all they get: their frames are counted one by one. All others must have
    received just as many bytes, but for pings.
    """

    def __init__(self, task: dict[str, Any]) -> None:
        self.players = int(task["players"])
        self.load = Load(task["port"], task["app"], digest=False)
        self._kept: dict[int, bytearray] = {}
        self._sizes: dict[int, int] = {}
        self._started = 0
        self._play = command("createStream", 2) + command("play", 0, "show", -2, stream=1)

    def begin(self) -> None:
        """Publishes, and has everyone play; no media yet."""
        self._publisher = self.load.open_many(1)[0]
        announce = SetChunkSize(CHUNK_SIZE)
        message = Message(announce.type, 0, 0, announce.serialize())
        self._publisher.sock.send(
            serialize_message(message, chunk_stream_id=2, chunk_size=128)
            + command("createStream", 2)
            + command("publish", 0, "show", "live", stream=1)
        )
        self.load.on_accepted = self._accepted
        self.load.on_data = self._received
        self.load.open_many(self.players)
        patience = time.perf_counter() + PATIENCE
        while self._started < self.players:
            self.load.turn(0.1)
            if time.perf_counter() > patience:
                raise TimeoutError(f"{self._started} of {self.players} players started")

    def _accepted(self, client: Client) -> None:
        key = id(client)
        self._sizes[key] = 0
        if len(self._sizes) % 100 == 0:
            self._kept[key] = bytearray(client.greeting)
        client.sock.send(self._play)

    def _received(self, client: Client, data: bytes) -> None:
        if client is self._publisher:
            return
        key = id(client)
        self._sizes[key] += len(data)
        if key in self._kept:
            self._kept[key] += data
        if not client.tail and b"NetStream.Play.Start" in data:
            client.tail = b"plays"
            self._started += 1

    def send(self, frame: Frame) -> None:
        self._publisher.sock.send(frame.data)

    @property
    def received_bytes(self) -> int:
        return sum(self._sizes.values())

    def gaps(self, schedule: list[Frame]) -> int:
        """Players that kept everything and missed a frame, or got one twice."""
        return sum(not is_whole(numbers_in(data), schedule) for data in self._kept.values())

    @property
    def segments(self) -> float:
        """What a player's kernel has received so far; see `segments`."""
        players = [each for each in self.load.clients.values() if each is not self._publisher]
        return median(segments(each.sock) for each in players)

    def uneven(self) -> int:
        """Players that got another number of bytes than the first."""
        ping = len(ping_answer())
        first, *others = self._sizes.values()
        differences = [abs(size - first) for size in others]
        return sum(bool(off % ping) or off > MOST_PINGS * ping for off in differences)


def stream(task: dict[str, Any], meter: Meter) -> dict[str, Any]:
    """Plays to many, measured after a warm-up.

    The sockets are looked at every few milliseconds: a load that sleeps between packets would be
    woken by the server's sends, on the server's account, and now more often, now less.
    """
    show = Show(task)
    show.begin()
    schedule = frames(task["warm_up"] + task["seconds"])
    begin = time.perf_counter()
    measured: int | None = None
    before = 0.0
    late = 0.0
    for frame in schedule:
        due = begin + frame.milliseconds / 1000
        while (now := time.perf_counter()) < due:
            time.sleep(min(due - now, LOOK_SECONDS))
            show.load.turn(0)
        late = max(late, now - due)
        if measured is None and now - begin >= task["warm_up"]:
            measured, before = show.received_bytes, show.segments
            meter.restart()
        show.send(frame)
    show.load.turn(LOOK_SECONDS)
    figures = meter.figures()
    sent = (show.segments - before) / figures["wall"]
    megabits = (show.received_bytes - (measured or 0)) * 8 / 1e6
    quiet = time.perf_counter() + 1.5
    while time.perf_counter() < quiet:
        show.load.turn(0.1)
    found = {
        **figures,
        "megabits": megabits,
        "segments": sent,
        "gaps": show.gaps(schedule),
        "uneven": show.uneven(),
        "lost": show.load.lost,
        "late": late,
    }
    show.load.close_all()
    return found
