"""Starting the driven clients: python-librtmp and npm rtmp-client, each in its own process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tests.interop.clients import NODE
from tests.interop.conversation import Conversation

LIBRTMP = Path(__file__).with_name("librtmp_client.py")
RTMP_CLIENT = NODE / "rtmp_client.cjs"

Connect = Callable[[str], Conversation]
"""Takes an application's instance or a whole URL, gives a client that the test's end closes."""


def librtmp(url: str, *, log: Path) -> Conversation:
    """python-librtmp on its way to ``url``; reports ``connected``."""
    return Conversation([sys.executable, str(LIBRTMP), url], log=log)


def rtmp_client(url: str, *, log: Path) -> Conversation:
    """npm rtmp-client on its way to ``url``; reports ``connected`` or ``closed``."""
    return Conversation(["node", str(RTMP_CLIENT), url], log=log)
