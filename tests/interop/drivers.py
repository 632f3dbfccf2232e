"""Starting clients, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.interop.clients import NODE
from tests.interop.conversation import Conversation

LIBRTMP = Path(__file__).with_name("librtmp_client.py")
RTMP_CLIENT = NODE / "rtmp_client.cjs"
WEBSOCKET_RELAY = NODE / "websocket_relay.mjs"

REFUSAL_SECONDS = 20

Connect = Callable[[str], Conversation]
"""Takes an application's instance or a whole URL, gives a client that the test's end closes."""


def librtmp(url: str, *, log: Path) -> Conversation:
    """python-librtmp on its way to ``url``; reports ``connected``."""
    return Conversation([sys.executable, str(LIBRTMP), url], log=log)


def rtmp_client(url: str, *, log: Path) -> Conversation:
    """npm rtmp-client on its way to ``url``; reports ``connected`` or ``closed``."""
    return Conversation(["node", str(RTMP_CLIENT), url], log=log)


def websocket_relay(url: str, *, log: Path) -> Conversation:
    """Takes TCP connections into WebSockets to ``url``; reports ``listening`` with its ``port``."""
    return Conversation(["node", str(WEBSOCKET_RELAY), url], log=log)


def refused(command: Sequence[str]) -> str:
    """Runs a client that must give up by itself; returns what it printed."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        timeout=REFUSAL_SECONDS,
    )
    printed = done.stdout + done.stderr
    assert done.returncode != 0, printed
    return printed
