"""One AMF packet and its answer; the views only move bytes and run the steps.

Messages are answered one by one and in order. What is wrong with one of them, its body included,
becomes a fault of its own and never touches the others.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from . import packet as packets
from .amf import AMFError, EncodeError, Limits, MixedArray, Undefined
from .call import Call
from .conf import remoting_settings
from .dispatch import adispatch, dispatch
from .exceptions import Fault, FaultCode
from .http import RefusedRequest
from .packet import Message, Packet

logger = logging.getLogger(__name__)

CONTENT_TYPE = packets.CONTENT_TYPE
_PACKET_HEAD = 6
"""Bytes of version, header count and message count."""
_NO_ANSWER = ("null", "")


@dataclass(slots=True)
class Step:
    """One message on its way to an answer: run it, then its exchange knows the outcome."""

    message: Message
    call: Call
    value: Any = None
    fault: Fault | None = None

    def run(self) -> None:
        """In this thread (WSGI)."""
        try:
            self.value = dispatch(self.call)
        except Fault as fault:
            self.fault = fault

    async def arun(self) -> None:
        """On this loop (ASGI)."""
        try:
            self.value = await adispatch(self.call)
        except Fault as fault:
            self.fault = fault


@dataclass(slots=True)
class Exchange:
    """A request's packet and, once its steps have run, the answer."""

    packet: Packet
    request: HttpRequest
    user: Any
    answers: list[Message] = field(default_factory=list)

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
            if message.error is not None:
                self._answer(message, fault=_bad_message(message.error))
                continue
            step = Step(message, self._call(message))
            yield step
            self._answer(message, value=step.value, fault=step.fault)

    def serialize(self) -> bytes:
        """The answer: a packet of the request's version."""
        room = remoting_settings().max_response_size
        parts = [Packet(self.packet.version).serialize()[:4], _count(self.answers)]
        for answer in self.answers:
            part = _serialize(answer, room)
            room = max(room - len(part), 0)
            parts.append(part)
        return b"".join(parts)

    def _call(self, message: Message) -> Call:
        return Call(
            message.target_uri,
            _arguments(message.value),
            user=self.user,
            door="amf",
            request=self.request,
        )

    def _answer(self, message: Message, *, value: Any = None, fault: Fault | None = None) -> None:
        if message.response_uri in _NO_ANSWER:
            return
        encoding = 3 if self.packet.version == 3 else message.encoding
        suffix, body = ("onResult", value) if fault is None else ("onStatus", fault.information)
        self.answers.append(
            Message(f"{message.response_uri}/{suffix}", "null", body, encoding=encoding)
        )


def _arguments(body: Any) -> list[Any]:
    """Usually an array; nothing, an array with names and a bare value occur too."""
    if isinstance(body, list):
        return body
    if isinstance(body, MixedArray):
        return list(body.dense)
    return [] if body is None or body is Undefined else [body]


def _bad_message(error: AMFError) -> Fault:
    return Fault(FaultCode.BAD_MESSAGE, f"the message cannot be decoded: {error}")


def _decode_limits() -> Limits:
    settings = remoting_settings()
    return Limits(
        depth=settings.max_depth,
        values=settings.max_values,
        input_bytes=settings.max_request_size,
    )


def _serialize(answer: Message, room: int) -> bytes:
    """The message's bytes; if its value cannot be written, those of a fault instead."""
    limits = Limits(depth=remoting_settings().max_depth, output_bytes=room)
    try:
        return _bytes_of(answer, limits)
    except EncodeError as error:
        logger.error("%s cannot be answered: %s", answer.target_uri, error)
        fault = Fault(FaultCode.BAD_RESULT, f"the result cannot be encoded: {error}")
        uri = answer.target_uri.rpartition("/")[0]
        return _bytes_of(
            Message(f"{uri}/onStatus", "null", fault.information, encoding=answer.encoding)
        )


def _bytes_of(message: Message, limits: Limits | None = None) -> bytes:
    # Bodies share nothing, so they can be written, and fail, apart from each other.
    return Packet(0, [], [message]).serialize(limits=limits)[_PACKET_HEAD:]


def _count(answers: list[Message]) -> bytes:
    return len(answers).to_bytes(2, "big")
