"""What passes on a port, as Wireshark's dissector reads it."""

from __future__ import annotations

import contextlib
import subprocess
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
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)


def dissected(file: Path, port: int, display_filter: str, *, protocol: str = "rtmpt") -> str:
    """The packets that the filter selects, a line each; `protocol` is what the port speaks."""
    command = ["tshark", "-r", str(file), "-o", "rtmpt.max_packet_size:16777215"]
    command += ["-d", f"tcp.port=={port},{protocol}", "-Y", display_filter]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout
