"""Leaves a long request's body in Twisted's file until the application receives it, piece by piece.

daphne reads the whole file into the application's queue at once, and before that Twisted parses
what calls itself a form into arguments that nobody looks at. A POST of 300 MB costs as much memory.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from functools import wraps
from typing import Any

SHORT_BODY = 262_144
"""Bytes that daphne may queue as it likes."""

PIECE = 65_536
"""Bytes that the application receives at once."""

_MARK = "_looks_at_no_body"


class NoBody(io.BytesIO):
    """The body of a request that has none: what is written to it is forgotten."""

    def write(self, data: Any, /) -> int:
        """Forgets it."""
        return len(data)


class RequestBody:
    """In place of a request's `content`, which looks empty to daphne, and of the queue's `get`."""

    def __init__(self, file: Any, queue: asyncio.Queue[dict[str, Any]]) -> None:
        self._file = file
        self._get = queue._get
        self._waiting = queue._queue  # type: ignore[attr-defined]
        # The hook that Queue has for subclasses; daphne makes the queue itself.
        queue._get = self.get  # type: ignore[method-assign]

    # what daphne and Twisted see of the content

    @property
    def closed(self) -> bool:
        """Whether the request is over."""
        return bool(self._file.closed)

    def read(self, size: int = -1) -> bytes:
        """Nothing, so that daphne queues one empty `http.request`."""
        return b""

    def close(self) -> None:
        """The response is complete, or the client is gone."""
        self._file.close()

    # what the application receives

    def get(self) -> dict[str, Any]:
        """The next piece in place of that `http.request`, which stays while more follow."""
        message: dict[str, Any] = self._get()
        if message["type"] != "http.request":
            return message
        if self.closed:
            return {"type": "http.disconnect"}
        piece = self._file.read(PIECE)
        more = len(piece) == PIECE
        if more:
            self._waiting.appendleft(message)
        return {"type": "http.request", "body": piece, "more_body": more}


def install_request_bodies(server_class: Any) -> None:
    """Wraps `protocol_connected` and `create_application` of daphne's server class, once."""
    if hasattr(server_class.protocol_connected, _MARK):
        return
    _look_at_no_body(server_class)
    _leave_bodies_in_files(server_class)


def _look_at_no_body(server_class: Any) -> None:
    original = server_class.protocol_connected

    @wraps(original)
    def protocol_connected(self: Any, protocol: Any) -> None:
        if hasattr(protocol, "requestHeaders"):
            protocol._parsePOSTFormSubmission = False
            protocol.gotLength = _without_body_of_upgrades(protocol)
        original(self, protocol)

    setattr(protocol_connected, _MARK, True)
    server_class.protocol_connected = protocol_connected


def _without_body_of_upgrades(request: Any) -> Callable[[int | None], None]:
    """daphne would hand all of it to the WebSocket, as what came behind the handshake."""
    original = request.gotLength

    def got_length(length: int | None) -> None:
        original(length)
        wanted = request.requestHeaders.getRawHeaders(b"Upgrade", [b""])[0]
        if length != 0 and wanted.lower() == b"websocket":
            request.content.close()
            request.content = NoBody()

    return got_length


def _leave_bodies_in_files(server_class: Any) -> None:
    original = server_class.create_application

    @wraps(original)
    def create_application(self: Any, protocol: Any, scope: dict[str, Any]) -> Any:
        queue = original(self, protocol, scope)
        if queue is not None and scope["type"] == "http" and _size(protocol.content) > SHORT_BODY:
            protocol.content = RequestBody(protocol.content, queue)
        return queue

    server_class.create_application = create_application


def _size(file: Any) -> int:
    size = int(file.seek(0, 2))
    file.seek(0)
    return size
