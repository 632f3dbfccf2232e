"""How many files this process may open: every connection is one."""

from __future__ import annotations

import functools
import sys

_RESERVED = 128
"""Left to everything else: HTTP, the database, Redis, logs."""


def allow(connections: int) -> None:
    """Raises this process's soft limit (`ulimit -n`), as far as its hard one lets us."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _RESERVED
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        most_connections.cache_clear()


@functools.cache
def most_connections() -> int:
    """How many connections leave enough to others; asked for each, so the answer is kept."""
    if sys.platform == "win32":
        return sys.maxsize
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return sys.maxsize
    return soft - min(_RESERVED, soft // 2)
