"""Endpoint strings: `rtmp:1935:interface=127.0.0.1`, `rtmps:port=1936:privateKey=…:certKey=…`."""

from __future__ import annotations

from typing import Any

from rtmp_channels.server.endpoint import DEFAULT_BACKLOG, EndpointOptions, RtmpEndpoint
from rtmp_channels.server.tls import Certificate

RTMP_PORT = 1935
RTMPS_PORT = 443

_PARTS = frozenset({"interface", "backlog", "reuseport"})


def make_endpoint(reactor: Any, port: str | int = RTMP_PORT, **parts: str) -> RtmpEndpoint:
    """What `rtmp:` describes; ValueError for an unknown part and for what is no number."""
    return RtmpEndpoint(reactor, _options(port, parts))


def make_tls_endpoint(reactor: Any, port: str | int = RTMPS_PORT, **parts: str) -> RtmpEndpoint:
    """What `rtmps:` describes: privateKey and certKey are PEM files, as in Twisted's `ssl:`."""
    key_file = parts.pop("privateKey", "server.pem")
    certificate = Certificate(key_file, parts.pop("certKey", key_file))
    return RtmpEndpoint(reactor, _options(port, parts, certificate))


def _options(
    port: str | int, parts: dict[str, str], certificate: Certificate | None = None
) -> EndpointOptions:
    unknown = parts.keys() - _PARTS
    if unknown:
        raise ValueError(f"an RTMP endpoint has no part named {min(unknown)!r}")
    return EndpointOptions(
        port=int(port),
        interface=parts.get("interface", ""),
        backlog=int(parts.get("backlog", DEFAULT_BACKLOG)),
        reuseport=bool(int(parts.get("reuseport", 0))),
        certificate=certificate,
    )
