"""Stock daphne in a process of its own, and the processor time it took."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.process import free_port, run_process, wait_for_port  # noqa: E402

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Daphne:
    """A running server."""

    pid: int
    http_port: int
    rtmp_port: int

    def cpu_seconds(self) -> float:
        """User and system time of all its threads up to now (/proc/PID/stat)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


@dataclass(frozen=True)
class Installation:
    """Which Python serves, and where it finds what is not installed there: the tree's sources."""

    python: Path = Path(sys.executable)
    folder: Path = ROOT
    paths: list[Path] = field(default_factory=lambda: [Path(__file__).parent, ROOT])


TREE = Installation()


@contextlib.contextmanager
def run_daphne(
    application: str,
    environment: Mapping[str, str] | None = None,
    *,
    installation: Installation = TREE,
) -> Iterator[Daphne]:
    """Serves HTTP, WebSocket and RTMP on free ports of 127.0.0.1 until the block ends."""
    http_port, rtmp_port = free_port(), free_port()
    paths = os.pathsep.join(map(str, installation.paths))
    # A load of raw sockets answers no pings.
    command = [str(installation.python), "-m", "daphne", "-v", "0", "--ping-interval", "600"]
    for kind, port in (("tcp", http_port), ("rtmp", rtmp_port)):
        command += ["-e", f"{kind}:port={port}:interface=127.0.0.1"]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "daphne.log"
        variables = {"PYTHONPATH": paths, **(environment or {})}
        command.append(application)
        with run_process(
            command, log=log, environment=variables, cwd=installation.folder
        ) as process:
            for port in (http_port, rtmp_port):
                wait_for_port(port, process=process, log=log)
            yield Daphne(process.pid, http_port, rtmp_port)
        errors = [line for line in log.read_text().splitlines() if "Traceback" in line]
        assert not errors, log.read_text()
