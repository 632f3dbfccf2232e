"""Many RTMP clients on raw sockets, from bytes made beforehand, and the server's processor time."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rtmp_channels.protocol import Connection, Role
from rtmp_channels.protocol.chunk import Message, serialize_message
from rtmp_channels.protocol.commands import Command
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.handshake import ClientHandshake
from rtmp_channels.protocol.user_control import Ping, UserControlType

HANDSHAKE_REPLY = 3073
CHUNK_SIZE = 65_536
ACCEPTED = b"NetConnection.Connect.Success"
PATIENCE = 30.0
"""Seconds without any progress after which a scenario gives up."""
PING = bytes([0, 0, 6, 4, 0, 0, 0, 0, 0, int(UserControlType.PING_REQUEST)])
"""A ping from its length on: message type 4 on stream 0. Clients answer it, as players do."""
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

    def settle(self) -> None:
        """Waits until the server has nothing more to do."""
        idle = 0
        while idle < 3:
            before = self._server_seconds()
            time.sleep(0.1)
            idle = idle + 1 if self._server_seconds() - before < 0.02 else 0

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


def ping_answer() -> bytes:
    """To a ping of time 0; the time is at its end."""
    ping = Ping(UserControlType.PING_RESPONSE, 0)
    message = Message(ping.type, 0, 0, ping.serialize())
    return serialize_message(message, chunk_stream_id=2, chunk_size=CHUNK_SIZE)


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
        # One for all: a new one for each read costs the load more than the read.
        self._buffer = memoryview(bytearray(262_144))
        self.clients: dict[int, Client] = {}
        self._progress = time.perf_counter()
        self._ping_answer = ping_answer()

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
                data = bytes(self._buffer[: client.sock.recv_into(self._buffer)])
            except ConnectionError:
                data = b""
            if not data:
                self.close(client)
                self.lost += 1
            elif client.accepted:
                ping = data.find(PING) + len(PING)
                if ping >= len(PING):
                    client.sock.send(self._ping_answer[:-4] + data[ping : ping + 4].ljust(4))
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
