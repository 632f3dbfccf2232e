"""One AMF packet and its answer; the views only move bytes and run the steps.

Messages are answered one by one and in order. What is wrong with one of them, its body included,
becomes a fault of its own and never touches the others.
"""

import logging
from collections.abc import Iterator, Sized
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from . import packet as packets
from .amf import AMFError, EncodeError, Limits
from .call import Call
from .conf import remoting_settings
from .dispatch import adispatch, dispatch, faults
from .envelopes import Envelope, Work, envelope_of
from .exceptions import Fault, FaultCode
from .http import RefusedRequest
from .packet import Message, Packet
from .pool import run_in_pool

logger = logging.getLogger(__name__)

CONTENT_TYPE = packets.CONTENT_TYPE
_PACKET_HEAD = 6
"""Bytes of version, header count and message count."""
_NO_ANSWER = ("null", "")


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


@dataclass(slots=True)
class Exchange:
    """A request's packet and, once its steps have run, the answer."""

    packet: Packet
    request: HttpRequest
    user: Any
    answers: list[tuple[Message, Envelope]] = field(default_factory=list)

    @classmethod
    def open(cls, data: bytes, *, request: HttpRequest, user: Any) -> "Exchange":
        """RefusedRequest (400) if the data is no packet."""
        try:
            packet = packets.parse(data, limits=_decode_limits())
        except AMFError as error:
            raise RefusedRequest(400, f"no AMF packet: {error}") from error
        return cls(packet, request, user)

    def steps(self) -> Iterator[Step]:
        """What must be run, in order; each step's outcome is taken when the next is asked for."""
        for message in self.packet.messages:
            envelope = envelope_of(message)
            try:
                step = self._step(message, envelope)
                yield step
                if step.fault is not None:
                    raise step.fault
                self._answer(message, envelope, "onResult", envelope.result(step.value))
            except Fault as fault:
                self._answer(message, envelope, "onStatus", envelope.fault(fault))

    def serialize(self) -> bytes:
        """The answer: a packet of the request's version."""
        room = remoting_settings().max_response_size
        parts = [Packet(self.packet.version).serialize()[:4], _count(self.answers)]
        for answer, envelope in self.answers:
            part = _serialize(answer, envelope, room)
            room = max(room - len(part), 0)
            parts.append(part)
        return b"".join(parts)

    def _step(self, message: Message, envelope: Envelope) -> Step:
        if message.error is not None:
            raise Fault(
                FaultCode.BAD_MESSAGE, f"the message cannot be decoded: {message.error}"
            ) from message.error
        return Step(message.target_uri, envelope.work(self))

    def _answer(self, message: Message, envelope: Envelope, method: str, body: Any) -> None:
        if message.response_uri in _NO_ANSWER:
            return
        encoding = 3 if self.packet.version == 3 else message.encoding
        answer = Message(f"{message.response_uri}/{method}", "null", body, encoding=encoding)
        self.answers.append((answer, envelope))


def _decode_limits() -> Limits:
    settings = remoting_settings()
    return Limits(
        depth=settings.max_depth,
        values=settings.max_values,
        input_bytes=settings.max_request_size,
    )


def _serialize(answer: Message, envelope: Envelope, room: int) -> bytes:
    """The message's bytes; if its value cannot be written, those of a fault instead."""
    limits = Limits(depth=remoting_settings().max_depth, output_bytes=room)
    try:
        return _bytes_of(answer, limits)
    except EncodeError as error:
        logger.error("%s cannot be answered: %s", answer.target_uri, error)
        fault = Fault(FaultCode.BAD_RESULT, f"the result cannot be encoded: {error}")
        uri = answer.target_uri.rpartition("/")[0]
        body = envelope.fault(fault)
        return _bytes_of(Message(f"{uri}/onStatus", "null", body, encoding=answer.encoding))


def _bytes_of(message: Message, limits: Limits | None = None) -> bytes:
    # Bodies share nothing, so they can be written, and fail, apart from each other.
    return Packet(0, [], [message]).serialize(limits=limits)[_PACKET_HEAD:]


def _count(answers: Sized) -> bytes:
    return len(answers).to_bytes(2, "big")
