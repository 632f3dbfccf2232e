"""A transport that keeps what is written, and a client's connection at its other end."""

import asyncio
from dataclasses import replace

from rtmp_channels.conf import RtmpSettings
from rtmp_channels.protocol.config import Role
from rtmp_channels.protocol.connection import Connection
from rtmp_channels.protocol.events import HandshakeCompleted, StreamEventReceived
from rtmp_channels.session import Session
from rtmp_channels.transport import Peer

PEER = Peer("rtmp", ("192.0.2.1", 50_000), ("127.0.0.1", 1935))


class FakeTransport:
    def __init__(self):
        self.writes = []
        self.buffered_bytes = self.unread_bytes = 0
        self.silent_for = 0.0
        self.reading = True
        self.gathers, self.reads_asked = False, 0
        self.joins_writes = False
        self.state = "open"

    def write(self, data):
        self.writes.append(data)
        return self.buffered_bytes

    def silence(self):
        return self.silent_for

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True

    def join_writes(self):
        self.joins_writes = True

    def gather(self, gathers):
        self.gathers = gathers

    def read_now(self):
        self.reads_asked += 1

    def close(self):
        self.state = "closed"

    def abort(self):
        self.state = "aborted"


class FakeHost:
    def __init__(self):
        self.log = []

    def application_started(self, session, task):
        self.log.append("started")

    def session_ending(self, session):
        self.log.append("ending")

    def session_closed(self, session):
        self.log.append("closed")


class Wire:
    """A session, its transport and a client, joined without sockets."""

    def __init__(self, application, **settings):
        self.transport = FakeTransport()
        self.host = FakeHost()
        self.settings = replace(RtmpSettings(), **settings)
        self.session = Session(
            self.transport, application, peer=PEER, settings=self.settings, host=self.host
        )
        self.client = Connection(Role.CLIENT)
        self.events = []
        self.is_lost = False

    def deliver(self):
        """Hands the session what the client has queued, then the client what was written."""
        data = self.client.data_to_send()
        if data:
            self.session.data_received(data)
        return self.receive()

    def receive(self):
        """The events of what was written since the last look."""
        writes, self.transport.writes = self.transport.writes, []
        new = [
            event
            for data in writes
            for event in self.client.receive_data(data)
            if not isinstance(event, StreamEventReceived)
        ]
        self.events += new
        return new

    async def settle(self):
        """Lets the application run until it has nothing to do, both ways."""
        seen = len(self.events)
        for _ in range(5):
            self.deliver()
            for _ in range(5):
                await asyncio.sleep(0)
        self.receive()
        return self.events[seen:]

    async def connect(self, app="lobby/room1"):
        self.deliver()
        self.deliver()
        assert any(isinstance(event, HandshakeCompleted) for event in self.events)
        self.client.send_connect({"app": app, "tcUrl": f"rtmp://host/{app}"})
        await self.settle()
        events, self.events = self.events, []
        return events[-1]

    async def lose(self, error=None):
        """The socket is gone; harmless twice, though a transport says it once."""
        if not self.is_lost:
            self.is_lost = True
            self.session.connection_lost(error)
        await self.settle()
