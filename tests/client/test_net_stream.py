"""`NetStream`: publish and play."""

from __future__ import annotations

import asyncio

import pytest

from rtmp_channels.client import ConnectionClosed, NetConnection, StreamFailed
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.events import (
    DataReceived,
    MediaReceived,
    StatusReceived,
    StreamDeleted,
)

from .server import LoopbackServer


async def test_publish_and_play(server: LoopbackServer):
    async with NetConnection(server.url()) as player, NetConnection(server.url()) as publisher:
        playing = await player.create_stream()
        await playing.play("feed")
        stream = await publisher.create_stream()
        await stream.publish("feed")
        assert stream.statuses[-1]["code"] == "NetStream.Publish.Start"
        stream.send_metadata({"width": 320})
        stream.send_audio(5, b"audio")
        stream.send_video(0xFFFFFFFF, b"v" * 100_000)
        stream.send_data("onCue", 1, timestamp=9)
        await stream.drain()
        stream.close()
        packets = [packet async for packet in playing]
    access, metadata, audio, video, cue = packets
    assert isinstance(access, DataReceived)
    assert access.values[0] == "|RtmpSampleAccess"
    assert isinstance(metadata, DataReceived)
    assert metadata.values == ["onMetaData", {"width": 320}]
    assert audio == MediaReceived(1, MessageType.AUDIO, 5, b"audio")
    assert video == MediaReceived(1, MessageType.VIDEO, 0xFFFFFFFF, b"v" * 100_000)
    assert isinstance(cue, DataReceived)
    assert (cue.values, cue.timestamp) == (["onCue", 1], 9)
    codes = [status["code"] for status in playing.statuses]
    assert codes == ["NetStream.Play.Reset", "NetStream.Play.Start", "NetStream.Play.Stop"]


async def test_refusals(server: LoopbackServer):
    async with NetConnection(server.url()) as connection:
        stream = await connection.create_stream()
        with pytest.raises(StreamFailed, match=r"NetStream\.Publish\.BadName"):
            await stream.publish("refused")
        with pytest.raises(StreamFailed) as caught:
            await stream.play("none")
        assert caught.value.code == "NetStream.Play.StreamNotFound"
        await stream.play("feed")  # refused streams can be used again


async def test_errors_of_a_running_stream_are_kept(server: LoopbackServer):
    async with NetConnection(server.url()) as connection:
        stream = await connection.create_stream()
        await stream.publish("feed")
        failed = {"level": "error", "code": "NetStream.Failed"}
        connection.send("streamStatus", stream.id, failed)
        await connection.call("echo", 1)
        assert stream.statuses[-1] == failed


async def test_an_answer_that_does_not_come(server: LoopbackServer):
    async with NetConnection(server.url(), timeout=0.05) as connection:
        stream = await connection.create_stream()
        with pytest.raises(TimeoutError):
            await stream.play("silent")


async def test_the_connections_end_ends_its_streams(server: LoopbackServer):
    async with NetConnection(server.url()) as connection:
        playing, waiting = await connection.create_stream(), await connection.create_stream()
        await playing.play("feed")
        starting = asyncio.ensure_future(waiting.play("silent"))
        await asyncio.sleep(0)
        connection.send("bye")
        packets = [packet async for packet in playing]
        assert len(packets) == 1
        with pytest.raises(ConnectionClosed):
            await starting
        playing.close()


async def test_a_closed_stream_is_deleted_on_the_server(server: LoopbackServer):
    async with NetConnection(server.url()) as connection:
        stream = await connection.create_stream()
        stream.close()
        stream.close()
        await connection.call("echo", 1)
        events = server.clients[0].events
        assert [event for event in events if isinstance(event, StreamDeleted)] == [StreamDeleted(1)]
        assert [packet async for packet in stream] == []


async def test_what_is_over_says_so_at_once(server: LoopbackServer):
    connection = NetConnection(server.url())
    await connection.connect()
    closed, lost = await connection.create_stream(), await connection.create_stream()
    closed.close()
    with pytest.raises(StreamFailed, match="closed by us"):
        await closed.play("feed")
    await lost.publish("feed")
    connection.send("bye")
    await connection.wait_closed()
    for _ in range(2):  # before and after it is opened again
        with pytest.raises(ConnectionClosed, match="closed by the server"):
            lost.send_video(0, b"frame")
        with pytest.raises(ConnectionClosed, match="closed by the server"):
            await lost.publish("feed")
        if not connection.is_connected:
            await connection.connect()
    await connection.close()


async def test_a_stream_of_an_earlier_connection_does_not_touch_the_next(server: LoopbackServer):
    connection = NetConnection(server.url())
    await connection.connect()
    before = await connection.create_stream()
    await connection.close()
    async with connection:
        stream = await connection.create_stream()
        assert stream.id == before.id
        before.close()
        await stream.publish("feed")


async def test_packets_that_nobody_takes_stop_the_reading(server: LoopbackServer):
    async with NetConnection(server.url()) as player, NetConnection(server.url()) as publisher:
        playing = await player.create_stream()
        playing.max_waiting = 10
        await playing.play("feed")
        stream = await publisher.create_stream()
        await stream.publish("feed")
        for time in range(50):
            stream.send_video(time, b"v" * 300_000)
        stream.close()
        await publisher.call("echo", 1)
        times = []
        async for packet in playing:
            assert len(playing._waiting) <= 12  # what one read may bring beyond the limit
            if isinstance(packet, MediaReceived):
                times.append(packet.timestamp)
    assert times == list(range(50))


async def test_an_error_after_the_start_ends_the_stream(server: LoopbackServer):
    """Nobody publishes what was played: servers say so when they have waited."""
    async with NetConnection(server.url()) as player:
        playing = await player.create_stream()
        await playing.play("feed")
        information = {"level": "error", "code": "NetStream.Play.StreamNotFound"}
        playing.receive(StatusReceived(playing.id, information))
        async with asyncio.timeout(20):
            packets = [packet async for packet in playing]
    assert not any(isinstance(packet, MediaReceived) for packet in packets)
