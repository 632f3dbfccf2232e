"""A session's way to the shared objects: asks the application once per use, then stays out."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from amf_remoting import amf
from rtmp_channels import goodbye
from rtmp_channels.counters import Limit
from rtmp_channels.goodbye import Ending
from rtmp_channels.protocol.shared_object import SharedObjectMessage
from rtmp_channels.shared_objects.current import shared_object_hubs
from rtmp_channels.shared_objects.grants import Grant, UseRequest
from rtmp_channels.shared_objects.port import SharedObjectPort, TooMuchWaiting
from rtmp_channels.shared_objects.refusals import SharedObjectRefused

if TYPE_CHECKING:
    from rtmp_channels.session import Session


class ObjectDoor:
    """Holds the connection's port, and carries its questions to the application."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._port: SharedObjectPort | None = None
        self._questions: dict[str, asyncio.Future[Grant]] = {}

    @property
    def is_congested(self) -> bool:
        """Whether the socket should not be read."""
        return self._port is not None and self._port.is_congested

    def open(self) -> None:
        """Makes the port: the application starts, and may use shared objects itself."""
        self._port = shared_object_hubs.get().connect(
            self._session,
            instance=self._session.path.strip("/"),
            authorise=self._ask,
            on_room=self._session.read_on,
        )

    def receive(self, message: SharedObjectMessage) -> None:
        """Takes one message of the client."""
        if self._port is None:
            return
        try:
            self._port.receive(message)
        except (TooMuchWaiting, amf.EncodeError) as error:
            reason = f"shared object {message.name[:64]!r}: {error}"
            limit = Limit.UNANSWERED if isinstance(error, TooMuchWaiting) else Limit.PROTOCOL
            self._session.end(Ending(goodbye.FAILED, reason, level=logging.INFO, limit=limit))

    def accept(self, name: str, grant: Grant) -> None:
        """The application lets the client use the object."""
        question = self._questions.get(name)
        if question is not None and not question.done():
            question.set_result(grant)

    def reject(self, name: str, code: str) -> None:
        """The application does not."""
        question = self._questions.get(name)
        if question is not None and not question.done():
            question.set_exception(SharedObjectRefused(code, "by the application"))

    def close(self) -> None:
        """Releases all objects."""
        port, self._port = self._port, None  # which holds this door, too
        if port is not None:
            port.close()
        for question in self._questions.values():
            question.cancel()

    async def _ask(self, request: UseRequest) -> Grant:
        question: asyncio.Future[Grant] = asyncio.get_running_loop().create_future()
        self._questions[request.name] = question
        message = {"type": "rtmp.so.use", "name": request.name, "persistent": request.persistent}
        self._session.application.put(message, len(request.name))
        try:
            return await question
        finally:
            del self._questions[request.name]
