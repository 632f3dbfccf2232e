"""The servers that bench_rtmp loads, each in a process of its own."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.process import free_port, run_process, wait_for_port

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    name: str
    pid: int
    port: int


@dataclass(frozen=True, slots=True)
class Site:
    """The demo site in a folder, and the Python that runs it: the tree's, or a wheel's."""

    python: str
    folder: Path
    build: str
    """pure or compiled."""

    @classmethod
    def prepare(cls, python: str, folder: Path, *, build: str) -> Site:
        """Copies the demo site, so that nothing else of the tree is on the wheel's path."""
        folder.mkdir()
        shutil.copytree(ROOT / "project", folder / "project")
        shutil.copy(ROOT / "manage.py", folder)
        if build == "pure":
            for name in ("amf_remoting", "rtmp_channels"):
                (folder / name).symlink_to(ROOT / name)
        site = cls(python, folder, build)
        check = f"from amf_remoting import amf; assert amf.COMPILED is {build == 'compiled'}"
        site.run("-c", check)
        site.run("manage.py", "migrate", "--verbosity", "0")
        return site

    def run(self, *arguments: str) -> None:
        subprocess.run([self.python, *arguments], cwd=self.folder, env=self.environment, check=True)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {**kept, "DATABASE": str(self.folder / "db.sqlite3")}

    @contextlib.contextmanager
    def serve(self, *, tick_ms: int = 0) -> Iterator[Server]:
        """Stock daphne."""
        port = free_port()
        endpoint = f"rtmp:port={port}:interface=127.0.0.1"
        # daphne opens an HTTP port unless it is told of some endpoint; the loader needs none.
        command = [self.python, "-m", "daphne", "-e", endpoint, "project.asgi:application"]
        variables = {**self.environment, "RTMP_TICK_MS": str(tick_ms), "PYTHONPATH": ""}
        log = self.folder / f"daphne-{port}.log"
        with run_process(command, log=log, environment=variables, cwd=self.folder) as process:
            wait_for_port(port, process=process, log=log)
            yield Server(self.build, process.pid, port)


NGINX = """
load_module {modules}/ngx_rtmp_module.so;
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 8192;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
rtmp {{
  access_log off;
  server {{
    listen 127.0.0.1:{port};
    application open {{ live on; }}
  }}
}}
"""
NGINX_MODULES = Path("/usr/lib/nginx/modules")


def nginx_missing() -> str:
    """Why nginx-rtmp cannot be compared with; empty when it can."""
    if shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin") is None:
        return "nginx is not installed (Debian: nginx-light, libnginx-mod-rtmp)"
    if not (NGINX_MODULES / "ngx_rtmp_module.so").exists():
        return "nginx has no RTMP module (Debian: libnginx-mod-rtmp)"
    return ""


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[Server]:
    """nginx with its RTMP module, one process, as its documentation sets it up."""
    port = free_port()
    settings = folder / "nginx.conf"
    settings.write_text(NGINX.format(folder=folder, port=port, modules=NGINX_MODULES))
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    assert program is not None
    command = [program, "-p", str(folder), "-c", str(settings), "-e", "stderr"]
    log = folder / "nginx.log"
    with run_process(command, log=log, cwd=folder) as process:
        wait_for_port(port, process=process, log=log)
        yield Server("nginx-rtmp", process.pid, port)


def peer_missing(name: str) -> str:
    """Why a Python server cannot be compared with; empty when it can."""
    return "" if importlib.util.find_spec(name) else f"{name} is not installed"


@contextlib.contextmanager
def peer(name: str, folder: Path) -> Iterator[Server]:
    """A Python server of others; see rtmp_peers."""
    port = free_port()
    command = [sys.executable, str(Path(__file__).with_name("rtmp_peers.py")), name, str(port)]
    log = folder / f"{name}.log"
    with run_process(command, log=log, cwd=folder) as process:
        wait_for_port(port, process=process, log=log)
        yield Server(name, process.pid, port)
