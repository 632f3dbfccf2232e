"""The demo site's HTTP doors through stock daphne, under load: a table for the record.

    python benchmarks/bench_daphne.py --seconds 5 --connections 16

Middleware, sessions, the admin's policy: all is as in the site. So many connections post as fast as
they are answered. The load generator's own processor time is printed; a row in which it took more
than 80 % of a core says nothing about the server and is marked void.
"""

import argparse
import json
import selectors
import socket
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from daphne_process import Daphne, run_daphne

from amf_remoting import amf
from amf_remoting.packet import CONTENT_TYPE, Message, Packet, parse

VOID = 0.8
"""Share of a core beyond which the generator may be what is measured."""
ARGUMENTS = [1, "two", 3.5, True, None]


def request(path: str, body: bytes = b"", *, content_type: str = CONTENT_TYPE) -> bytes:
    lines = [f"{'POST' if body else 'GET'} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if body:
        lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def packet(target: str, arguments: list[object], *, count: int = 1, version: int = 0) -> bytes:
    calls = [
        Message(target, f"/{number}", arguments, encoding=3 if version else 0)
        for number in range(1, count + 1)
    ]
    return request("/gateway/", Packet(version, [], calls).serialize())


REQUESTS = {
    "GET /crossdomain.xml": request("/crossdomain.xml"),
    "AMF0 echo of 5 arguments": packet("echo.args", ARGUMENTS),
    "AMF0 batch of 20 echoes": packet("echo.args", ARGUMENTS, count=20),
    "AMF3 100 typed objects (a sync method, in the pool)": packet("people.list", [100], version=3),
    "JSON echo of 5 arguments": request(
        "/gateway/json/echo/args/",
        json.dumps(ARGUMENTS).encode(),
        content_type="application/json",
    ),
}


@dataclass
class Client:
    """One connection, which sends again as soon as it was answered."""

    socket: socket.socket
    data: bytes
    sent_at: float = 0.0
    answer: bytearray = field(default_factory=bytearray)
    missing: int = -1
    """Bytes still to come; negative while the headers have not."""

    def send(self) -> None:
        self.answer.clear()
        self.missing = -1
        self.sent_at = time.perf_counter()
        self.socket.sendall(self.data)

    def read(self) -> float | None:
        """Seconds that the answer took, once it is complete."""
        received = self.socket.recv(262_144)
        assert received, "daphne closed the connection"
        self.answer += received
        if self.missing < 0:
            head, end, _ = self.answer.partition(b"\r\n\r\n")
            if not end:
                return None
            assert head.startswith(b"HTTP/1.1 200"), head
            length = head.lower().partition(b"content-length:")[2].split(None, 1)[0]
            self.missing = len(head) + len(end) + int(length)
        if len(self.answer) < self.missing:
            return None
        return time.perf_counter() - self.sent_at

    @property
    def body(self) -> bytes:
        return bytes(self.answer.partition(b"\r\n\r\n")[2])


@dataclass(frozen=True)
class Row:
    """What one kind of request took."""

    per_second: float
    milliseconds: list[float]
    server_cpu_ms: float
    """Of all threads, for each request."""
    generator: float
    """Share of a core."""


def measure(server: Daphne, data: bytes, *, connections: int, seconds: float) -> Row:
    selector = selectors.EpollSelector()
    clients = []
    for _ in range(connections):
        connected = socket.create_connection(("127.0.0.1", server.http_port))
        clients.append(Client(connected, data))
        selector.register(connected, selectors.EVENT_READ, clients[-1])
    times: list[float] = []
    cpu, own, started = server.cpu_seconds(), time.process_time(), time.perf_counter()
    for client in clients:
        client.send()
    while (now := time.perf_counter()) - started < seconds:
        for key, _ in selector.select(1.0):
            took = key.data.read()
            if took is not None:
                times.append(took * 1000)
                key.data.send()
    own, cpu = time.process_time() - own, server.cpu_seconds() - cpu
    for client in clients:
        client.socket.close()
    selector.close()
    elapsed = now - started
    return Row(len(times) / elapsed, times, cpu / len(times) * 1000, own / elapsed)


def check(server: Daphne) -> None:
    """What is measured has to work."""
    for name, data in REQUESTS.items():
        with socket.create_connection(("127.0.0.1", server.http_port)) as connected:
            client = Client(connected, data)
            client.send()
            while client.read() is None:
                pass
        if name.startswith("AMF"):
            targets = [one.target_uri for one in parse(client.body).messages]
            assert targets
            assert all(target.endswith("/onResult") for target in targets), targets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    from tests.support.demo_server import migrate

    build = "compiled" if amf.COMPILED else "pure"
    print(f"{build} codec, Python {sys.version.split()[0]}, one daphne, SQLite, ", end="")
    print(f"{options.connections} connections for {options.seconds:.0f} s each")
    print(f"{'':52}{'per s':>7}{'ms p50':>8}{'p99':>7}{'CPU ms':>8}{'generator':>11}")
    with tempfile.TemporaryDirectory() as name:
        database = migrate(Path(name) / "db.sqlite3")
        with run_daphne("project.asgi:application", {"DATABASE": str(database)}) as server:
            check(server)
            for title, data in REQUESTS.items():
                row = measure(
                    server, data, connections=options.connections, seconds=options.seconds
                )
                p50, p99 = (quantiles(row.milliseconds, n=100)[index] for index in (49, 98))
                print(
                    f"{title:52}{row.per_second:7.0f}{p50:8.1f}{p99:7.1f}{row.server_cpu_ms:8.2f}"
                    f"{row.generator:10.0%}{' VOID' if row.generator > VOID else ''}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
