"""A redis-server of the tests' own: a free port, nothing on disk."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.support.process import free_port, run_process, wait_for_port


@contextlib.contextmanager
def run_redis_server(program: str, folder: Path) -> Iterator[str]:
    """Yields the server's REDIS_URL."""
    port = free_port()
    log = folder / f"redis-{port}.log"
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    with run_process([program, *options, "--dir", str(folder)], log=log) as process:
        wait_for_port(port, process=process, log=log)
        yield f"redis://127.0.0.1:{port}/0"
