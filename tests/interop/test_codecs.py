"""H.264 and HEVC (Enhanced RTMP) over every transport, published and played by ffmpeg."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop.tls import RtmpsEndpoint
from tests.interop.unwrapped import PLAIN_PORT, connections, from_tls
from tests.streams.judge import FAULTY, captured, dissected
from tests.support.demo_server import DemoServer, run_demo_server

pytestmark = [pytest.mark.client("ffmpeg-codecs"), pytest.mark.timeout(180)]

SCHEMES = ("rtmp", "rtmps", "rtmpt")
CODECS = {
    "h264": ("-c:v", "libx264", "-g", "25"),
    "hevc": ("-c:v", "libx265", "-x265-params", "keyint=25:log-level=none"),
}
SECONDS = 60
FRAMES = 25
"""A player takes two seconds; half of that must have come."""


@dataclass(frozen=True)
class Site:
    """The demo site, where each scheme is, and the keys of its TLS connections."""

    server: DemoServer
    ports: dict[str, int]
    keys: Path

    def url(self, codec: str, scheme: str) -> str:
        return f"{scheme}://127.0.0.1:{self.ports[scheme]}/open/{codec}-{scheme}"


def ffmpeg() -> str:
    """The one of imageio-ffmpeg: Debian's does not know Enhanced RTMP."""
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


def trust(scheme: str) -> list[str]:
    """Its certificate is our own."""
    return ["-tls_verify", "0"] if scheme == "rtmps" else []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("codecs")
    rtmps = RtmpsEndpoint.make(folder)
    keys = folder / "keys.log"
    with run_demo_server(
        folder,
        database=migrated_database,
        endpoints=[rtmps.description],
        environment={"SSLKEYLOGFILE": str(keys)},
    ) as server:
        ports = {"rtmp": server.rtmp_port, "rtmps": rtmps.port, "rtmpt": server.http_port}
        yield Site(server, ports, keys)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Twenty seconds of picture and tone in each codec."""
    folder = tmp_path_factory.mktemp("sources")
    inputs = ["-f", "lavfi", "-i", "testsrc=size=320x240:rate=25"]
    inputs += ["-f", "lavfi", "-i", "sine=frequency=440", "-t", "20"]
    for codec, options in CODECS.items():
        output = [*options, "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
        command = [ffmpeg(), "-v", "error", *inputs, *output, folder / f"{codec}.flv"]
        subprocess.run(command, check=True, timeout=SECONDS, stdin=subprocess.DEVNULL)
    return {codec: folder / f"{codec}.flv" for codec in CODECS}


@pytest.fixture(scope="module")
def captures(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """What passes while the streams are published and played."""
    folder = tmp_path_factory.mktemp("captures")
    files = {scheme: folder / f"{scheme}.pcap" for scheme in SCHEMES}
    with ExitStack() as stack:
        for scheme, file in files.items():
            stack.enter_context(captured(site.ports[scheme], file))
        yield files


@pytest.fixture(scope="module")
def played(
    site: Site,
    sources: dict[str, Path],
    captures: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[tuple[str, str], str]]:
    """What ffmpeg finds in each stream's recording; all of them published and played at once."""
    folder = tmp_path_factory.mktemp("played")
    pairs = [(codec, scheme) for codec in CODECS for scheme in SCHEMES]

    def publish(pair: tuple[str, str]) -> subprocess.Popen[bytes]:
        source = ["-re", "-i", sources[pair[0]], "-c", "copy", "-f", "flv", *trust(pair[1])]
        command = [ffmpeg(), "-v", "error", *source, site.url(*pair)]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def play(pair: tuple[str, str]) -> str:
        output = folder / f"{'-'.join(pair)}.flv"
        command = [ffmpeg(), "-v", "error", *trust(pair[1]), "-i", site.url(*pair), "-t", "2"]
        subprocess.run([*command, "-c", "copy", output], timeout=SECONDS, stdin=subprocess.DEVNULL)
        counted = [ffmpeg(), "-i", output, "-c", "copy", "-f", "null", "-"]
        shown = subprocess.run(
            counted, capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL
        )
        return shown.stderr

    publishers = [publish(pair) for pair in pairs]
    try:
        with ThreadPoolExecutor(len(pairs)) as players:
            yield dict(zip(pairs, players.map(play, pairs), strict=True))
    finally:
        for publisher in publishers:
            publisher.terminate()
            publisher.wait(SECONDS)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("codec", CODECS)
def test_published_and_played(played: dict[tuple[str, str], str], codec: str, scheme: str) -> None:
    shown = played[codec, scheme]
    assert f"Video: {codec}" in shown, shown
    assert "320x240" in shown
    assert "Audio: aac" in shown
    frames = re.findall(r"frame= *(\d+)", shown)
    assert int(frames[-1]) >= FRAMES, shown


def conversation(file: Path, number: int) -> Path:
    """One TCP connection of a capture: in HTTP the dissector mixes them up."""
    only = file.with_name(f"{number}-{file.name}")
    command = ["tshark", "-r", file, "-Y", f"tcp.stream=={number}", "-w", only]
    subprocess.run(command, capture_output=True, check=True, timeout=SECONDS)
    return only


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_is_malformed(
    site: Site, played: dict[tuple[str, str], str], captures: dict[str, Path], scheme: str
) -> None:
    """Wireshark names RTMP itself "rtmpt", and finds it in the bodies of HTTP too."""
    port, protocol = site.ports[scheme], "http" if scheme == "rtmpt" else "rtmpt"
    file, listing = captures[scheme], ""
    for number in connections(file):
        if scheme == "rtmps":
            one, port = (
                from_tls(file, site.ports[scheme], keys=site.keys, number=number),
                PLAIN_PORT,
            )
        else:
            one = conversation(file, number)
        assert dissected(one, port, FAULTY, protocol=protocol) == ""
        listing += dissected(one, port, "rtmpt", protocol=protocol)
    assert "Unknown" not in listing
    for seen in ("publish('hevc", "publish('h264", "NetStream.Play.Start", "Video Data"):
        assert seen in listing
