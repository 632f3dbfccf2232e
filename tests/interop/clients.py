"""The clients: what each needs, which version is here, what the tests showed of it."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.support.process import find_program

NODE = Path(__file__).with_name("node")
SWF = Path(__file__).with_name("swf")


@dataclass(frozen=True)
class Client:
    """A client that nobody here wrote."""

    name: str
    version: Callable[[], str | None]
    """Its version on this machine; None where it is missing."""
    source: str
    """Where it comes from, for the one who reads why a test was skipped."""


def _program(name: str, *arguments: str, pattern: str) -> Callable[[], str | None]:
    @cache
    def version() -> str | None:
        program = find_program(name)
        if program is None:
            return None
        shown = subprocess.run(
            [program, *arguments], capture_output=True, text=True, timeout=30, check=False
        )
        found = re.search(pattern, shown.stdout + shown.stderr)
        return found[1] if found else "of unknown version"

    return version


def _npm(name: str) -> Callable[[], str | None]:
    def version() -> str | None:
        manifest = NODE / "node_modules" / name / "package.json"
        if not manifest.exists() or find_program("node") is None:
            return None
        return str(json.loads(manifest.read_text())["version"])

    return version


def _python(name: str) -> Callable[[], str | None]:
    def version() -> str | None:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return None

    return version


CLIENTS = {
    client.name: client
    for client in (
        Client("Ruffle", _npm("@ruffle-rs/ruffle"), "npm @ruffle-rs/ruffle"),
        Client("playwright-core", _npm("playwright-core"), "npm playwright-core"),
        Client(
            "Chromium", _program("chromium", "--version", pattern=r"Chromium ([\d.]+)"), "Debian"
        ),
        Client("Haxe", _program("haxe", "--version", pattern=r"([\d.]+)"), "Debian"),
        Client("python-librtmp", _python("python-librtmp"), "PyPI, needs librtmp-dev"),
        Client("TypeScript", _npm("typescript"), "npm typescript"),
        Client("rtmp-client", _npm("rtmp-client"), "npm rtmp-client"),
        Client("ffmpeg of imageio-ffmpeg", _python("imageio-ffmpeg"), "PyPI imageio-ffmpeg"),
        Client("ws", _npm("ws"), "npm ws"),
        Client("rtmpdump", _program("rtmpdump", "--help", pattern=r"RTMPDump (v[\d.]+)"), "Debian"),
        Client(
            "ffmpeg", _program("ffmpeg", "-version", pattern=r"ffmpeg version ([\d.]+)"), "Debian"
        ),
        Client("nginx", _program("nginx", "-v", pattern=r"nginx/([\d.]+)"), "Debian"),
        Client(
            "tcpdump",
            _program("tcpdump", "--version", pattern=r"tcpdump version ([\d.]+)"),
            "Debian",
        ),
        Client(
            "TShark",
            _program("tshark", "--version", pattern=r"TShark \(Wireshark\) ([\d.]+)"),
            "Debian",
        ),
    )
}


def missing(name: str) -> str | None:
    """Why a test with that client cannot run here, or None."""
    client = CLIENTS[name]
    if client.version() is None:
        return f"{client.name} is not installed ({client.source})"
    return None
