"""Stock daphne with `-e tcp: -e rtmp: -e rtmps:`, no manage.py: the same calls, TLS included."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop import drivers
from tests.interop.conversation import Conversation
from tests.interop.drivers import refused
from tests.interop.tls import RtmpsEndpoint
from tests.support.demo_server import DemoServer, run_demo_server


@dataclass(frozen=True)
class SecureServer:
    """A demo site that serves RTMPS too."""

    demo: DemoServer
    rtmps_port: int
    certificate: Path

    def rtmps_url(self, path: str) -> str:
        return f"rtmps://127.0.0.1:{self.rtmps_port}/{path}"


@pytest.fixture(scope="module")
def secure_server(
    tmp_path_factory: pytest.TempPathFactory, migrated_database: Path
) -> Iterator[SecureServer]:
    folder = tmp_path_factory.mktemp("rtmps")
    rtmps = RtmpsEndpoint.make(folder)
    with run_demo_server(folder, database=migrated_database, endpoints=[rtmps.description]) as demo:
        yield SecureServer(demo, rtmps.port, rtmps.certificate)


@pytest.mark.client("librtmp")
@pytest.mark.parametrize("scheme", ["rtmp", "rtmps"])
def test_the_same_calls(
    secure_server: SecureServer, clients: Callable[..., Conversation], scheme: str
) -> None:
    url_of = {"rtmp": secure_server.demo.rtmp_url, "rtmps": secure_server.rtmps_url}[scheme]
    client = clients(drivers.librtmp, url_of("lobby/room1"))
    client.next("connected")
    assert client.ask("result", do="call", method="math.add", arguments=[20, 22.5])["value"] == 42.5
    value = ["Grüße, 世界 🎈", "x" * 40_000, None]
    assert client.ask("result", do="call", method="echo.echo", arguments=[value])["value"] == value
    fault = client.ask("error", do="call_unknown", method="echo.nothing", arguments=[])
    assert fault["information"]["code"] == "NetConnection.Call.Failed"
    answer = client.ask("result", do="call", method="lobby.callme", arguments=[])
    assert answer["value"] == "yes, still here"


@pytest.mark.client("librtmp")
def test_rooms_span_both_endpoints(
    secure_server: SecureServer, clients: Callable[..., Conversation]
) -> None:
    plain = clients(drivers.librtmp, secure_server.demo.rtmp_url("lobby/both"))
    secure = clients(drivers.librtmp, secure_server.rtmps_url("lobby/both"))
    for client in (plain, secure):
        client.next("connected")
    for speaker, listener in ((plain, secure), (secure, plain)):
        listener.send(do="listen", method="onSay")
        speaker.ask("result", do="call", method="lobby.say", arguments=["across"])
        assert listener.next("onSay")["arguments"] == ["across"]


@pytest.mark.client("rtmpdump")
def test_rtmpdump_over_tls(secure_server: SecureServer, tmp_path: Path) -> None:
    url, output = secure_server.rtmps_url("live/nothing"), str(tmp_path / "o.flv")
    assert "NetStream.Play." in refused(["rtmpdump", "-V", "-r", url, "-o", output])


@pytest.mark.client("ffmpeg")
def test_ffprobe_over_tls(secure_server: SecureServer) -> None:
    url = secure_server.rtmps_url("live/nothing")
    assert "Server error" in refused(["ffprobe", "-v", "verbose", url])


def test_the_certificate_is_the_one_given(secure_server: SecureServer) -> None:
    context = ssl.create_default_context(cafile=str(secure_server.certificate))
    with (
        socket.create_connection(("127.0.0.1", secure_server.rtmps_port), 10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        assert secure.version() in {"TLSv1.2", "TLSv1.3"}


def test_http_answers_beside_it(secure_server: SecureServer) -> None:
    with socket.create_connection(("127.0.0.1", secure_server.demo.http_port), 10) as http:
        http.sendall(b"GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        assert http.recv(12) == b"HTTP/1.0 200"
