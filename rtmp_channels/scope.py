"""The ASGI scope of a connection, made from its `connect` command."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from rtmp_channels.protocol.events import ConnectRequested
from rtmp_channels.transport import Peer

ASGI_VERSION = {"version": "3.0", "spec_version": "1.0"}

_HEADERS = ((b"origin", "pageUrl"), (b"user-agent", "flashVer"), (b"referer", "swfUrl"))
"""Names that web middlewares know, and the properties of `connect` that mean the same."""


def make_scope(request: ConnectRequested, peer: Peer) -> dict[str, Any]:
    """The scope; `headers` holds what the tunnel's request said, else the client of itself."""
    return {
        "type": "rtmp",
        "asgi": dict(ASGI_VERSION),
        "scheme": peer.scheme,
        "path": f"/{request.app}",
        "root_path": "",
        "query_string": request.query_string.encode(),
        "headers": _headers(request, peer),
        "client": list(peer.client) if peer.client else None,
        "server": list(peer.server) if peer.server else None,
        "rtmp": {
            "command_object": request.command_object,
            "arguments": request.arguments,
            "object_encoding": request.object_encoding,
        },
    }


def _headers(request: ConnectRequested, peer: Peer) -> list[tuple[bytes, bytes]]:
    headers = list(peer.headers)
    known = {name for name, _ in headers}
    said = {name: request.command_object.get(key) for name, key in _HEADERS}
    for name, value in {b"host": _host(request.tc_url), **said}.items():
        if name not in known and isinstance(value, str) and value:
            headers.append((name, value.encode("latin-1", "replace")))
    return headers


def _host(tc_url: str) -> str:
    """Without the user and password that some clients put in front of it."""
    try:
        return urlsplit(tc_url).netloc.rpartition("@")[2]
    except ValueError:  # anyone can write anything there
        return ""


def room_of(scope: dict[str, Any]) -> str:
    """Application and instance, "lobby/room1": the name of the connection's own room."""
    path: str = scope["path"]
    return path.strip("/")
