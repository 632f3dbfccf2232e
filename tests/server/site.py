"""The application that the tests of the server run: small, and hostile where a test asks for it."""

import asyncio
import hashlib
import json
import logging
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.server.settings")
django.setup()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from rtmp_channels.consumers import AsyncRtmpConsumer, concurrent, remote  # noqa: E402
from rtmp_channels.counters import counters  # noqa: E402
from rtmp_channels.permissions import ANYONE  # noqa: E402
from rtmp_channels.routing import RtmpRouter  # noqa: E402
from rtmp_channels.shared_objects.grants import Grant  # noqa: E402
from rtmp_channels.tunnels.rtmpt import RtmptTunnel  # noqa: E402
from rtmp_channels.tunnels.websocket import WebSocketTunnel  # noqa: E402

logger = logging.getLogger("tests.site")

MEGABYTE = b"\x55" * 1_000_000


class LobbyConsumer(AsyncRtmpConsumer):
    may_connect = may_call = ANYONE

    @remote
    async def length(self, value):
        return len(value)

    @remote
    async def fail(self, message):
        raise RuntimeError(message)

    @remote
    async def exit(self):
        raise SystemExit("a consumer gives up")

    @remote
    async def unencodable(self):
        return object()

    @remote
    async def hang(self):
        await asyncio.Event().wait()

    @remote
    async def callme(self):
        return await self.call("ping2", "are you there")

    @remote
    async def say(self, text):
        await self.broadcast("onSay", text)

    @remote
    async def shout(self, count):
        """Broadcasts megabytes: what a stalled reader in the room does not take."""
        for _ in range(int(count)):
            await self.broadcast("onShout", MEGABYTE[:250_000])
            await asyncio.sleep(0)

    @remote
    @concurrent
    async def slow(self):
        return await self.call("ping2", "slowly")

    async def on_shared_object(self, request):
        return Grant()


class StudioConsumer(LobbyConsumer):
    async def on_publish(self, message):
        return message["stream_name"] != "forbidden"

    async def on_unpublish(self, message):
        logger.info("unpublished %s", message["stream_name"])


class CountingConsumer(AsyncRtmpConsumer):
    may_connect = may_call = ANYONE

    @remote
    async def counters(self):
        return counters.snapshot()


class EnteredConsumer(AsyncRtmpConsumer):
    """Lets everyone in, and says nothing about what they may do."""

    may_connect = ANYONE

    @remote
    async def ping(self, value):
        return value


class DescribingConsumer(AsyncRtmpConsumer):
    may_connect = may_call = ANYONE

    @remote
    async def describe(self):
        scope = self.scope
        return {
            "user": str(scope["user"]),
            "path": scope["path"],
            "query_string": scope["query_string"].decode(),
            "kwargs": scope["url_route"]["kwargs"],
        }


class AskingConsumer(AsyncRtmpConsumer):
    """Says in the log what came with `connect`."""

    may_connect = may_call = ANYONE

    async def connect(self):
        rtmp = self.scope["rtmp"]
        logger.info("arguments: %s", json.dumps(rtmp["arguments"]))
        logger.info("path: %s?%s", self.scope["path"], self.scope["query_string"].decode())
        await self.accept()


class MeasuringConsumer(AsyncRtmpConsumer):
    """Has its clients ask for a bandwidth check, as Flash Media Server does."""

    may_connect = may_call = ANYONE

    async def connect(self):
        await self.accept()
        await self.send({"type": "rtmp.call", "name": "onBWDone"})

    async def on_play(self, message):
        await asyncio.sleep(2)  # the check is the protocol's: nothing tells when it is over
        return False


async def flood(door, send_megabyte):
    """Sends 200 MB, or says in the log where the other side stopped reading."""
    for sent in range(200):
        try:
            async with asyncio.timeout(1.5):
                await send_megabyte(b"%07d" % sent + MEGABYTE[7:])
        except TimeoutError:
            logger.info("flood: stalled after %d MB over %s", sent, door)
            return
    logger.info("flood: sent everything over %s", door)


async def flooding_rtmp(scope, receive, send):
    await receive()
    await send({"type": "rtmp.accept"})
    await flood("rtmp", lambda data: send({"type": "rtmp.data", "values": ["onData", data]}))
    while (await receive())["type"] != "rtmp.disconnect":
        pass


async def flooding_websocket(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    if scope["path"] == "/deaf":
        await asyncio.Event().wait()
    await flood("websocket", lambda data: send({"type": "websocket.send", "bytes": data}))
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def digest_of_body(receive):
    """Its length and SHA-256, taken piece by piece."""
    size, digest, more = 0, hashlib.sha256(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            logger.info("digest: disconnected after %d bytes", size)
            return b""
        size += len(message["body"])
        digest.update(message["body"])
        more = message["more_body"]
        await asyncio.sleep(0)
    return f"{size} {digest.hexdigest()}".encode()


async def http(scope, receive, send):
    if scope["path"] == "/digest":
        body = await digest_of_body(receive)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})
        return
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/flood":
        chunk = {"type": "http.response.body", "more_body": True}
        await flood("http", lambda data: send({**chunk, "body": data}))
    if scope["path"] == "/short":
        await send({"type": "http.response.body", "body": b"piece ", "more_body": True})
    await send({"type": "http.response.body", "body": b"hello"})


WRITES_DOWN = 0.3
"""Seconds that applications take to end: a server that does not wait for them cuts them short."""


async def stuck(scope, receive, send):
    await receive()
    await send({"type": "rtmp.accept"})
    logger.info("stuck: accepted")
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(WRITES_DOWN)
        logger.info("stuck: cleaned up")


async def silent(scope, receive, send):
    await asyncio.Event().wait()


async def returning(scope, receive, send):
    await receive()
    await send({"type": "rtmp.accept"})


async def raising(scope, receive, send):
    await receive()
    await send({"type": "rtmp.accept"})
    raise RuntimeError("a bug in the application")


async def raising_at_once(scope, receive, send):
    raise RuntimeError("a bug before the answer")


async def tidy(scope, receive, send):
    """Ends by itself when it hears of the end."""
    await receive()
    await send({"type": "rtmp.accept"})
    message = await receive()
    await asyncio.sleep(WRITES_DOWN)
    logger.info("tidy: %s %s", message["type"], message["code"])


rtmp = RtmpRouter(
    {
        "lobby": LobbyConsumer.as_asgi(),
        "measuring": MeasuringConsumer.as_asgi(),
        "asking": AskingConsumer.as_asgi(),
        "studio": StudioConsumer.as_asgi(),
        "closed": AsyncRtmpConsumer.as_asgi(),
        "entered": EnteredConsumer.as_asgi(),
        "counting": CountingConsumer.as_asgi(),
        "flood": flooding_rtmp,
        "stuck": stuck,
        "silent": silent,
        "returning": returning,
        "raising": raising,
        "raising-at-once": raising_at_once,
        "tidy": tidy,
        "stock": AuthMiddlewareStack(URLRouter([path("<str:room>", DescribingConsumer.as_asgi())])),
    }
)
websocket = URLRouter(
    [path("tunnel", WebSocketTunnel.as_asgi(rtmp)), re_path("", flooding_websocket)]
)
application = ProtocolTypeRouter(
    {"http": RtmptTunnel(rtmp, http), "websocket": websocket, "rtmp": rtmp}
)
