"""The application's side of a session: its task, its `receive` and its `send`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

from rtmp_channels import goodbye, outbound
from rtmp_channels.call_limits import CallLimits
from rtmp_channels.connections.current import rosters
from rtmp_channels.counters import Limit, counters
from rtmp_channels.exceptions import WHATEVER_IS_RAISED, DialectError
from rtmp_channels.goodbye import Ending
from rtmp_channels.inbox import Inbox
from rtmp_channels.live.door import StreamDoor
from rtmp_channels.object_door import ObjectDoor
from rtmp_channels.phase import Phase
from rtmp_channels.protocol.errors import RemoteProtocolError
from rtmp_channels.protocol.events import CallReceived, ConnectRequested, ResultReceived
from rtmp_channels.scope import make_scope
from rtmp_channels.stream_table import StreamTable

if TYPE_CHECKING:
    from rtmp_channels.session import Session

logger = logging.getLogger(__name__)

Message: TypeAlias = dict[str, Any]
ASGIApplication: TypeAlias = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]

FAIRNESS = 32
"""Messages an application may send before others on the loop get their turn."""


class ApplicationLink:
    """Runs the application of one session and translates between it and the connection."""

    def __init__(self, session: Session, application: ASGIApplication) -> None:
        settings = session.settings
        self.session = session
        self.connection = session.connection
        self.streams = StreamTable()
        self.media = StreamDoor(session)
        self.shared_objects = ObjectDoor(session)
        self._application = application
        self._task: asyncio.Task[None] | None = None
        self._inbox = Inbox(
            max_messages=settings.max_queued_events,
            max_bytes=settings.max_queued_bytes,
            on_room=session.read_on,
        )
        self._calls: dict[float, Any] = {}
        """Our transaction ids, and the ids that the application chose for the same calls."""
        self._has_forgotten = False
        self._sent = 0
        self.call_limits = CallLimits(session)
        self._has_accepted = False
        self._ending: Ending | None = None

    @property
    def is_running(self) -> bool:
        """Whether the application has a task that is not done."""
        return self._task is not None

    @property
    def is_congested(self) -> bool:
        """Whether the socket should not be read."""
        return self._inbox.is_full or self.shared_objects.is_congested

    @property
    def waiting_bytes(self) -> int:
        """What waits for the application, by its size on the wire."""
        return self._inbox.waiting_bytes

    def start(self, request: ConnectRequested) -> None:
        """Makes the scope and starts the application's task."""
        scope = make_scope(request, self.session.peer)
        scope["rtmp"]["connection_id"] = self.session.id
        self.shared_objects.open()
        self._inbox.put({"type": "rtmp.connect"})
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._run(scope), name=f"rtmp {scope['path']}")
        self._task.add_done_callback(self._done)
        self.session.application_started(self._task)

    def put(self, message: Message, size: int) -> None:
        """Queues a message for the application."""
        self._inbox.put(message, size)

    def call(self, event: CallReceived, size: int) -> None:
        """Queues a call for the application, unless it is one too many."""
        now = monotonic()
        stream, transaction_id = event.message_stream_id, event.transaction_id
        fault = self.call_limits.refusal(stream, transaction_id, now=now)
        if fault is None:
            message = {
                "type": "rtmp.call",
                "name": event.name,
                "arguments": event.arguments,
                "transaction_id": transaction_id,
                "message_stream_id": stream,
                "command_object": event.command_object,
                "size": size,
            }
            self._inbox.put(message, size)
        elif transaction_id:
            self.connection.send_error(transaction_id, fault.information, message_stream_id=stream)

    def answer(self, event: ResultReceived, size: int) -> None:
        """Queues the answer to a call of the application's; others are dropped."""
        if event.transaction_id not in self._calls:
            return
        value = event.values[0] if event.values else None
        key, kind = ("information", "error") if event.is_error else ("value", "result")
        transaction_id = self._calls.pop(event.transaction_id)
        message = {"type": f"rtmp.{kind}", "transaction_id": transaction_id, key: value}
        self._inbox.put(message, size)

    def expect_answer(self, wire_id: float, transaction_id: Any) -> None:
        """Remembers a call of the application's until it is answered."""
        most = self.session.settings.max_pending_calls
        if len(self._calls) >= most:
            if not self._has_forgotten:
                self._has_forgotten = True
                logger.warning(
                    "%s: %d calls to it wait: the oldest is forgotten", self.session, most
                )
            counters.count(Limit.PENDING_CALLS)
            del self._calls[next(iter(self._calls))]
        self._calls[wire_id] = transaction_id

    def finish(self, ending: Ending) -> None:
        """The connection ends: the application hears of its streams, then of that."""
        self._ending = ending
        self.shared_objects.close()
        self.media.close()
        for message in self.streams.end_all():
            self._inbox.put(message)
        self._inbox.finish(
            {"type": "rtmp.disconnect", "code": ending.code, "reason": ending.reason}
        )

    def cancel(self) -> None:
        """Ends an application that does not end by itself; the message is the connection's end."""
        if self._task is not None:
            # One that never accepted has its line in the log: it was the reason for the end.
            level = logging.WARNING if self._has_accepted else logging.DEBUG
            logger.log(level, "%s: the application went on after the end: cancelled", self.session)
            self._task.cancel(self._ending)

    async def send(self, message: Message) -> None:
        """ASGI's `send`: waits while the client does not read.

        Raises DialectError and LocalProtocolError; after the end it does nothing, except that
        broadcasts still reach the others.
        """
        session = self.session
        if session.phase >= Phase.CLOSING:
            if message["type"] == "rtmp.broadcast":  # who is gone may tell the others so
                await outbound.broadcast(self, message)
            return
        sender = outbound.SENDERS.get(message["type"])
        if sender is None:
            raise DialectError(f"an application cannot send {message['type']!r}")
        waiting = sender(self, message)
        if waiting is not None:
            await waiting
        session.flush_soon()
        self._sent += 1
        if self._sent >= FAIRNESS:
            self._sent = 0
            await asyncio.sleep(0)
        if session.is_write_paused:
            await session.drained()

    def accept(self, message: Message) -> None:
        """Answers `connect`, then takes what the client sent meanwhile."""
        session = self.session
        if session.phase is not Phase.ACCEPT:
            raise DialectError("rtmp.accept belongs once after rtmp.connect")
        try:
            events = self.connection.accept_connect(
                properties=message.get("properties"), information=message.get("information")
            )
        except RemoteProtocolError as error:
            session.broken(error)
            return
        self._has_accepted = True
        session.enter(Phase.OPEN)
        if message.get("ping_timeout") is not None:
            session.expect_answers(message["ping_timeout"])
        session.user = message.get("user")
        rosters.get().add(session, user=str(session.user or ""), listed=True)
        if events:
            session.handle_events(events)
        session.read_on()

    async def _run(self, scope: Message) -> None:
        ending = Ending(goodbye.CLOSED, "the application returned")
        try:
            await self._application(scope, self._inbox.get, self.send)
        except WHATEVER_IS_RAISED:
            logger.exception("%s: the application raised", self.session)
            ending = Ending(goodbye.FAILED, "the application raised", "The application failed.")
        self.session.end(ending)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._task = None
        self.session.application_ended()
