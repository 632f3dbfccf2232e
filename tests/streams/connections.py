"""Connections without sockets: a client, its session, and an application that the test plays."""

from __future__ import annotations

from typing import Any

from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.events import (
    ConnectAccepted,
    DataReceived,
    MediaReceived,
    StatusReceived,
    StreamCreated,
)
from tests.media import flv
from tests.server.wire import Wire

METADATA = b"\x02\x00\x0aonMetaData\x03\x00\x00\x09"
SET_DATA_FRAME = b"\x02\x00\x0d@setDataFrame" + METADATA


class Connected:
    """One client of the application "open"; the application answers when the test says so."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.wire = Wire(self._application)
        self.client = self.wire.client
        self.session = self.wire.session

    async def _application(self, scope, receive, send):
        self.send = send
        while not self.messages or self.messages[-1]["type"] != "rtmp.disconnect":
            self.messages.append(await receive())
            if self.messages[-1]["type"] == "rtmp.connect":
                await send({"type": "rtmp.accept"})

    @property
    def types(self):
        """What the application heard after the connect."""
        return [message["type"] for message in self.messages[1:]]

    async def connect(self, app="open"):
        assert isinstance(await self.wire.connect(app), ConnectAccepted)
        return self

    async def create_stream(self):
        self.client.send_create_stream()
        events = await self.settle()
        return next(e.message_stream_id for e in events if isinstance(e, StreamCreated))

    async def command(self, stream, name, *arguments):
        self.client.send_call(name, arguments, message_stream_id=stream)
        return await self.settle()

    async def answer(self, stream, kind, /, **details):
        """The application's answer, "publish.accept" for example."""
        await self.send({"type": f"rtmp.{kind}", "message_stream_id": stream, **details})
        return await self.settle()

    async def publish(self, name="a", **details):
        """Publishes, accepted at once; returns the stream and the status codes."""
        stream = await self.create_stream()
        await self.command(stream, "publish", name, "live")
        return stream, codes(await self.answer(stream, "publish.accept", **details))

    async def play(self, name="a", **details):
        stream = await self.create_stream()
        await self.command(stream, "play", name)
        return stream, await self.answer(stream, "play.accept", **details)

    async def feed(self, stream, *packets):
        for packet in packets:
            self.client.send_message(stream, packet.type, packet.timestamp, packet.payload)
        await self.settle()

    async def settle(self):
        return await self.wire.settle()


def codes(events):
    """Of the status messages among the events."""
    return [event.information["code"] for event in events if isinstance(event, StatusReceived)]


def media(events):
    """Type, time and body of the media and data among the events."""
    found = []
    for event in events:
        if isinstance(event, MediaReceived):
            found.append((event.type, event.timestamp, event.payload))
        elif isinstance(event, DataReceived) and event.values[0] != "|RtmpSampleAccess":
            found.append((MessageType.DATA_AMF0, event.timestamp, event.payload))
    return found


def metadata_frame():
    return flv.data(0, SET_DATA_FRAME)
