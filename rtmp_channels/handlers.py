"""What a consumer does with each message of the dialect."""

from __future__ import annotations

import functools
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from channels.consumer import get_handler_name
from django.core.exceptions import SynchronousOnlyOperation
from django.db import DatabaseError

from amf_remoting import amf
from amf_remoting.exceptions import Fault, FaultCode
from amf_remoting.settle import asettled
from rtmp_channels.background import BackgroundTasks
from rtmp_channels.counters import Limit, counters
from rtmp_channels.database import close_old_connections, closing_is_due
from rtmp_channels.exceptions import WHATEVER_IS_RAISED
from rtmp_channels.goodbye import REJECTED
from rtmp_channels.permissions import ANYONE, NOBODY, demand, is_allowed
from rtmp_channels.protocol.errors import LocalProtocolError
from rtmp_channels.remote import ClientMethod
from rtmp_channels.shared_objects.grants import Grant, UseRequest
from rtmp_channels.signals import connection_closed
from rtmp_channels.stream_table import StreamTable

logger = logging.getLogger(__name__)

Message = dict[str, Any]

Decision: TypeAlias = bool | Mapping[str, Any]
"""Whether a stream may be published or played; a mapping says yes, and how ("stream": the name it
is known by in this process, "policy": what becomes of an earlier publisher)."""

CALL_FAILED = "NetConnection.Call.Failed"

_NOT_YOU = "You may not connect here."

_BUSY = Fault(FaultCode.BUSY, "Too many calls wait for this connection's handlers.")


class MessageHandlers(ABC):
    """The `rtmp_…` methods; `AsyncRtmpConsumer` has what they call."""

    _client_methods: ClassVar[Mapping[str, ClientMethod]] = {}
    _tasks: BackgroundTasks
    _streams: StreamTable
    """What was allowed."""
    _was_accepted = False
    _is_over = False
    _was_busy = False
    scope: Message
    user: Any
    may_connect: ClassVar[str]
    may_call: ClassVar[str]

    @abstractmethod
    async def connect(self) -> None: ...

    @abstractmethod
    async def disconnect(self, code: str) -> None: ...

    @abstractmethod
    async def on_call(self, name: str, arguments: Sequence[Any]) -> Any: ...

    @abstractmethod
    async def on_publish(self, message: Message) -> Decision: ...

    @abstractmethod
    async def on_play(self, message: Message) -> Decision: ...

    @abstractmethod
    async def on_unpublish(self, message: Message) -> None: ...

    @abstractmethod
    async def on_stop(self, message: Message) -> None: ...

    @abstractmethod
    async def on_shared_object(self, request: UseRequest) -> Grant | None: ...

    @abstractmethod
    async def on_data(self, values: Sequence[Any]) -> None: ...

    @abstractmethod
    async def send(self, message: Message) -> None: ...

    async def dispatch(self, message: Message) -> None:
        """Hands a message to the method named after its type."""
        handler = getattr(self, _handler_name(message["type"]), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']}")
        if closing_is_due():
            await close_old_connections()
        await handler(message)

    async def end(self, code: str) -> None:
        """Calls `disconnect`, once; before it, what an application that fails was not told."""
        if not self._is_over:
            self._is_over = True
            try:
                for message in self._streams.end_all():
                    await self._tell_of_end(message)
                await self.disconnect(code)
            finally:
                if self._was_accepted:
                    sender = type(self)
                    details = {"consumer": self, "scope": self.scope, "code": code}
                    await connection_closed.asend_robust(sender, **details)

    async def rtmp_connect(self, message: Message) -> None:
        """See `connect`."""
        if await is_allowed(self.may_connect, self.user):
            await self.connect()
        else:
            if self.may_connect == NOBODY:
                _warn_of_closed_door(type(self))
            self._is_over = True  # `connect` did not run: no `disconnect`
            await self.send({"type": "rtmp.close", "code": REJECTED, "description": _NOT_YOU})

    async def rtmp_disconnect(self, message: Message) -> None:
        """See `disconnect`."""
        await self.end(message["code"])

    def rtmp_call(self, message: Message) -> Coroutine[Any, Any, None]:
        """Answers a call, in a task of its own if the method is marked concurrent."""
        method = self._client_methods.get(message["name"])
        answering = self._answer(message)
        if method is not None and method.concurrent:
            return self._tasks.start(answering)
        return answering

    async def rtmp_publish(self, message: Message) -> None:
        """See `on_publish`."""
        await self._decide(message, self.on_publish)

    async def rtmp_play(self, message: Message) -> None:
        """See `on_play`."""
        await self._decide(message, self.on_play)

    async def rtmp_unpublish(self, message: Message) -> None:
        """See `on_unpublish`."""
        await self._stream_ended(message)

    async def rtmp_stop(self, message: Message) -> None:
        """See `on_stop`."""
        await self._stream_ended(message)

    async def rtmp_data(self, message: Message) -> None:
        """See `on_data`."""
        try:
            await self.on_data(message["values"])
        except WHATEVER_IS_RAISED:
            logger.exception("A data message could not be handled")

    async def rtmp_so_use(self, message: Message) -> None:
        """See `on_shared_object`."""
        grant = None
        try:
            grant = await self.on_shared_object(UseRequest(message["name"], message["persistent"]))
        except WHATEVER_IS_RAISED:
            logger.exception("The use of shared object %r failed", message["name"])
        if grant is None:
            await self.send({"type": "rtmp.so.use.reject", "name": message["name"]})
        else:
            await self.send(
                {
                    "type": "rtmp.so.use.accept",
                    "name": message["name"],
                    "read": grant.read,
                    "create": grant.create,
                    "write": grant.write,
                    "send": grant.send,
                    "validate": grant.validate,
                    "on_change": grant.on_change,
                }
            )

    async def _decide(
        self, message: Message, decide: Callable[[Message], Awaitable[Decision]]
    ) -> None:
        granted: Decision = False
        try:
            granted = await decide(message)
        except WHATEVER_IS_RAISED:
            logger.exception("%s of %r failed", message["type"], message["stream_name"])
        details = granted if isinstance(granted, Mapping) else {}
        verdict = "accept" if granted or details is granted else "reject"
        stream = {"message_stream_id": message["message_stream_id"]}
        if verdict == "accept":
            self._streams.request(message)
        await self.send({**details, "type": f"{message['type']}.{verdict}", **stream})

    async def _stream_ended(self, message: Message) -> None:
        """Tells of the end of what was allowed; a client may end what it only asked for, too."""
        if self._streams.end(message["message_stream_id"]) is not None:
            await self._tell_of_end(message)

    async def _tell_of_end(self, message: Message) -> None:
        try:
            if message["type"] == "rtmp.unpublish":
                await self.on_unpublish(message)
            else:
                await self.on_stop(message)
        except WHATEVER_IS_RAISED:
            logger.exception("%s of %r failed", message["type"], message["stream_name"])

    async def _answer(self, message: Message) -> None:
        try:
            if self.may_call != ANYONE:
                await demand(self.may_call, self.user, what="calling")
            value = await self.on_call(message["name"], message["arguments"])
        except Fault as fault:
            await self._send_fault(message, fault)
        except WHATEVER_IS_RAISED as error:
            await self._send_fault(message, _processing_fault(message, error))
        else:
            await self._send_value(message, value)

    async def _send_value(self, message: Message, value: Any) -> None:
        if not message["transaction_id"]:
            return
        answer = {
            "type": "rtmp.result",
            "transaction_id": message["transaction_id"],
            "message_stream_id": message["message_stream_id"],
            "value": value,
        }
        try:
            try:
                await self.send(answer)
            except SynchronousOnlyOperation:
                await self.send({**answer, "value": await asettled(value)})
        except Fault as busy:
            await self._send_fault(message, busy)
        except (amf.AMFError, LocalProtocolError, DatabaseError) as error:
            logger.error("The result of %r cannot be sent: %s", message["name"], error)
            fault = Fault(FaultCode.BAD_RESULT, "The method's result cannot be encoded.")
            await self._send_fault(message, fault)

    async def _send_fault(self, message: Message, fault: Fault) -> None:
        if not message["transaction_id"]:
            return
        information = fault.information
        if fault.code == FaultCode.METHOD_NOT_FOUND:
            information["code"] = CALL_FAILED
        await self.send(
            {
                "type": "rtmp.error",
                "transaction_id": message["transaction_id"],
                "message_stream_id": message["message_stream_id"],
                "information": information,
            }
        )

    async def _refuse_busy(self, message: Message) -> None:
        if not self._was_busy:
            self._was_busy = True
            logger.warning("%r refused: too many calls wait for handlers", message["name"][:64])
        counters.count(Limit.CALLS_IN_FLIGHT)
        await self._send_fault(message, _BUSY)


@functools.lru_cache(maxsize=256)
def _handler_name(message_type: str) -> str:
    """As Channels makes it, and refuses to."""
    return str(get_handler_name({"type": message_type}))


@functools.cache
def _warn_of_closed_door(consumer_class: type) -> None:
    """Once for each class: a site that forgot to open it looks here first."""
    name = consumer_class.__qualname__
    logger.warning("%s lets nobody connect: its may_connect is NOBODY, the default", name)


def _processing_fault(message: Message, error: BaseException) -> Fault:
    logger.error("%r failed", message["name"], exc_info=error)
    return Fault(FaultCode.PROCESSING, "The method failed.")
