"""`manage.py runserver`: daphne's own command, with the endpoints of RTMP_CHANNELS beside HTTP."""

from __future__ import annotations

import os
from typing import Any

from daphne.management.commands.runserver import Command as DaphneCommand
from daphne.server import Server

from rtmp_channels.conf import rtmp_settings


class RtmpServer(Server):  # type: ignore[misc]
    """Opens the RTMP endpoints too; a port that is taken ends the process, as Django's does."""

    def __init__(self, *args: Any, endpoints: list[str], **kwargs: Any) -> None:
        super().__init__(*args, endpoints=[*endpoints, *rtmp_settings().endpoints], **kwargs)

    def run(self) -> None:
        super().run()
        if self.abort_start:
            # We may be in the autoreloader's thread, where sys.exit would not end the process.
            os._exit(1)


class Command(DaphneCommand):  # type: ignore[misc]
    server_cls = RtmpServer

    def inner_run(self, *args: Any, **options: Any) -> None:
        if options.get("use_asgi", True):
            self.stdout.write(f"RTMP endpoints: {', '.join(rtmp_settings().endpoints) or 'none'}")
        super().inner_run(*args, **options)
