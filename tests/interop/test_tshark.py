"""Wireshark's dissector as the judge of whole conversations, through every transport."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.interop import drivers
from tests.interop.conversation import Conversation
from tests.interop.drivers import refused
from tests.interop.tls import RtmpsEndpoint
from tests.interop.unwrapped import PLAIN_PORT, from_tls, from_websocket
from tests.server.conftest import RTMP
from tests.server.daphne import Daphne, daphne_command
from tests.streams.judge import FAULTY, captured, dissected
from tests.support.demo_server import DemoServer, run_demo_server

pytestmark = pytest.mark.client("tshark")

Clients = Callable[..., Conversation]

VALUES = (None, True, -3.25, "Grüße, 世界 🎈", [1, "two"], {"name": "Ada"}, "x" * 100_000)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where clients write the keys of their TLS connections."""
    return tmp_path_factory.mktemp("keys") / "keys.log"


@pytest.fixture(scope="module")
def rtmps_port(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> Iterator[int]:
    """The port of a demo site's rtmps endpoint."""
    folder = tmp_path_factory.mktemp("rtmps")
    rtmps = RtmpsEndpoint.make(folder)
    with run_demo_server(folder, database=migrated_database, endpoints=[rtmps.description]):
        yield rtmps.port


def converse(client: Conversation) -> None:
    """Calls both ways, with results."""
    client.next("connected")
    for value in VALUES:
        answer = client.ask("result", do="call", method="echo.echo", arguments=[value])
        assert answer["value"] == value
    answer = client.ask("result", do="call", method="lobby.callme", arguments=[])
    assert answer["value"] == "yes, still here"


def converse_with_librtmp(client: Conversation) -> None:
    converse(client)
    client.ask("error", do="call_unknown", method="echo.nothing", arguments=[])
    assert client.close() == 0


def share(clients: Sequence[Conversation]) -> None:
    """An object: used, changed by each in turn, cleared."""
    for client in clients:
        client.ask("status", do="use", name="judged")
    for client in clients:
        client.send(do="set", name="judged", key="k", value=["x" * 1000, 1])
        client.next("sync")
    clients[0].send(do="clear", name="judged")
    for client in clients:
        client.next("sync")


def judge(file: Path, port: int, *expected: str, protocol: str = "rtmpt") -> None:
    """Nothing is malformed or unknown, and all that is expected of any conversation is there."""
    assert dissected(file, port, FAULTY, protocol=protocol) == ""
    listing = dissected(file, port, "rtmpt", protocol=protocol)
    assert "Unknown" not in listing
    for seen in ("Handshake S0+S1+S2", "connect('", "Set Chunk Size 65536", *expected):
        assert seen in listing, listing


def judge_calls(file: Path, port: int, *expected: str, protocol: str = "rtmpt") -> None:
    """The same of a conversation with all the calls."""
    judge(file, port, "connect('lobby", *expected, protocol=protocol)
    listing = dissected(file, port, "rtmpt", protocol=protocol)
    assert listing.count("_result(") >= 2 + len(VALUES), listing


def test_rtmp(demo_server: DemoServer, clients: Clients, tmp_path: Path) -> None:
    file, port = tmp_path / "rtmp.pcap", demo_server.rtmp_port
    with captured(port, file):
        converse_with_librtmp(clients(drivers.librtmp, demo_server.rtmp_url("lobby/judged")))
    judge_calls(file, port, "_error(")


def test_rtmps(
    rtmps_port: int,
    keys: Path,
    clients: Clients,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """librtmp's GnuTLS writes down the keys, so TShark can decrypt it."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    file = tmp_path / "rtmps.pcap"
    with captured(rtmps_port, file):
        url = f"rtmps://127.0.0.1:{rtmps_port}/lobby/judged"
        converse_with_librtmp(clients(drivers.librtmp, url))
    assert dissected(file, rtmps_port, "rtmpt", protocol="tls") == ""
    judge_calls(from_tls(file, rtmps_port, keys=keys), PLAIN_PORT, "_error(")


def test_rtmpt(demo_server: DemoServer, clients: Clients, tmp_path: Path) -> None:
    """The dissector knows the bodies' type."""
    file, port = tmp_path / "rtmpt.pcap", demo_server.http_port
    with captured(port, file):
        url = f"rtmpt://127.0.0.1:{port}/lobby/judged"
        converse_with_librtmp(clients(drivers.librtmp, url))
    judge_calls(file, port, "_error(", protocol="http")


def test_websocket(demo_server: DemoServer, clients: Clients, tmp_path: Path) -> None:
    file, port = tmp_path / "websocket.pcap", demo_server.http_port
    with captured(port, file):
        relay = clients(drivers.websocket_relay, demo_server.websocket_url("/ws/tunnel/"))
        relayed = relay.next("listening")["port"]
        client = clients(drivers.rtmp_client, f"rtmp://127.0.0.1:{relayed}/lobby/judged")
        converse(client)
        share([client])
        client.close()
    judge_calls(from_websocket(file, port), PLAIN_PORT, "Shared Object")


def test_shared_objects(demo_server: DemoServer, clients: Clients, tmp_path: Path) -> None:
    """Each sees the other's changes."""
    file, port = tmp_path / "objects.pcap", demo_server.rtmp_port
    with captured(port, file):
        url = demo_server.rtmp_url("lobby/judged")
        both = [clients(drivers.rtmp_client, url) for _ in range(2)]
        for client in both:
            converse(client)
        share(both)
        for client in both:
            client.close()
    judge_calls(file, port, "Shared Object")


@pytest.fixture(scope="module")
def asking_port() -> Iterator[int]:
    """Where applications ask: one for its arguments, one for a bandwidth check."""
    server = Daphne(daphne_command(RTMP))
    yield server.port()
    server.stop()


@pytest.mark.parametrize("application", ["asking", "measuring"])
def test_rtmpdump(asking_port: int, tmp_path: Path, application: str) -> None:
    file, port = tmp_path / "rtmpdump.pcap", asking_port
    with captured(port, file):
        command = ["rtmpdump", "-V", "-r", f"rtmp://127.0.0.1:{port}/{application}/room"]
        options = ["-C", "B:1", "-C", "S:x y", "-C", "O:1", "-C", "NN:n:1.25", "-C", "O:0"]
        refused([*command, *options, "-y", "nothing", "-o", str(tmp_path / "o.flv")])
    checked = ["_onbwcheck(", "_onbwdone("] if application == "measuring" else []
    judge(file, port, f"connect('{application}", "NetStream.Play.Failed", *checked)
