"""Proxies in processes of their own: nginx in three ways, one as in the how-to, and Tinyproxy."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.process import REPOSITORY, find_program, free_port, run_process, wait_for_port

PAGE = REPOSITORY / "docs/how-to/reach-clients-behind-proxies.md"

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {documented}
    server {{  # nothing but what nginx does by itself: HTTP/1.0, a connection for each request
        listen 127.0.0.1:{plain};
        location / {{ proxy_pass http://127.0.0.1:{upstream}; }}
    }}
    server {{  # for clients that know it is a proxy
        listen 127.0.0.1:{forward};
        location / {{ proxy_pass http://$http_host$request_uri; }}
    }}
}}
"""

TINYPROXY = """
Listen 127.0.0.1
Port {port}
Allow 127.0.0.1
"""


@dataclass(frozen=True)
class Nginx:
    """The ports of one nginx, by how it passes on what it gets."""

    documented: int
    """As docs/how-to says: to one site, over connections that are kept."""
    plain: int
    """To the same site, with nginx's defaults."""
    forward: int
    """To wherever the client says."""


def documented_nginx(*, port: int, upstream: int) -> str:
    """The how-to's configuration, with these ports on the loopback interface."""
    (text,) = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL)
    changed = text.replace("listen 80;", f"listen 127.0.0.1:{port};")
    return changed.replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")


@contextlib.contextmanager
def run_nginx(folder: Path, *, upstream: int) -> Iterator[Nginx]:
    """nginx in front of the site on the port ``upstream``."""
    program = find_program("nginx")
    assert program
    ports = Nginx(documented=free_port(), plain=free_port(), forward=free_port())
    documented = documented_nginx(port=ports.documented, upstream=upstream)
    settings, log = folder / "nginx.conf", folder / "nginx.log"
    settings.write_text(
        NGINX.format(
            folder=folder,
            documented=documented,
            plain=ports.plain,
            forward=ports.forward,
            upstream=upstream,
        )
    )
    with run_process([program, "-c", str(settings)], log=log) as process:
        wait_for_port(ports.forward, process=process, log=log)
        yield ports


@contextlib.contextmanager
def run_tinyproxy(folder: Path) -> Iterator[int]:
    """The port of a forward proxy that opens a connection for each request, on both sides."""
    program = find_program("tinyproxy")
    assert program
    port = free_port()
    settings, log = folder / "tinyproxy.conf", folder / "tinyproxy.log"
    settings.write_text(TINYPROXY.format(port=port))
    with run_process([program, "-d", "-c", str(settings)], log=log) as process:
        wait_for_port(port, process=process, log=log)
        yield port
