"""Routing of RTMP connections by application name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls.resolvers import RoutePattern

from rtmp_channels.application import ASGIApplication
from rtmp_channels.goodbye import INVALID_APP

DEFAULT_INSTANCE = "_definst_"
"""The instance of a client that names none, as in Adobe's servers."""


class RtmpRouter:
    """Chooses the application by the beginning of the path.

    `RtmpRouter({"lobby": LobbyConsumer.as_asgi(), "games/<slug:game>": …})`: keys are application
    names, or paths as in Django's `path()`; whole segments match, the first key that fits wins.
    The application finds what it captured, and `instance` (the rest of the path, or "_definst_"),
    in `scope["url_route"]["kwargs"]`. Clients of unknown applications are rejected.
    """

    def __init__(self, applications: Mapping[str, ASGIApplication]) -> None:
        self._routes = [
            (RoutePattern(f"{name.strip('/')}/" if name else ""), application)
            for name, application in applications.items()
        ]

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        path = scope["path"].strip("/") + "/"
        for pattern, application in self._routes:
            match = pattern.match(path)
            if match is None or (not str(pattern) and path != "/"):
                continue
            rest, arguments, keywords = match
            rest = rest.strip("/")
            keywords = {"instance": rest or DEFAULT_INSTANCE, **keywords}
            route = {"args": arguments, "kwargs": keywords}
            await application({**scope, "path_remaining": rest, "url_route": route}, receive, send)
            return
        await reject(receive, send, code=INVALID_APP, description="No such application.")


async def reject(receive: Any, send: Any, *, code: str, description: str) -> None:
    """An application that refuses the connection."""
    await receive()
    await send({"type": "rtmp.close", "code": code, "description": description})
