"""One AMF packet and its answer; the views only move bytes.

Messages are answered one by one and in order. What is wrong with one of them, its body included,
becomes a fault of its own and never touches the others.
"""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Self

from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest

from . import packet as packets
from .amf import AMFError
from .answer import Answer
from .call import Call
from .conf import remoting_settings
from .describe import remoting_description
from .dispatch import adispatch, dispatch, guarded
from .envelopes import Command, Envelope, Work, envelope_of
from .exceptions import Fault, FaultCode
from .headers import DESCRIBE_SERVICE, credentials_work, not_understood, wants_description
from .http import RefusedRequest
from .packet import Message
from .pool import run_in_pool
from .registry import registry

CONTENT_TYPE = packets.CONTENT_TYPE
LARGE_PACKET = 64 * 1024
"""Bytes from which decoding is no matter of an instant: ``aopen`` then."""

Run = Callable[[Work], Awaitable[Any]]
"""Gives the value of some work, or raises its Fault."""
Write = Callable[[Message, Envelope, Any], None]

logger = logging.getLogger(__name__)


async def _run(work: Work) -> Any:
    return dispatch(work) if isinstance(work, Call) else guarded(work.name, work.run)


def _arun(work: Work) -> Coroutine[Any, Any, Any]:
    return adispatch(work) if isinstance(work, Call) else _command(work)


async def _command(command: Command) -> Any:
    run = partial(guarded, command.name, command.run)
    return await run_in_pool(run, "auth") if command.blocking else run()


class Exchange:
    """A request's packet; ``response`` (in a thread) or ``aresponse`` (on a loop) answers it."""

    def __init__(self, data: bytes, *, request: HttpRequest, user: Any) -> None:
        """RefusedRequest if the data is no packet (400), or holds too many messages (413)."""
        settings = remoting_settings.current
        try:
            packet = packets.parse(data, limits=settings.decode_limits)
        except AMFError as error:
            raise RefusedRequest(400, f"no AMF packet: {error}") from error
        if len(packet.messages) > settings.max_messages:
            raise RefusedRequest(413, f"{settings.max_messages} messages at most")
        self.packet = packet
        self.request = request
        self.user = user
        self.headers: dict[str, Any] = {}
        for header in packet.headers:
            self.headers[header.name] = header.value
        self.answer = Answer(packet)
        self.has_failed = False
        """Whether a fault was answered: it may not have come as far as the policy."""
        self.reply = self.answer.reply

    @classmethod
    async def aopen(cls, data: bytes, *, request: HttpRequest, user: Any) -> Self:
        """Made in the pool, so that the loop goes on while a large packet is decoded."""
        try:
            exchange: Self = await run_in_pool(partial(cls, data, request=request, user=user))
        except Fault as busy:
            raise RefusedRequest(503, busy.description) from busy
        return exchange

    def response(self) -> bytes:
        """Answers every message in this thread (WSGI)."""
        return _completed(self.aresponse(run=_run))

    async def aresponse(self, run: Run = _arun) -> bytes:
        """Answers every message on this loop (ASGI).

        One text for loops and threads: only ``run`` may wait, and that of threads never does.
        """
        answer = self.answer
        refusal = await self._refusal(run) if self.headers else None
        for message in self.packet.messages:
            envelope = envelope_of(message)
            write: Write
            try:
                outcome = await run(self._work(message, envelope, refusal))
                write = answer.result
            except Fault as fault:
                outcome, write = fault, answer.fault
                self.has_failed = True
            try:
                write(message, envelope, outcome)
            except SynchronousOnlyOperation:
                await self._write_in_thread(write, message, envelope, outcome)
        try:
            return answer.serialize()
        except SynchronousOnlyOperation:
            return await self._serialized_in_thread()

    async def _refusal(self, run: Run) -> Fault | None:
        """The fault that answers every message, if the headers are not as they should be."""
        headers = self.packet.headers
        refusal = not_understood(headers)
        if refusal is not None:
            return refusal
        log_in = credentials_work(headers, self)
        try:
            if log_in is not None:
                await run(log_in)
        except Fault as fault:
            return fault
        return None

    def _work(self, message: Message, envelope: Envelope, refusal: Fault | None) -> Work:
        if refusal is not None:
            raise refusal
        if message.error is not None:
            raise Fault(
                FaultCode.BAD_MESSAGE, f"the message cannot be decoded: {message.error}"
            ) from message.error
        if self.headers and wants_description(self.packet.headers):
            return Command(DESCRIBE_SERVICE, partial(_describe, message.target_uri))
        return envelope.work(message, self)

    async def _write_in_thread(
        self, write: Write, message: Message, envelope: Envelope, outcome: Any
    ) -> None:
        """On a loop, what asks the database while it is encoded is encoded by a thread."""
        try:
            await run_in_pool(partial(write, message, envelope, outcome))
        except Exception as error:
            self.answer.unencodable(message, envelope, error)

    async def _serialized_in_thread(self) -> bytes:
        try:
            packet: bytes = await run_in_pool(self.answer.serialize)
        except Exception:
            logger.exception("the headers of a response cannot be encoded")
            self.reply.headers.clear()
            return self.answer.serialize()
        return packet


def _completed(coroutine: Coroutine[Any, Any, bytes]) -> bytes:
    """The value of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        value: bytes = end.value
        return value
    raise RuntimeError("a thread's coroutine waits for a loop")


def _describe(target: str) -> dict[str, Any]:
    if target not in registry:
        raise Fault(FaultCode.METHOD_NOT_FOUND, f"unknown service {target[:200]!r}")
    return remoting_description(registry[target])
