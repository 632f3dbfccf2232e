"""Where `rtmp://host:port/app/instance?query` points, and by which transport."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

_PORTS = {"rtmp": 1935, "rtmps": 443, "rtmpt": 80, "rtmpts": 443}
_WEB_PORTS = {"ws": 80, "wss": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed RTMP URL."""

    url: str
    """As given: connect's `tcUrl`."""
    host: str
    port: int
    tls: bool
    app: str
    """Application, instance and query: connect's `app`."""
    is_polled: bool = False
    """Whether it travels in HTTP requests (RTMPT)."""

    @classmethod
    def parse(cls, url: str) -> Address:
        """Raises ValueError for anything but rtmp, rtmps, rtmpt and rtmpts URLs with a host."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(f"rtmp://host/app, rtmps, rtmpt or rtmpts expected, got {url!r}")
        app = parts.path.lstrip("/")
        return cls(
            url=url,
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            tls=parts.scheme.endswith("s"),
            app=f"{app}?{parts.query}" if parts.query else app,
            is_polled=parts.scheme.startswith("rtmpt"),
        )


@dataclass(frozen=True, slots=True)
class WebSocketAddress:
    """A parsed URL of a WebSocket."""

    host: str
    port: int
    tls: bool
    host_header: str
    """Host, and port if the URL names one."""
    target: str
    """Path and query."""

    @classmethod
    def parse(cls, url: str) -> WebSocketAddress:
        """Raises ValueError for anything but ws:// and wss:// with a host."""
        parts = urlsplit(url)
        if parts.scheme not in _WEB_PORTS or not parts.hostname or not url.isprintable():
            raise ValueError(f"ws://host/path or wss://host/path expected, got {url!r}")
        path = parts.path or "/"
        return cls(
            host=parts.hostname,
            port=parts.port or _WEB_PORTS[parts.scheme],
            tls=parts.scheme == "wss",
            host_header=parts.netloc.rpartition("@")[2],
            target=f"{path}?{parts.query}" if parts.query else path,
        )
