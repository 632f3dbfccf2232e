"""Hostile and unlucky clients and applications: a fault or a clean close, and one log line."""

import asyncio
from itertools import zip_longest

import pytest

from amf_remoting import amf
from rtmp_channels.protocol.chunk import Message, serialize_message
from rtmp_channels.protocol.commands import Command
from rtmp_channels.protocol.control import SetChunkSize
from rtmp_channels.protocol.events import (
    ConnectRejected,
    ResultReceived,
    SharedObjectReceived,
    StatusReceived,
    StreamCreated,
)
from rtmp_channels.protocol.shared_object import (
    Change,
    RequestChange,
    SharedObjectMessage,
    Success,
    Use,
    UseSuccess,
)
from tests.server.client import connection, rtmp_client


@pytest.fixture
def new_lines(shared_daphne):
    """The lines logged since the test began, as a function."""
    start = len(shared_daphne.lines)
    return lambda: shared_daphne.lines[start:]


async def goes_on(port):
    async with rtmp_client(port) as client:
        await client.connect()
        assert await client.call("echo.echo", "still there") == "still there"


async def only_line(shared_daphne, new_lines, port, text):
    """The one line that the event logged; the server goes on."""
    await asyncio.to_thread(shared_daphne.wait_for_log, text)
    await goes_on(port)
    [line] = new_lines()
    assert text in line
    return line


async def test_an_application_that_raises(shared_daphne, rtmp_port, new_lines):
    async with rtmp_client(rtmp_port) as client:
        await client.connect("raising")
        await client.wait_closed()
        [status] = [event for event in client.events if isinstance(event, StatusReceived)]
        assert status.information["code"] == "NetConnection.Connect.Failed"
        assert "bug" not in str(status.information)
    await asyncio.to_thread(shared_daphne.wait_for_log, "RuntimeError: a bug in the application")
    await goes_on(rtmp_port)
    assert sum(line.startswith(("ERROR", "WARNING", "INFO")) for line in new_lines()) == 1
    assert "/raising: the application raised" in new_lines()[0]


async def test_an_application_that_raises_at_once(shared_daphne, rtmp_port, new_lines):
    async with rtmp_client(rtmp_port) as client:
        rejected = await client.connect("raising-at-once")
        assert isinstance(rejected, ConnectRejected)
        assert rejected.information["code"] == "NetConnection.Connect.Failed"
        await client.wait_closed()
    await goes_on(rtmp_port)
    assert sum(line.startswith(("ERROR", "WARNING", "INFO")) for line in new_lines()) == 1


async def test_an_application_that_never_accepts(shared_daphne, rtmp_port, new_lines):
    async with rtmp_client(rtmp_port) as client:
        rejected = await client.connect("silent")
        assert isinstance(rejected, ConnectRejected)
        await client.wait_closed()
    line = await only_line(
        shared_daphne, new_lines, rtmp_port, "the application did not accept within 1 s"
    )
    assert "/silent" in line


async def test_half_a_handshake(shared_daphne, rtmp_port, new_lines):
    async with connection(rtmp_port) as (reader, writer):
        writer.write(b"\3" + bytes(700))
        assert len(await reader.read()) in (0, 3073)
    line = await only_line(shared_daphne, new_lines, rtmp_port, "no complete handshake within 1 s")
    assert "rtmp 127.0.0.1:" in line


async def test_a_handshake_and_nothing_more(shared_daphne, rtmp_port, new_lines):
    async with rtmp_client(rtmp_port) as client:
        await client.handshake()
        await client.wait_closed()
    await only_line(shared_daphne, new_lines, rtmp_port, "no connect command within 1 s")


async def test_a_client_of_another_protocol(shared_daphne, rtmp_port, new_lines):
    async with connection(rtmp_port) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
        assert await reader.read() == b""
    await only_line(shared_daphne, new_lines, rtmp_port, "protocol error")


async def test_a_garbage_chunk(shared_daphne, rtmp_port, new_lines):
    async with rtmp_client(rtmp_port) as client:
        await client.connect()
        client.writer.write(b"\xc7" + b"\xff" * 500)  # format 3 on a chunk stream without a header
        await client.wait_closed()
    line = await only_line(shared_daphne, new_lines, rtmp_port, "protocol error")
    assert "/lobby/room1: protocol error:" in line


async def test_a_message_longer_than_allowed(shared_daphne, rtmp_port, new_lines):
    async with rtmp_client(rtmp_port) as client:
        await client.connect()
        client.writer.write(b"\x03\0\0\0\xff\xff\xff\x14\0\0\0\0")
        await client.wait_closed()
    await only_line(shared_daphne, new_lines, rtmp_port, "protocol error")


@pytest.mark.parametrize("version", [0, 3])
async def test_amf_200_000_deep(shared_daphne, rtmp_port, new_lines, version):
    arrays = {0: b"\x0a\0\0\0\1" * 200_000, 3: b"\x11" + b"\x09\x03\x01" * 200_000}
    value = arrays[version] + {0: b"\x05", 3: b"\x01"}[version]
    payload = amf.dumps_many(["echo.echo", 7, None], 0) + value
    message = Message(20, 0, 0, payload)
    async with rtmp_client(rtmp_port) as client:
        await client.connect()
        client.writer.write(serialize_message(message, chunk_stream_id=3, chunk_size=128))
        await client.wait_closed()
    line = await only_line(shared_daphne, new_lines, rtmp_port, "protocol error")
    assert len(line) < 300


async def test_a_result_that_cannot_be_encoded(shared_daphne, rtmp_port, new_lines):
    async with rtmp_client(rtmp_port) as client:
        await client.connect()
        event = await client.call_event("unencodable")
        assert event.is_error
        assert event.values[0]["code"] == "Server.BadResult"
        assert await client.call("echo.echo", 1) == 1
    [line] = new_lines()
    assert "The result of 'unencodable' cannot be sent" in line


async def test_publish_and_play_are_refused_unless_the_application_allows(rtmp_port):
    async with rtmp_client(rtmp_port) as client:
        await client.connect("lobby")
        stream = await create_stream(client)
        for name, arguments, code in (
            ("publish", ["camera", "live"], "NetStream.Publish.Denied"),
            ("play", ["camera"], "NetStream.Play.Failed"),
        ):
            client.connection.send_call(name, arguments, message_stream_id=stream)
            await client.flush()
            status = await client.wait_for(StatusReceived, message_stream_id=stream)
            assert status.information["code"] == code
            assert status.information["level"] == "error"


async def create_stream(client):
    client.connection.send_create_stream()
    await client.flush()
    return (await client.wait_for(StreamCreated)).message_stream_id


async def publish(client, name):
    stream = await create_stream(client)
    client.connection.send_call("publish", [name, "live"], message_stream_id=stream)
    await client.flush()
    status = await client.wait_for(StatusReceived, message_stream_id=stream)
    return stream, status.information["code"]


def chunks_of(message, chunk_stream_id):
    """The message's chunks of 128 bytes, one by one."""
    data = serialize_message(message, chunk_stream_id=chunk_stream_id, chunk_size=128)
    first, rest = data[: 12 + 128], data[12 + 128 :]
    return [first, *(rest[at : at + 129] for at in range(0, len(rest), 129))]


def shared_object(*events):
    return SharedObjectMessage("board", events=events)


async def test_call_and_shared_object_interleaved_with_video(shared_daphne, rtmp_port):
    """300 KB of call and a change, chunk by chunk between video, at chunk size 128."""
    async with rtmp_client(rtmp_port) as watcher, rtmp_client(rtmp_port) as client:
        await watcher.connect("studio/one")
        watcher.connection.send_shared_object(shared_object(Use()))
        await watcher.flush()
        await watcher.wait_for(SharedObjectReceived)
        await client.connect("studio/one")
        stream, code = await publish(client, "camera")
        assert code == "NetStream.Publish.Start"
        client.connection.send_shared_object(shared_object(Use()))
        await client.flush()
        used = await client.wait_for(SharedObjectReceived)
        assert used.message.events[0] == UseSuccess()

        value = {"text": "é" * 75_000, "list": list(range(20_000))}
        body = Command("echo.echo", 77, None, [value]).serialize()
        assert len(body) > 300_000
        call = chunks_of(Message(20, 0, 0, body), 3)
        change = chunks_of(
            Message(19, 0, 0, shared_object(RequestChange((("line", "x" * 60_000),))).serialize()),
            4,
        )
        video = chunks_of(Message(9, stream, 40, b"\x17\1\0\0\0" + b"v" * 200_000), 6)
        rounds = zip_longest(call, video, change, fillvalue=b"")
        chunk_size = Message(1, 0, 0, SetChunkSize(128).serialize())
        client.writer.write(serialize_message(chunk_size, chunk_stream_id=2, chunk_size=128))
        client.writer.write(b"".join(chunk for chunks in rounds for chunk in chunks))

        result = await client.wait_for(ResultReceived, transaction_id=77)
        assert result.values == [value]
        own = await client.wait_for(SharedObjectReceived)
        assert own.message.events == (Success("line"),)
        seen = await watcher.wait_for(SharedObjectReceived)
        assert seen.message.events == (Change((("line", "x" * 60_000),)),)
    shared_daphne.wait_for_log("unpublished camera")
