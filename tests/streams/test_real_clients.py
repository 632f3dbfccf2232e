"""ffmpeg publishes, ffprobe and rtmpdump play, and one who does not read disturbs nobody."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from rtmp_channels.client import NetConnection
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.events import MediaReceived, StatusReceived, StreamCreated
from tests.media import flv
from tests.server.client import rtmp_client
from tests.server.conftest import RTMP
from tests.server.daphne import Daphne, daphne_command
from tests.streams.judge import FAULTY, captured, dissected
from tests.support.process import find_program

pytestmark = [pytest.mark.interop, pytest.mark.timeout(180)]

FRAMES_PER_SECOND = 25


def needs(*names):
    for name in names:
        if find_program(name) is None:
            pytest.skip(f"{name} is not installed (Debian)")


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """20 seconds of H.264 and AAC, a keyframe every second."""
    needs("ffmpeg", "ffprobe")
    path = tmp_path_factory.mktemp("source") / "source.flv"
    video = f"testsrc=size=320x240:rate={FRAMES_PER_SECOND}"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", video]
    command += ["-f", "lavfi", "-i", "sine=frequency=440", "-t", "20", "-c:v", "libx264"]
    command += ["-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac", str(path)]
    subprocess.run(command, check=True, timeout=120, stdin=subprocess.DEVNULL)
    return path


@pytest.fixture(scope="module", params=[0, 250], ids=["per packet", "250 ms ticks"])
def server(request):
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.streams.settings",
        "TEST_TICK_MS": str(request.param),
    }
    command = daphne_command(RTMP, application="tests.streams.site:application")
    server = Daphne(command, environment)
    server.wait_for_log("Listening on", timeout=60)
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.log


@pytest.fixture
def publish(server, source):
    """Starts ffmpeg publishing the source under a name; ended with the test."""
    started = []

    def publish(name, *, speed="1", output=()):
        url = f"rtmp://127.0.0.1:{server.port()}/open/{name}"
        read = ["-readrate", speed, "-i", str(source), "-c", "copy", *output, "-f", "flv", url]
        process = subprocess.Popen(
            ["ffmpeg", "-v", "error", *read],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        server.wait_for_log(f"publishes 'open/{name}'", timeout=30)
        return url

    yield publish
    for process in started:
        process.terminate()
        process.communicate(timeout=20)


def run(command):
    subprocess.run(command, check=True, timeout=90, stdin=subprocess.DEVNULL)


def probe(*arguments):
    command = ["ffprobe", "-v", "error", "-of", "json", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_ffprobe_sees_what_ffmpeg_publishes(publish):
    entries = "stream=codec_name,width,height,sample_rate"
    streams = probe("-show_entries", entries, publish("one"))["streams"]
    assert streams == [
        {"codec_name": "h264", "width": 320, "height": 240},
        {"codec_name": "aac", "sample_rate": "44100"},
    ]


def test_a_late_joiner_starts_with_a_keyframe(publish):
    url = publish("late")
    for _ in range(2):
        found = probe("-show_entries", "packet=codec_type,flags", "-read_intervals", "%+1", url)
        first = next(one for one in found["packets"] if one["codec_type"] == "video")
        assert first["flags"].startswith("K")


def test_across_the_time_from_which_headers_are_longer(publish):
    """16,777,215 ms come two seconds after the start, for publisher and player."""
    url = publish("longer", output=["-output_ts_offset", "16775"])
    entries = ("-select_streams", "v", "-show_entries", "packet=pts", "-read_intervals", "%+4")
    times = [packet["pts"] for packet in probe(*entries, url)["packets"]]
    assert min(times) < 16_777_215 < max(times)
    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {40}


def video_tags(flv_file):
    """(time, payload) of an FLV file's video."""
    content, position = flv_file.read_bytes(), 13
    while position < len(content):
        size = int.from_bytes(content[position + 1 : position + 4], "big")
        time = int.from_bytes(content[position + 4 : position + 7], "big")
        if content[position] == MessageType.VIDEO:
            yield time, content[position + 11 : position + 11 + size]
        position += 11 + size + 4


@pytest.mark.parametrize("limit", [2**24, 2**32], ids=["longer headers", "wrap"])
async def test_streams_that_start_just_before_a_limit(server, source, limit, tmp_path):
    """From our client, whose every frame has a time, to ours and to ffprobe; TShark looks on."""
    needs("tcpdump", "tshark")
    frames = list(video_tags(source))[: 1 + 4 * FRAMES_PER_SECOND]  # the codec's header first
    name, port = f"limit-{limit}", server.port()
    looking_on = AsyncExitStack()
    looking_on.enter_context(captured(port, tmp_path / "limit.pcap"))
    entries = ("-select_streams", "v", "-show_entries", "packet=dts", "-of", "json")
    ffprobe = await asyncio.create_subprocess_exec(
        *("ffprobe", "-v", "error", *entries, f"rtmp://127.0.0.1:{port}/open/{name}"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    async with (
        looking_on,
        NetConnection(f"rtmp://127.0.0.1:{port}/watch") as watcher,
        NetConnection(f"rtmp://127.0.0.1:{port}/open") as player,
        NetConnection(f"rtmp://127.0.0.1:{port}/open") as publisher,
    ):
        async with asyncio.timeout(60):
            while [one["name"] for one in await watcher.call("stats")] != [f"open/{name}"]:
                await asyncio.sleep(0.05)  # until ffprobe waits: nothing tells
        playing, stream = await player.create_stream(), await publisher.create_stream()
        joining = asyncio.create_task(playing.play(name))
        await stream.publish(name)
        await joining
        sent = [((limit - 1000 + time) % 2**32, payload) for time, payload in frames]
        for time, payload in sent:
            stream.send_video(time, payload)
        await stream.drain()
        played = []
        async for packet in playing:
            if isinstance(packet, MediaReceived):
                played.append((packet.timestamp, packet.payload))
            if len(played) == len(sent):
                break
        stream.close()
        shown, _ = await asyncio.wait_for(ffprobe.communicate(), 60)
    assert played == sent
    times = [packet["dts"] for packet in json.loads(shown)["packets"]]
    assert len(times) >= len(frames) - 2
    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {40}
    assert dissected(tmp_path / "limit.pcap", port, FAULTY) == ""
    assert "Video Data" in dissected(tmp_path / "limit.pcap", port, "rtmpt")


def test_enhanced_rtmp(server, tmp_path):
    """HEVC from and to an ffmpeg that writes FourCC packets."""
    imageio_ffmpeg = pytest.importorskip(
        "imageio_ffmpeg", reason="imageio-ffmpeg is not installed (PyPI)"
    )
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error"]
    source, output = tmp_path / "hevc.flv", tmp_path / "copy.flv"
    encode = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=25:log-level=none"]
    run([*ffmpeg, "-f", "lavfi", "-i", "testsrc=size=320x240:rate=25", "-t", "6", *encode, source])
    url = f"rtmp://127.0.0.1:{server.port()}/open/hevc"
    publisher = subprocess.Popen(
        [*ffmpeg, "-re", "-i", source, "-c", "copy", "-f", "flv", url], stdin=subprocess.DEVNULL
    )
    try:
        server.wait_for_log("publishes 'open/hevc'", timeout=30)
        run([*ffmpeg, "-i", url, "-t", "2", "-c", "copy", output])
    finally:
        publisher.terminate()
        publisher.wait(20)
    shown = subprocess.run(
        [ffmpeg[0], "-i", output], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert "Video: hevc" in shown.stderr
    assert "320x240" in shown.stderr


def test_nothing_that_is_written_is_malformed(server, publish, tmp_path):
    needs("tcpdump", "tshark")
    file, port = tmp_path / "rtmp.pcap", server.port()
    with captured(port, file):
        url = publish("judged", speed="4")
        run(["ffmpeg", "-v", "error", "-i", url, "-c", "copy", tmp_path / "copy.flv"])
    assert dissected(file, port, FAULTY) == ""
    listing = dissected(file, port, "rtmpt")
    assert "Unknown" not in listing
    for code in ("Publish.Start", "Play.Start", "Play.UnpublishNotify", "Play.Stop"):
        assert f"NetStream.{code}" in listing


def test_rtmpdump_plays(publish, tmp_path):
    needs("rtmpdump", "timeout")
    output = tmp_path / "o.flv"
    command = ["timeout", "-s", "INT", "5", "rtmpdump", "-q", "-v", "-r", publish("dump")]
    subprocess.run([*command, "-o", str(output)], timeout=60, stdin=subprocess.DEVNULL)
    entries = "stream=codec_name,nb_read_packets"
    video, audio = probe("-count_packets", "-show_entries", entries, str(output))["streams"]
    assert (video["codec_name"], audio["codec_name"]) == ("h264", "aac")
    assert int(video["nb_read_packets"]) >= 2 * FRAMES_PER_SECOND


async def open_stream(client, command, *arguments):
    await client.connect("open")
    client.connection.send_create_stream()
    await client.flush()
    stream = (await client.wait_for(StreamCreated)).message_stream_id
    client.connection.send_call(command, arguments, message_stream_id=stream)
    await client.flush()
    return stream


async def publish_second(client, stream, second):
    """A keyframe and 24 frames of 40 KB."""
    for number in range(FRAMES_PER_SECOND):
        frame = flv.inter(0, 40_000) if number else flv.key(0, 40_000)
        time = 1000 * second + 40 * number
        client.connection.send_message(stream, MessageType.VIDEO, time, frame.payload)
    await client.flush()


async def test_one_who_does_not_read_skips_while_others_get_every_frame(server):
    """30 MB pass; the stalled player costs no more memory than its limit, and no one a frame."""
    port, seconds = server.port(), 30
    async with (
        rtmp_client(port) as publisher,
        rtmp_client(port) as player,
        rtmp_client(port, window=4096) as stalled,
        rtmp_client(port) as watcher,
    ):
        await watcher.connect("watch")
        stream = await open_stream(publisher, "publish", "stall", "live")
        await publisher.wait_for(StatusReceived)
        await open_stream(player, "play", "stall")
        await open_stream(stalled, "play", "stall")
        times = []
        for second in range(seconds):
            if second == 5:
                before = server.rss
            await publish_second(publisher, stream, second)
            for _ in range(FRAMES_PER_SECOND):
                times.append((await player.wait_for(MediaReceived)).timestamp)
        assert times == list(range(0, 1000 * seconds, 40))
        assert server.rss - before < 12_000_000
        stats = await watcher.call("stats")
        (stream,) = [one for one in stats if one["name"] == "open/stall"]
        assert (stream["players"], stream["waiting"]) == (2, 1)
        assert stream["skips"] == 1


def test_ffmpeg_plays_a_stream_to_its_end(publish, source, tmp_path):
    """Published at four times its speed; the copy goes from a keyframe to the last frame."""
    output = tmp_path / "copy.flv"
    url = publish("end", speed="4")
    command = ["ffmpeg", "-v", "error", "-i", url, "-c", "copy", str(output)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr
    entries = ("-count_packets", "-show_entries", "stream=codec_name,nb_read_packets")
    copied, original = (probe(*entries, str(path))["streams"] for path in (output, source))
    assert [one["codec_name"] for one in copied] == ["h264", "aac"]
    video = int(copied[0]["nb_read_packets"])
    assert video % FRAMES_PER_SECOND == 0, "from a keyframe on"
    assert video <= int(original[0]["nb_read_packets"])
