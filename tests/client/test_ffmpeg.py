"""ffmpeg as the other side: a server that our client publishes to, a player that checks digests."""

from __future__ import annotations

import asyncio
import shutil
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from rtmp_channels.client import NetConnection
from rtmp_channels.protocol.events import HandshakeCompleted, PlayRequested

from .server import LoopbackServer

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed"),
    pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed"),
]

SOURCE = "-f lavfi -i testsrc=size=64x48:rate=25 -f lavfi -i sine=frequency=440 -t 2"
CODECS = "-c:v flv1 -g 10 -c:a libmp3lame -ar 44100"


async def run(program: str, *arguments: str) -> tuple[int, str]:
    """The exit status, and what it wrote on both outputs."""
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(30):
            output, _ = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return process.returncode, output.decode(errors="replace")


def tags(flv: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(type, milliseconds, body) of each tag of an FLV file."""
    position = 13
    while position + 11 <= len(flv):
        length = int.from_bytes(flv[position + 1 : position + 4], "big")
        (time,) = struct.unpack(
            ">I", flv[position + 7 : position + 8] + flv[position + 4 : position + 7]
        )
        start = position + 11
        yield flv[position], time, flv[start : start + length]
        position = start + length + 4


async def connect(url: str) -> NetConnection:
    """Connects as soon as ffmpeg listens."""
    connection = NetConnection(url)
    async with asyncio.timeout(15):
        while True:
            with suppress(ConnectionRefusedError):
                await connection.connect()
                return connection
            await asyncio.sleep(0.05)  # another process's socket: nothing to await


async def test_ffmpeg_takes_what_the_client_publishes(tmp_path: Path, unused_port: int):
    source, received = tmp_path / "source.flv", tmp_path / "received.flv"
    status, output = await run(
        "ffmpeg", "-v", "error", *SOURCE.split(), *CODECS.split(), str(source)
    )
    assert status == 0, output
    url = f"rtmp://127.0.0.1:{unused_port}/live/feed"
    listening = asyncio.ensure_future(
        run("ffmpeg", "-v", "error", "-listen", "1", "-i", url, "-c", "copy", str(received))
    )
    connection = await connect(url.rpartition("/")[0])
    stream = await connection.create_stream()
    await stream.publish("feed")
    sent = {8: 0, 9: 0}
    for kind, time, body in tags(source.read_bytes()):
        if kind == 18:
            stream.send_metadata({"width": 64, "height": 48})
        else:
            send = stream.send_audio if kind == 8 else stream.send_video
            send(time, body)
            sent[kind] += 1
        await stream.drain()
    stream.close()
    await connection.close()
    status, output = await listening
    assert received.exists(), output
    _, packets = await run(
        *("ffprobe", "-v", "error", "-count_packets", "-of", "csv=p=0"),
        *("-show_entries", "stream=codec_name,nb_read_packets", str(received)),
    )
    found = dict(line.split(",") for line in packets.split())
    assert found == {"flv1": str(sent[9]), "mp3": str(sent[8])}


async def test_ffmpeg_accepts_the_signature_of_our_digest(server: LoopbackServer):
    _, output = await run("ffprobe", "-v", "warning", server.url("live/none"))
    assert "Signature" not in output
    events = server.seen[0].events
    assert events[0] == HandshakeCompleted(1)
    assert any(isinstance(event, PlayRequested) for event in events)
