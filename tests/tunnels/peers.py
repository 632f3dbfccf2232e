"""Clients of both tunnels: most call the ASGI applications, some go over sockets."""

import asyncio
import http.client
from contextlib import asynccontextmanager

from rtmp_channels.protocol import Connection, Role
from rtmp_channels.protocol.events import (
    CallReceived,
    ConnectAccepted,
    ConnectRejected,
    HandshakeCompleted,
    ResultReceived,
    StreamEventReceived,
)

CLIENT, SERVER = ["192.0.2.7", 50_000], ["127.0.0.1", 8000]

UPGRADE = (
    b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Response:
    """What an HTTP application answered."""

    def __init__(self):
        self.status, self.headers, self.content = 0, {}, b""

    async def send(self, message):
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            self.content += message["body"]


def http_scope(path, *, method="POST", content_type=b"application/x-fcs"):
    headers = [(b"host", b"example.com"), (b"content-type", content_type)]
    return {
        "type": "http",
        "method": method,
        "path": path,
        "headers": headers,
        "client": CLIENT,
        "server": SERVER,
    }


async def post(application, path, body=b"\0", *, send=None, **scope):
    """One request; its response."""
    response = Response()
    chunks = [body[at : at + 8192] for at in range(0, len(body), 8192)] or [b""]
    messages = [
        {"type": "http.request", "body": chunk, "more_body": chunk is not chunks[-1]}
        for chunk in chunks
    ]

    async def receive():
        return messages.pop(0)

    await application(http_scope(path, **scope), receive, send or response.send)
    return response


class Client:
    """The protocol floor in its client role; a subclass carries its bytes."""

    def __init__(self):
        self.connection = Connection(Role.CLIENT)
        self.events = []
        self.methods = {}

    async def exchange(self):
        raise NotImplementedError

    def take(self, data):
        for event in self.connection.receive_data(data):
            if isinstance(event, CallReceived) and event.name in self.methods:
                value = self.methods[event.name](*event.arguments)
                self.connection.send_result(event.transaction_id, value)
            elif not isinstance(event, StreamEventReceived):
                self.events.append(event)

    async def wait_for(self, kind, **fields):
        async with asyncio.timeout(20):
            while True:
                for event in self.events:
                    if isinstance(event, kind) and all(
                        getattr(event, name) == value for name, value in fields.items()
                    ):
                        self.events.remove(event)
                        return event
                await self.exchange()

    async def connect(self, app="lobby/room1", **options):
        await self.wait_for(HandshakeCompleted)
        url = f"rtmp://example.org/{app}"
        self.connection.send_connect({"app": app, "tcUrl": url, **options})
        return await self.wait_for((ConnectAccepted, ConnectRejected))

    async def call(self, name, *arguments):
        transaction_id = self.connection.send_call(name, arguments, expect_result=True)
        return await self.result(transaction_id)

    async def result(self, transaction_id):
        event = await self.wait_for(ResultReceived, transaction_id=transaction_id)
        assert not event.is_error, event.values
        return event.values[0]


class PollingClient(Client):
    """Through RTMPT."""

    def __init__(self, application, *, first=0):
        super().__init__()
        self.application = application
        self.number = first
        self.id = ""
        self.interval = 0

    async def open(self):
        response = await post(self.application, "/open/1")
        assert response.status == 200
        self.id = response.content.decode().strip()
        return self

    async def post(self, command, body=b"\0", *, number=None):
        """One request; the next number if none is given."""
        if number is None:
            number, self.number = self.number, self.number + 1
        return await post(self.application, f"/{command}/{self.id}/{number}", body)

    async def exchange(self):
        data = self.connection.data_to_send()
        response = await (self.post("send", data) if data else self.post("idle"))
        assert response.status == 200
        self.interval = response.content[0]
        self.take(response.content[1:])


class Refused(Exception):
    """A request was answered with another status than 200, which is `status`."""

    def __init__(self, path, status):
        super().__init__(f"{path}: {status}")
        self.status = status


class HttpClient(Client):
    """RTMPT over one HTTP connection that is kept, or over many as through some proxies.

    With `origin`, the port is that of a proxy to that URL.
    """

    def __init__(self, port, *, is_kept=True, origin=""):
        super().__init__()
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.is_kept = is_kept
        self.origin = origin
        self.number = 0
        self.id = self.post("/open/1").decode().strip()

    def post(self, path, body=b"\0"):
        self.http.request("POST", self.origin + path, body, {"Content-Type": "application/x-fcs"})
        response = self.http.getresponse()
        content = response.read()
        if not self.is_kept or response.status != 200:
            self.http.close()
        if response.status != 200:
            raise Refused(path, response.status)
        return content

    def poll(self):
        data = self.connection.data_to_send()
        command, self.number = ("send" if data else "idle"), self.number + 1
        return self.post(f"/{command}/{self.id}/{self.number - 1}", data or b"\0")[1:]

    async def exchange(self):
        self.take(await asyncio.to_thread(self.poll))


class WebSocketClient(Client):
    """Over a WebSocket's frames, by hand."""

    def __init__(self, reader, writer):
        super().__init__()
        self.reader, self.writer = reader, writer

    async def open(self, path="/tunnel"):
        self.writer.write(UPGRADE % path.encode())
        assert (await self.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        return self

    def send(self, data, *, opcode=2):
        """One masked frame; the length in as few bytes as it takes (RFC 6455 §5.2)."""
        length = len(data)
        if length < 126:
            head = bytes([0x80 | length])
        elif length < 65_536:
            head = b"\xfe" + length.to_bytes(2, "big")
        else:
            head = b"\xff" + length.to_bytes(8, "big")
        self.writer.write(bytes([0x80 | opcode]) + head + bytes(4) + data)

    async def frame(self):
        """(opcode, payload); servers do not mask."""
        head = await self.reader.readexactly(2)
        length = head[1]
        if length >= 126:
            size = 2 if length == 126 else 8
            length = int.from_bytes(await self.reader.readexactly(size), "big")
        return head[0] & 15, await self.reader.readexactly(length)

    async def exchange(self):
        data = self.connection.data_to_send()
        if data:
            self.send(data)
        opcode, payload = await self.frame()
        assert opcode == 2
        self.take(payload)


class FramedClient(Client):
    """Through a WebSocket."""

    def __init__(self, application, *, headers=(), subprotocols=()):
        super().__init__()
        self.to_server, self.to_client = asyncio.Queue(), asyncio.Queue()
        self.is_read = asyncio.Event()
        self.is_read.set()
        scope = {
            "type": "websocket",
            "path": "/ws/tunnel/",
            "headers": [(b"host", b"example.com"), *headers],
            "subprotocols": list(subprotocols),
            "client": CLIENT,
            "server": SERVER,
        }
        self.task = asyncio.create_task(application(scope, self.to_server.get, self._send))
        self.to_server.put_nowait({"type": "websocket.connect"})

    async def _send(self, message):
        self.to_client.put_nowait(message)
        await self.is_read.wait()

    async def receive(self):
        return await asyncio.wait_for(self.to_client.get(), 20)

    def send(self, data):
        self.to_server.put_nowait({"type": "websocket.receive", "bytes": data})

    async def exchange(self):
        data = self.connection.data_to_send()
        if data:
            self.send(data)
        message = await self.receive()
        assert message["type"] == "websocket.send", message
        self.take(message["bytes"])


@asynccontextmanager
async def framed_client(application, **options):
    """A client whose WebSocket is accepted."""
    client = FramedClient(application, **options)
    try:
        assert (await client.receive())["type"] == "websocket.accept"
        yield client
    finally:
        client.to_server.put_nowait({"type": "websocket.disconnect", "code": 1006})
        client.is_read.set()
        await asyncio.wait_for(client.task, 20)
