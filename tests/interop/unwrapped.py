"""RTMP that a capture holds inside of TLS or WebSocket frames, as a capture of plain RTMP."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.protocol.pcap import SERVER_PORT, Conversation

PLAIN_PORT = SERVER_PORT
"""Where the plain captures have their server."""

SECONDS = 60

Segments = Iterable[tuple[bool, bytes]]
"""Whether the client wrote it, and what."""


def from_tls(file: Path, port: int, *, keys: Path, number: int = 0) -> Path:
    """Of one connection to ``port``; ``keys`` is what SSLKEYLOGFILE named."""
    options = ["-o", f"tls.keylog_file:{keys}", "-d", f"tcp.port=={port},tls"]
    followed = _tshark(file, *options, "-q", "-z", f"follow,tls,raw,{number}")
    return _plain(file, _followed(followed, port))


def connections(file: Path) -> list[int]:
    """The numbers of a capture's TCP connections."""
    return sorted({int(line) for line in _tshark(file, "-T", "fields", "-e", "tcp.stream")})


def from_websocket(file: Path, port: int) -> Path:
    """Of the only WebSocket to ``port``: the payloads of its binary frames."""
    fields = ["-T", "fields", "-e", "tcp.srcport", "-e", "data.data"]
    options = ["-d", f"tcp.port=={port},http", "-Y", "websocket.opcode == 2"]
    return _plain(file, _frames(_tshark(file, *options, *fields), port))


def _followed(lines: list[str], port: int) -> Iterator[tuple[bool, bytes]]:
    """Of what TShark prints when it follows: the lines of one side begin with a tab."""
    (first,) = (line for line in lines if line.startswith("Node 0: "))
    is_first_the_server = first.endswith(f":{port}")
    begin = 1 + next(at for at, line in enumerate(lines) if line.startswith("Node 1: "))
    for line in lines[begin:]:
        if not line.startswith("="):
            yield line.startswith("\t") == is_first_the_server, bytes.fromhex(line)


def _frames(lines: list[str], port: int) -> Iterator[tuple[bool, bytes]]:
    for line in lines:
        source, _, payloads = line.partition("\t")
        for payload in payloads.split(","):
            yield source != str(port), bytes.fromhex(payload)


def _plain(file: Path, segments: Segments) -> Path:
    conversation = Conversation()
    for up, data in segments:
        conversation.add(data, up=up)
    plain = file.with_suffix(".plain.pcap")
    conversation.write(plain)
    return plain


def _tshark(file: Path, *arguments: str) -> list[str]:
    command = ["tshark", "-r", str(file), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
