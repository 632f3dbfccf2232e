"""What passes on a port, as Wireshark's dissector reads it."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

FAULTY = "rtmpt && (_ws.malformed || _ws.expert.severity >= 6291456) && !tcp.analysis.flags"
"""What the dissector cannot read or doubts; a full TCP window is not what is judged here."""

SECONDS = 60


@contextlib.contextmanager
def captured(port: int, file: Path) -> Iterator[None]:
    """Records the port on the loopback interface while the block runs."""
    command = ["tcpdump", "-i", "lo", "-U", "-s", "0", "-B", "32768", "--immediate-mode"]
    process = subprocess.Popen(
        [*command, "-w", str(file), "tcp", "port", str(port)],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said = ""
        while "listening on" not in said:
            line = process.stderr.readline() if process.stderr else ""
            said += line
            if not line:
                pytest.skip(f"tcpdump may not capture here: {said.strip()}")
        yield
        _wait_until_written(port, file)
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)


def _wait_until_written(port: int, file: Path) -> None:
    """tcpdump loses what it has not read when it ends: a connection that says nothing comes last,
    and the block's packets are in the file once that is."""
    with socket.socket() as last:
        last.bind(("127.0.0.1", 0))
        ports = last.getsockname()[1].to_bytes(2, "big") + port.to_bytes(2, "big")
        with contextlib.suppress(ConnectionError):  # the server may have ended
            last.connect(("127.0.0.1", port))
    deadline = time.monotonic() + SECONDS
    while ports not in file.read_bytes():
        assert time.monotonic() < deadline, f"tcpdump did not see the connection to {port}"
        time.sleep(0.02)


def dissected(file: Path, port: int, display_filter: str, *, protocol: str = "rtmpt") -> str:
    """The packets that the filter selects, a line each; `protocol` is what the port speaks."""
    command = ["tshark", "-r", str(file), "-o", "rtmpt.max_packet_size:16777215"]
    command += ["-d", f"tcp.port=={port},{protocol}", "-Y", display_filter]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout
