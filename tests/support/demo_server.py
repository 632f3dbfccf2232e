"""The demo site on stock daphne, in a process of its own."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.process import REPOSITORY, free_port, run_process, wait_for_port


@dataclass(frozen=True, kw_only=True)
class DemoServer:
    """A running demo site: where it listens and what it wrote."""

    process: subprocess.Popen[bytes]
    http_port: int
    rtmp_port: int
    log_path: Path
    environment: Mapping[str, str]
    """What the server runs with, for management commands on the same database."""

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.http_port}{path}"

    def websocket_url(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.http_port}{path}"

    def rtmp_url(self, path: str) -> str:
        """`path` is `application/instance`."""
        return f"rtmp://127.0.0.1:{self.rtmp_port}/{path}"

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def manage(self, *arguments: str) -> str:
        """Runs `manage.py` on the server's database and returns its output."""
        return _manage(self.environment, *arguments)

    def manage_failing(self, *arguments: str) -> str:
        """The same for a command that fails; returns what it complains of."""
        with pytest.raises(subprocess.CalledProcessError) as caught:
            self.manage(*arguments)
        return str(caught.value.stderr)


def _manage(environment: Mapping[str, str], *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def migrate(database: Path) -> Path:
    """Creates the demo site's tables in the SQLite file `database`."""
    _manage({"DATABASE": str(database)}, "migrate", "--verbosity", "0")
    return database


@contextlib.contextmanager
def run_demo_server(
    folder: Path,
    *,
    database: Path,
    endpoints: Sequence[str] = (),
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    application: str = "project.asgi:application",
    allow_traceback: bool = False,
    may_be_killed: bool = False,
) -> Iterator[DemoServer]:
    """Serves the demo site until the block ends, then checks how the server ended.

    `database` is a migrated SQLite file, `folder` takes the log, `endpoints` are more strings for
    daphne's -e, `options` its other options, `application` is what daphne imports. SIGTERM ends
    the server; it must then exit with 0 and, unless `allow_traceback` (for tests that break an
    application), have logged no traceback. With `may_be_killed` the test ends it as it likes.
    """
    http_port, rtmp_port = free_port(), free_port()
    log = folder / f"daphne-{http_port}.log"
    variables = {
        "DATABASE": str(database),
        "HTTP_PORT": str(http_port),
        "RTMP_PORT": str(rtmp_port),
        "PYTHONUNBUFFERED": "1",
        # Many clients of the tests read nothing while they wait for their turn.
        "PING_TIMEOUT": "60",
        **(environment or {}),
    }
    listen = [
        f"tcp:port={http_port}:interface=127.0.0.1",
        f"rtmp:port={rtmp_port}:interface=127.0.0.1",
        *endpoints,
    ]
    command = [sys.executable, "-m", "daphne", "--application-close-timeout", "5", *options]
    for endpoint in listen:
        command += ["-e", endpoint]
    command.append(application)
    with run_process(command, log=log, environment=variables) as process:
        wait_for_port(http_port, process=process, log=log)
        wait_for_port(rtmp_port, process=process, log=log)
        server = DemoServer(
            process=process,
            http_port=http_port,
            rtmp_port=rtmp_port,
            log_path=log,
            environment=variables,
        )
        yield server
        if may_be_killed:
            return
        assert process.poll() is None, f"the server died:\n{server.log()}"
    assert process.returncode == 0, f"ended with {process.returncode}:\n{server.log()}"
    assert allow_traceback or "Traceback" not in server.log(), server.log()
