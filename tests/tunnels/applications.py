"""What the tunnels of these tests lead to."""

import asyncio

from rtmp_channels.consumers import AsyncRtmpConsumer, concurrent, remote
from rtmp_channels.permissions import ANYONE


class Lobby(AsyncRtmpConsumer):
    may_connect = may_call = ANYONE
    channel_layer_alias = None

    @remote
    async def echo(self, value):
        return value

    @remote
    async def describe(self):
        headers = {name.decode(): value.decode() for name, value in self.scope["headers"]}
        return {"scheme": self.scope["scheme"], "client": self.scope["client"], **headers}

    @remote
    @concurrent
    async def ask(self):
        return await self.call("question", 42)

    @remote
    async def hang(self):
        await asyncio.Event().wait()


class Recorder:
    """Accepts and remembers what it receives; `messages` is what came, `send` what may be sent."""

    def __init__(self):
        self.messages = []
        self.send = None
        self.accepted = asyncio.Event()
        self.is_over = asyncio.Event()

    async def __call__(self, scope, receive, send):
        self.send = send
        await receive()
        await send({"type": "rtmp.accept"})
        self.accepted.set()
        while not self.messages or self.messages[-1]["type"] != "rtmp.disconnect":
            self.messages.append(await receive())
        self.is_over.set()


async def pages(scope, receive, send):
    """The site's own HTTP application."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})
