"""A load generator of raw sockets: while it runs, it only notes what came when.

What was received is looked into afterwards, so that the generator costs less than what it measures.
"""

import heapq
import select
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

RECEIVE_BYTES = 262_144
QUIET_SECONDS = 0.5
PATIENCE = 120.0


class Receiver:
    """One connection, past its opening."""

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self.socket = connected
        self.pieces: list[tuple[float, bytes]] = []
        """(seconds on `time.perf_counter`, what was read)."""

    @property
    def received(self) -> bytes:
        return b"".join(data for _, data in self.pieces)

    def read(self) -> None:
        data = self.socket.recv(RECEIVE_BYTES)
        assert data, "the server closed a connection"
        self.pieces.append((time.perf_counter(), data))

    def arrivals(self, ends: Sequence[int]) -> list[float]:
        """When the byte before each of these offsets (rising) had come."""
        times, total, index = [], 0, 0
        for at, data in self.pieces:
            total += len(data)
            while index < len(ends) and ends[index] <= total:
                times.append(at)
                index += 1
        return times


@dataclass(order=True)
class Sender:
    """Writes to a connection at a steady pace."""

    due: float
    """Seconds on `time.perf_counter` of the next write."""
    receiver: Receiver = field(compare=False)
    interval: float = field(compare=False)
    left: int = field(compare=False)
    make: Callable[[], bytes] = field(compare=False)

    def send(self) -> None:
        data = self.make()
        assert self.receiver.socket.send(data) == len(data), "the server does not read"
        self.left -= 1
        self.due += self.interval


@dataclass(frozen=True)
class Run:
    """How a run of the generator went."""

    seconds: float
    """From the first write to the last byte received."""
    cpu_share: float
    """Of one core, taken by the generator."""


def run(
    receivers: Sequence[Receiver],
    senders: Sequence[Sender] = (),
    *,
    after_read: Callable[[Receiver], None] | None = None,
    quiet: float = QUIET_SECONDS,
    look: float = 0.0,
) -> Run:
    """Lets the senders write, and reads until nothing has come for `quiet` seconds.

    With `look` it does not sleep at its sockets, but looks at them every so many seconds: else
    whoever sends to many wakes it again and again, and the server pays for that. Fails after
    `PATIENCE` seconds.
    """
    poll = select.epoll()
    by_number = {receiver.socket.fileno(): receiver for receiver in receivers}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    queue = list(senders)
    heapq.heapify(queue)
    started, cpu_before = time.perf_counter(), time.process_time()
    last = started
    while True:
        now = time.perf_counter()
        assert now - started < PATIENCE, "the server did not finish in time"
        while queue and queue[0].due <= now:
            queue[0].send()
            last = now
            if queue[0].left:
                heapq.heapreplace(queue, queue[0])
            else:
                heapq.heappop(queue)
        if not queue and now - last > quiet:
            break
        timeout = max(0.0, queue[0].due - now) if queue else QUIET_SECONDS
        timeout = min(timeout, QUIET_SECONDS)
        if look:
            time.sleep(min(timeout, look))
            timeout = 0.0
        for number, _ in poll.poll(timeout, len(by_number) if look else 256):
            receiver = by_number[number]
            receiver.read()
            last = time.perf_counter()
            if after_read is not None:
                after_read(receiver)
    cpu = time.process_time() - cpu_before
    poll.close()
    return Run(last - started, cpu / (time.perf_counter() - started))
