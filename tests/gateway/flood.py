"""Mutated packets posted to a running site: `python -m tests.gateway.flood --count 10000`.

Each is answered: by a packet of results and faults, or by a status that says that it was none. No
answer tells of the server's insides, none is a server error, and the server's memory stays.
"""

import argparse
import http.client
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from amf_remoting import amf
from amf_remoting.flex.messages import CommandMessage, ErrorMessage, RemotingMessage
from amf_remoting.packet import Header, Message, Packet, parse
from tests.support.demo_server import DemoServer, migrate, run_demo_server

CAPTURES = Path(__file__).resolve().parents[1] / "captures" / "amf"
CONTENT_TYPE = "application/x-amf"
WARM_UP = 300
"""Packets after which the server has imported and cached what it will."""
ALLOWED_GROWTH = 16 * 1024 * 1024
"""Bytes, whatever the count."""


def originals() -> list[bytes]:
    """Recorded packets, and some that reach every kind of service."""
    person = amf.TypedObject("demo.Person", {"name": "Ada", "age": 36, "tags": ["a", {"b": 1}]})
    calls: list[tuple[str, Any]] = [
        ("math.add", [1, 2.5]),
        ("echo.echo", [person]),
        ("echo.args", [1, "two", None, [True, {"a": [1]}], b"bytes", amf.IntVector([1, 2])]),
        ("people.list", [3]),
        ("staff.whoami", []),
        ("echo.fail", ["no luck"]),
    ]
    credentials = Header("Credentials", False, {"userid": "eve", "password": "guess"})
    ping = CommandMessage(operation=5, message_id="1", headers={"DSId": "nil"})
    remoting = RemotingMessage(destination="math", operation="add", body=[1, 2], message_id="2")
    found = [path.read_bytes() for path in sorted(CAPTURES.glob("*.bin"))]
    for version in (0, 3):
        messages = [
            Message(target, f"/{number}", body, encoding=3 if version else 0)
            for number, (target, body) in enumerate(calls, 1)
            if version or target != "echo.args"
        ]
        found += [Packet(version, [], [message]).serialize() for message in messages]
        found.append(Packet(version, [credentials], messages).serialize())
    flex = [Message("null", f"/{n}", [body], encoding=3) for n, body in enumerate([ping, remoting])]
    return [*found, Packet(3, [], flex).serialize()]


def mutated(count: int, seed: int) -> Iterator[bytes]:
    """So many packets, the same ones for the same seed."""
    chance = random.Random(seed)
    packets = originals()
    for _ in range(count):
        data = bytearray(chance.choice(packets))
        for _ in range(chance.choice((1, 1, 2, 4, 16))):
            _mutate(data, chance, packets)
        yield bytes(data)


def _mutate(data: bytearray, chance: random.Random, packets: list[bytes]) -> None:
    at = chance.randrange(len(data) + 1)
    match chance.randrange(6):
        case 0:
            data[at : at + 1] = bytes([chance.randrange(256)])
        case 1:
            data[at : at + 1] = bytes([chance.choice(b"\0\1\x05\x07\x08\x0a\x0c\x11\x7f\x80\xff")])
        case 2:
            del data[at : at + chance.randrange(1, 8)]
        case 3:
            data[at:at] = chance.randbytes(chance.randrange(1, 8))
        case 4:
            data[at:at] = data[at : at + chance.randrange(1, 64)] * chance.randrange(1, 4)
        case _:
            data[at:] = chance.choice(packets)[at:]


def post_all(url: str, packets: Iterable[bytes]) -> Counter[str]:
    """Posts them over one connection, as long as the server keeps it; counts the outcomes.

    AssertionError, with the packet as hexadecimal, for an answer that must not be.
    """
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=60)
    outcomes: Counter[str] = Counter()
    try:
        for data in packets:
            connection.request("POST", address.path, data, {"Content-Type": CONTENT_TYPE})
            response = connection.getresponse()
            body = response.read()
            try:
                outcomes.update(_outcomes(response.status, body))
            except Exception as error:
                raise AssertionError(f"{data.hex()} is answered {body[:500]!r}") from error
    finally:
        connection.close()
    return outcomes


def _outcomes(status: int, body: bytes) -> Iterator[str]:
    assert b"Traceback" not in body
    if status != 200:
        assert status in (400, 413)
        yield str(status)
        return
    for message in parse(body).messages:
        assert message.error is None
        kind = re.fullmatch(r".*/on(Result|Status)", message.target_uri, re.DOTALL)
        assert kind is not None
        yield kind[1]
        if kind[1] == "Status":
            _check_fault(message.value)


def _check_fault(value: Any) -> None:
    if isinstance(value, ErrorMessage):
        assert value.fault_code
        assert value.fault_detail is None
        return
    assert {"level", "code", "description"} <= value.keys()
    assert "traceback" not in value


def memory_of(server: DemoServer) -> int:
    """Bytes of the server's process that are in memory."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def flood(server: DemoServer, *, count: int, seed: int) -> tuple[Counter[str], int]:
    """What came back for so many packets, and by how many bytes the server grew meanwhile."""
    url = server.url("/gateway/")
    post_all(url, mutated(WARM_UP, seed + 1))
    before = memory_of(server)
    outcomes = post_all(url, mutated(count, seed))
    return outcomes, memory_of(server) - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = migrate(folder / "db.sqlite3")
        with run_demo_server(folder, database=database) as server:
            outcomes, growth = flood(server, count=options.count, seed=options.seed)
    print(f"{options.count} packets: {dict(outcomes)}; memory {growth / 1024:+.0f} KiB")
    assert growth < ALLOWED_GROWTH


if __name__ == "__main__":
    main()
