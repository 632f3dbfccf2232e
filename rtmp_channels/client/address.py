"""Where `rtmp://host:port/app/instance?query` points."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

_PORTS = {"rtmp": 1935, "rtmps": 443}


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

    @classmethod
    def parse(cls, url: str) -> Address:
        """Raises ValueError for anything but rtmp:// and rtmps:// with a host."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(f"rtmp://host/app or rtmps://host/app expected, got {url!r}")
        app = parts.path.lstrip("/")
        return cls(
            url=url,
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            tls=parts.scheme == "rtmps",
            app=f"{app}?{parts.query}" if parts.query else app,
        )
