"""RTMPT, and RTMP in a WebSocket, through proxies: nginx in three ways, Tinyproxy."""

from __future__ import annotations

import http.client
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.interop import drivers
from tests.interop.conversation import Conversation
from tests.interop.proxies import Nginx, run_nginx, run_tinyproxy
from tests.support.demo_server import DemoServer, run_demo_server
from tests.support.process import find_program, run_process
from tests.tunnels.peers import HttpClient

Clients = Callable[..., Conversation]

WAYS = ("documented", "plain", "forward")
SHOWN = [
    "-analyzeduration",
    "500000",
    "-show_entries",
    "stream=codec_name,width,height",
    "-of",
    "compact=p=0:nk=1",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> Iterator[DemoServer]:
    """A demo site that believes its proxies."""
    folder = tmp_path_factory.mktemp("site")
    options = ["--proxy-headers"]
    with run_demo_server(folder, database=migrated_database, options=options) as server:
        yield server


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory, site: DemoServer) -> Iterator[Nginx]:
    if find_program("nginx") is None:
        pytest.skip("nginx is not installed (Debian)")
    with run_nginx(tmp_path_factory.mktemp("nginx"), upstream=site.http_port) as ports:
        yield ports


def towards(site: DemoServer, nginx: Nginx, way: str) -> tuple[str, dict[str, str]]:
    """What a URL begins with for a client that goes that way, and its environment."""
    if way == "forward":
        proxy = f"http://127.0.0.1:{nginx.forward}"
        return f"rtmpt://127.0.0.1:{site.http_port}", {"http_proxy": proxy, "no_proxy": ""}
    return f"rtmpt://127.0.0.1:{getattr(nginx, way)}", {}


@pytest.fixture(scope="module")
def published(
    site: DemoServer, nginx: Nginx, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """ffmpeg publishes to `open/<way>` by each way."""
    folder = tmp_path_factory.mktemp("published")
    source = ["-re", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=25"]
    source += ["-c:v", "libx264", "-g", "25", "-pix_fmt", "yuv420p", "-preset", "ultrafast"]
    with ExitStack() as stack:
        for way in WAYS:
            base, environment = towards(site, nginx, way)
            command = ["ffmpeg", "-v", "error", *source, "-t", "60", "-f", "flv"]
            log = folder / f"{way}.log"
            stack.enter_context(
                run_process([*command, f"{base}/open/{way}"], log=log, environment=environment)
            )
        yield


@pytest.mark.client("ffmpeg-proxies")
@pytest.mark.usefixtures("published")
def test_ffmpeg_publishes_one_way_and_plays_another(site: DemoServer, nginx: Nginx) -> None:
    players = {}
    for way, back in zip(WAYS, (*WAYS[1:], WAYS[0]), strict=True):
        base, environment = towards(site, nginx, back)
        players[way] = subprocess.Popen(
            ["ffprobe", "-v", "error", *SHOWN, f"{base}/open/{way}"],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            text=True,
        )
    shown = {way: player.communicate(timeout=40)[0].strip() for way, player in players.items()}
    assert shown == dict.fromkeys(WAYS, "h264|160|120")


@pytest.mark.client("librtmp-proxies")
@pytest.mark.parametrize("way", ["documented", "plain"])
def test_librtmp_calls_and_is_called(
    site: DemoServer, nginx: Nginx, clients: Clients, way: str
) -> None:
    base, _ = towards(site, nginx, way)
    client = clients(drivers.librtmp, f"{base}/lobby/proxied")
    client.next("connected")
    value = "x" * 300_000  # more than nginx keeps in memory, both ways
    assert client.ask("result", do="call", method="echo.echo", arguments=[value])["value"] == value
    answer = client.ask("result", do="call", method="lobby.callme", arguments=[])
    assert answer["value"] == "yes, still here"


@pytest.mark.client("rtmp-client-proxies")
def test_rtmp_client_through_a_websocket(nginx: Nginx, clients: Clients) -> None:
    url = f"ws://127.0.0.1:{nginx.documented}/ws/tunnel/"
    port = clients(drivers.websocket_relay, url).next("listening")["port"]
    client = clients(drivers.rtmp_client, f"rtmp://127.0.0.1:{port}/lobby/proxied")
    client.next("connected")
    value = "x" * 300_000
    assert client.ask("result", do="call", method="echo.echo", arguments=[value])["value"] == value
    answer = client.ask("result", do="call", method="lobby.callme", arguments=[])
    assert answer["value"] == "yes, still here"


def test_the_client_is_who_asked_nginx_whatever_it_says(site: DemoServer, nginx: Nginx) -> None:
    connection = http.client.HTTPConnection(
        "127.0.0.1", nginx.documented, timeout=20, source_address=("127.0.0.9", 0)
    )
    headers = {"Content-Type": "application/x-fcs", "X-Forwarded-For": "203.0.113.5"}
    connection.request("POST", "/open/1", b"\0", headers)
    session = connection.getresponse().read().decode().strip()
    connection.request("POST", f"/send/{session}/0", b"no RTMP at all", headers)
    connection.getresponse().read()
    connection.close()
    assert "rtmpt 127.0.0.9:0: protocol error" in site.log()


async def test_a_proxy_that_keeps_no_connection(site: DemoServer, tmp_path: Path) -> None:
    """On both of its sides each request has one of its own."""
    if find_program("tinyproxy") is None:
        pytest.skip("tinyproxy is not installed (Debian: tinyproxy-bin)")
    with run_tinyproxy(tmp_path) as port:
        client = HttpClient(port, is_kept=False, origin=f"http://127.0.0.1:{site.http_port}")
        client.methods["ping2"] = lambda text: f"{text}? yes"
        await client.connect("lobby/proxied")
        value = "x" * 300_000
        assert await client.call("echo.echo", value) == value
        assert await client.call("lobby.callme") == "are you there? yes"
        client.post(f"/close/{client.id}/{client.number}")
