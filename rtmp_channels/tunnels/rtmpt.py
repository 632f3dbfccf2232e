"""RTMPT: RTMP in the bodies of HTTP requests, in front of a site's own HTTP application.

The client opens a session and then asks again and again, numbering its requests:
```
POST /open/1             → the session's id and a line feed
POST /send/<id>/<n>      body: RTMP  → one byte, how long to wait, and RTMP
POST /idle/<id>/<n>      body: one byte → the same
POST /close/<id>/<n>     → one byte
POST /fcs/ident2         → 404, upon which clients open a session here
```
Every body has the type application/x-fcs.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

from rtmp_channels.application import ASGIApplication
from rtmp_channels.conf import rtmp_settings
from rtmp_channels.open_sessions import open_sessions
from rtmp_channels.protocol.errors import RemoteProtocolError
from rtmp_channels.tunnels.polled import Body, OutOfTurn, PolledTransport
from rtmp_channels.tunnels.transport import peer_of

CONTENT_TYPE = b"application/x-fcs"

_TARGET = re.compile(
    r"/(?:(?P<open>open)/\d+|(?P<command>send|idle|close)/(?P<id>[\w-]{1,64})/(?P<number>\d{1,18})"
    r"|fcs/ident2?)/?"
)


class RequestTooLong(Exception):
    """Its body has more than TUNNEL_REQUEST_BYTES."""


class RtmptTunnel:
    """Serves RTMPT for `application` (as `"rtmp"` in a ProtocolTypeRouter); `http` has the rest.

    A session lives in the process that opened it: what stands in front of several processes must
    send all requests of a client to the same one.
    """

    def __init__(self, application: ASGIApplication, http: Callable[..., Awaitable[None]]) -> None:
        self._application = application
        self._http = http
        self._transports: dict[str, PolledTransport] = {}

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        target = _target_of(scope)
        if target is None:
            await self._http(scope, receive, send)
            return
        if target["open"]:
            status, content = self._open(scope)
            await respond(send, status, content)
            return
        transport = self._transports.get(target["id"])
        if transport is None:
            await respond(send, 404)
        elif target["command"] == "close":
            transport.lose()
            await respond(send, 200, b"\0")
        else:
            is_idle = target["command"] == "idle"
            await exchange(transport, int(target["number"]), receive, send, is_idle=is_idle)

    def _open(self, scope: dict[str, Any]) -> tuple[int, bytes]:
        settings = rtmp_settings()
        transport = PolledTransport(settings, on_lost=self._forget)
        session = open_sessions.get().open(
            transport, self._application, peer=peer_of(scope, "rtmpt"), settings=settings
        )
        if session is None:
            return 503, b""
        transport.start(session)
        self._transports[transport.id] = transport
        return 200, f"{transport.id}\n".encode()

    def _forget(self, session_id: str) -> None:
        self._transports.pop(session_id, None)


def _target_of(scope: dict[str, Any]) -> re.Match[str] | None:
    """What the request is about, if it is RTMPT at all."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    content_type = dict(scope["headers"]).get(b"content-type", b"")
    if content_type.partition(b";")[0].strip().lower() != CONTENT_TYPE:
        return None
    return _TARGET.fullmatch(scope["path"])


async def exchange(
    transport: PolledTransport, number: int, receive: Any, send: Any, *, is_idle: bool
) -> None:
    """One `send` or `idle`; a client that breaks the rules loses its session."""

    async def answer(content: bytes) -> None:
        await respond(send, 200, content)

    settings = rtmp_settings()
    body = _reader(receive, most=settings.tunnel_request_bytes, patience=settings.tunnel_timeout)
    try:
        await transport.exchange(number, body, answer, is_idle=is_idle)
    except OutOfTurn:
        await respond(send, 400)
    except RequestTooLong as error:
        transport.session.broken(RemoteProtocolError(f"RTMPT: {error}"))
        await respond(send, 413)
    except ConnectionError as error:
        transport.lose(error)
    except TimeoutError:
        transport.give_up(f"no complete request within {settings.tunnel_timeout:g} s")


def _reader(receive: Any, *, most: int, patience: float) -> Body:
    """Reads a request's body, which is not longer than `most` and comes within `patience`."""

    async def read() -> bytes:
        body = bytearray()
        more = True
        async with asyncio.timeout(patience):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ConnectionError("a request was cut short")
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > most:
                    raise RequestTooLong(f"a request of more than {most} bytes")
        return bytes(body)

    return read


async def respond(send: Any, status: int, content: bytes = b"") -> None:
    """Answers a request; returns when the client has read most of it.

    That is why the content goes out as if more could follow: servers make only those wait.
    """
    headers = [
        (b"content-type", CONTENT_TYPE),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-cache"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
