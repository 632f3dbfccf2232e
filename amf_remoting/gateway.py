"""One AMF packet and its answer; the views only move bytes and run the steps.

Messages are answered one by one and in order. What is wrong with one of them, its body included,
becomes a fault of its own and never touches the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest

from . import packet as packets
from .amf import AMFError, Limits
from .answer import Answer
from .call import Call
from .conf import remoting_settings
from .describe import remoting_description
from .dispatch import adispatch, dispatch, faults
from .envelopes import Envelope, Work, envelope_of
from .exceptions import Fault, FaultCode
from .headers import CREDENTIALS, credentials_work, not_understood, wants_description
from .http import RefusedRequest
from .packet import Message, Packet
from .pool import run_in_pool
from .registry import registry

CONTENT_TYPE = packets.CONTENT_TYPE
LARGE_PACKET = 64 * 1024
"""Bytes from which decoding is no matter of an instant."""


@dataclass(slots=True)
class Step:
    """Something to run for a message; run it, then its exchange knows the outcome."""

    name: str
    work: Work
    value: Any = None
    fault: Fault | None = None

    def run(self) -> None:
        """In this thread (WSGI)."""
        try:
            with faults(self.name):
                self.value = dispatch(self.work) if isinstance(self.work, Call) else self.work()
        except Fault as fault:
            self.fault = fault

    async def arun(self) -> None:
        """On this loop (ASGI)."""
        try:
            with faults(self.name):
                self.value = await _awork(self.work)
        except Fault as fault:
            self.fault = fault


async def _awork(work: Work) -> Any:
    return await (adispatch(work) if isinstance(work, Call) else run_in_pool(work))


class Exchange:
    """A request's packet and, once its steps have run, the answer."""

    def __init__(self, packet: Packet, *, request: HttpRequest, user: Any) -> None:
        self.packet = packet
        self.request = request
        self.user = user
        self.headers = {header.name: header.value for header in packet.headers}
        self.answer = Answer(packet)
        self.reply = self.answer.reply

    @classmethod
    def open(cls, data: bytes, *, request: HttpRequest, user: Any) -> Self:
        """RefusedRequest if the data is no packet (400), or holds too many messages (413)."""
        try:
            packet = packets.parse(data, limits=_decode_limits())
        except AMFError as error:
            raise RefusedRequest(400, f"no AMF packet: {error}") from error
        if len(packet.messages) > remoting_settings().max_messages:
            raise RefusedRequest(413, f"{remoting_settings().max_messages} messages at most")
        return cls(packet, request=request, user=user)

    @classmethod
    async def aopen(cls, data: bytes, *, request: HttpRequest, user: Any) -> Self:
        """The same; a large packet is decoded in the pool, so that the loop goes on meanwhile."""
        open_it = partial(cls.open, data, request=request, user=user)
        if len(data) < LARGE_PACKET:
            return open_it()
        try:
            exchange: Self = await run_in_pool(open_it)
        except Fault as busy:
            raise RefusedRequest(503, busy.description) from busy
        return exchange

    def steps(self) -> Iterator[Step]:
        """What must be run, in order; each step's outcome is taken when the next is asked for."""
        refusal = not_understood(self.packet.headers)
        log_in = credentials_work(self.packet.headers, self)
        if log_in is not None and refusal is None:
            step = Step(CREDENTIALS, log_in)
            yield step
            refusal = step.fault
        for message in self.packet.messages:
            envelope = envelope_of(message)
            try:
                step = self._step(message, envelope, refusal)
                yield step
                if step.fault is not None:
                    raise step.fault
                yield from self._result(message, envelope, step)
            except Fault as fault:
                self.answer.fault(message, envelope, fault)

    def _result(self, message: Message, envelope: Envelope, step: Step) -> Iterator[Step]:
        """On a loop, a result that asks the database while it is encoded needs a thread."""
        write = partial(self.answer.result, message, envelope, step.value)
        try:
            write()
        except SynchronousOnlyOperation:
            in_thread = Step(step.name, write)
            yield in_thread
            if in_thread.fault is not None:
                raise in_thread.fault from None

    def _step(self, message: Message, envelope: Envelope, refusal: Fault | None) -> Step:
        if refusal is not None:
            raise refusal
        if message.error is not None:
            raise Fault(
                FaultCode.BAD_MESSAGE, f"the message cannot be decoded: {message.error}"
            ) from message.error
        if wants_description(self.packet.headers):
            return Step(message.target_uri, partial(_describe, message.target_uri))
        return Step(repr(message.target_uri[:200]), envelope.work(self))


def _describe(target: str) -> dict[str, Any]:
    if target not in registry:
        raise Fault(FaultCode.METHOD_NOT_FOUND, f"unknown service {target[:200]!r}")
    return remoting_description(registry[target])


def _decode_limits() -> Limits:
    settings = remoting_settings()
    return Limits(
        depth=settings.depth,
        values=settings.max_values,
        input_bytes=settings.max_request_size,
    )
