"""What a server may call on its client."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from amf_remoting.exceptions import Fault
from rtmp_channels.protocol.errors import LocalProtocolError
from rtmp_channels.protocol.events import CallReceived

logger = logging.getLogger(__name__)

Method = TypeVar("Method", bound=Callable[..., Any])


class Answering(Protocol):
    """Who sends the answers: the connection."""

    def send_result(self, transaction_id: float, value: Any) -> None: ...

    def send_error(self, transaction_id: float, information: Any) -> None: ...


class Methods:
    """Functions by the names the server calls them.

    What a function returns, or what its coroutine returns, is the answer. When it raises
    Fault, its information is; any other exception is logged and answered by a plain error.
    """

    def __init__(self, answering: Answering) -> None:
        self.max_running = 100
        """Coroutines at a time; calls beyond that are answered by an error."""
        self._answering = answering
        self._methods: dict[str, Callable[..., Any]] = {}
        self._running: set[asyncio.Task[None]] = set()

    def register(self, name: str) -> Callable[[Method], Method]:
        """A decorator; a later function takes the name over."""

        def decorate(function: Method) -> Method:
            self._methods[name] = function
            return function

        return decorate

    def called(self, event: CallReceived) -> None:
        """Calls what is registered, or refuses."""
        method = self._methods.get(event.name)
        if method is None:
            self._refuse(event, f"No method {event.name[:100]}.")
            return
        try:
            value = method(*event.arguments)
        except Exception as error:
            self._raised(event, error)
            return
        if inspect.iscoroutine(value):
            self._start(event, value)
        else:
            self._reply(event, value)

    def cancel(self) -> None:
        """The connection is gone: no coroutine goes on."""
        for task in self._running:
            task.cancel()

    def _start(self, event: CallReceived, coroutine: Any) -> None:
        if len(self._running) >= self.max_running:
            coroutine.close()
            self._refuse(event, "Too many calls at once.")
            return
        task = asyncio.get_running_loop().create_task(self._finish(event, coroutine))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _finish(self, event: CallReceived, coroutine: Awaitable[Any]) -> None:
        try:
            value = await coroutine
        except Exception as error:
            self._raised(event, error)
        else:
            self._reply(event, value)

    def _reply(self, event: CallReceived, value: Any) -> None:
        try:
            self._answering.send_result(event.transaction_id, value)
        except LocalProtocolError as error:  # a value that AMF cannot hold
            self._raised(event, error)

    def _raised(self, event: CallReceived, error: Exception) -> None:
        if isinstance(error, Fault):
            self._answering.send_error(event.transaction_id, error.information)
            return
        logger.error("method %s failed", event.name, exc_info=error)
        self._refuse(event, "The method failed.")

    def _refuse(self, event: CallReceived, description: str) -> None:
        code = "NetConnection.Call.Failed"
        information = {"level": "error", "code": code, "description": description}
        self._answering.send_error(event.transaction_id, information)
