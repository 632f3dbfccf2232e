"""Whether this process serves RTMP, connected clients or not."""

from __future__ import annotations

from weakref import WeakSet

_servers: WeakSet[object] = WeakSet()


def serves(server: object) -> None:
    """Counts `server` (a listener, a tunnel) in for as long as it lives."""
    _servers.add(server)


def is_serving() -> bool:
    """Whether clients could connect to this process."""
    return bool(_servers)
