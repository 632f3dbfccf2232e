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
    """The scope; `headers` holds what the client said of itself, none of it proven."""
    return {
        "type": "rtmp",
        "asgi": dict(ASGI_VERSION),
        "scheme": peer.scheme,
        "path": f"/{request.app}",
        "root_path": "",
        "query_string": request.query_string.encode(),
        "headers": _headers(request),
        "client": list(peer.client) if peer.client else None,
        "server": list(peer.server) if peer.server else None,
        "rtmp": {
            "command_object": request.command_object,
            "arguments": request.arguments,
            "object_encoding": request.object_encoding,
        },
    }


def _headers(request: ConnectRequested) -> list[tuple[bytes, bytes]]:
    host = _host(request.tc_url)
    headers = [(b"host", host.encode("latin-1", "replace"))] if host else []
    for header, key in _HEADERS:
        value = request.command_object.get(key)
        if isinstance(value, str) and value:
            headers.append((header, value.encode("latin-1", "replace")))
    return headers


def _host(tc_url: str) -> str:
    try:
        return urlsplit(tc_url).netloc
    except ValueError:  # anyone can write anything there
        return ""


def room_of(scope: dict[str, Any]) -> str:
    """Application and instance, "lobby/room1": the name of the connection's own room."""
    path: str = scope["path"]
    return path.strip("/")
