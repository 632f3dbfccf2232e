"""What the app adds to a daphne that is there: endpoint types, an orderly end, back-pressure."""

from __future__ import annotations

import sys
from pathlib import Path


def install() -> None:
    """Does nothing in a process that has not loaded daphne (migrations, WSGI, other servers)."""
    if "daphne.server" not in sys.modules:
        return
    import twisted.plugins
    from daphne.server import Server
    from twisted.internet import reactor

    from rtmp_channels.conf import rtmp_settings
    from rtmp_channels.server.backpressure import install_backpressure
    from rtmp_channels.server.request_body import install_request_bodies
    from rtmp_channels.server.shutdown import stop_before_shutdown

    folder = str(Path(__file__).parent.parent / "twisted_plugins")
    if folder not in twisted.plugins.__path__:
        twisted.plugins.__path__.append(folder)
        stop_before_shutdown(reactor)
    if rtmp_settings().http_backpressure:
        install_backpressure(Server)
        install_request_bodies(Server)
