"""A response packet in the making.

Every value is encoded as soon as it is there and apart from all others: one that cannot be
encoded becomes a fault of its own, and what a later call of the batch changes is not seen.
"""

import logging
from dataclasses import dataclass, field
from typing import Any, Literal

from django.core.exceptions import SynchronousOnlyOperation

from . import conf
from .amf import AMFError, Limits
from .conf import remoting_settings
from .envelopes import Envelope
from .exceptions import Fault, FaultCode
from .packet import Header, Message, Packet
from .reply import Reply

logger = logging.getLogger(__name__)

MAX_CLIENT_CALLS = 1000
"""Client calls that one response carries; further ones are dropped and logged."""
_COUNT = 2
"""Bytes of the version, of the header count and of the message count."""
_NO_ANSWER = ("null", "")
_LONGEST_URI = 0xFFFF - len("/onResult")
"""Bytes of a response URI to which an answer can be addressed."""


@dataclass(slots=True)
class Answer:
    """Bytes of messages, and the reply whose headers and client calls go with them."""

    request: Packet
    reply: Reply = field(default_factory=Reply)
    _messages: list[bytes] = field(default_factory=list)
    _calls: int = 0
    _size: int = 0

    def result(self, message: Message, envelope: Envelope, value: Any) -> None:
        """The message's method returned ``value``.

        SynchronousOnlyOperation if encoding it needs a thread; it may be tried again there.
        """
        self._add_client_calls(message)
        if not _wants_answer(message):
            return
        try:
            self._add(self._message(message, "onResult", envelope.result(value)))
        except SynchronousOnlyOperation:
            raise
        except AMFError as error:
            # May be the caller's doing (an echo): one line.
            logger.error("the result of %r cannot be encoded: %s", message.target_uri[:200], error)
            self._add_fault(message, envelope, _bad_result(error))
        except Exception as error:
            logger.exception("the result of %r cannot be encoded", message.target_uri[:200])
            self._add_fault(message, envelope, _bad_result(error if conf.debug() else None))

    def fault(self, message: Message, envelope: Envelope, fault: Fault) -> None:
        """The message was refused, or its method failed."""
        self._add_client_calls(message)
        if not _wants_answer(message):
            logger.info("%r failed unheard: %r", message.target_uri[:200], fault)
            return
        try:
            self._add_fault(message, envelope, fault)
        except Exception:
            target = message.target_uri[:200]
            logger.exception("the details of a fault of %r cannot be encoded", target)
            bare = Fault(fault.code, fault.description, level=fault.level)
            self._add_fault(message, envelope, bare)

    def serialize(self) -> bytes:
        """The packet, of the request's version."""
        headers = [part for name, value in self.reply.headers if (part := _header(name, value))]
        start = self.request.version.to_bytes(2, "big") + len(headers).to_bytes(2, "big")
        count = len(self._messages).to_bytes(2, "big")
        return b"".join([start, *headers, count, *self._messages])

    def _add_client_calls(self, message: Message) -> None:
        if not self.reply.client_calls:
            return
        calls, self.reply.client_calls = self.reply.client_calls, []
        room = min(MAX_CLIENT_CALLS, 0xFFFF - len(self.request.messages)) - self._calls
        for method, argument in calls[: max(room, 0)]:
            call = Message(method, "null", argument, encoding=self._encoding(message))
            try:
                self._add(call)
                self._calls += 1
            except Exception:
                logger.exception("the client call %s cannot be encoded", method)
        if len(calls) > room:
            logger.error("%d client calls dropped: one response has room for no more", len(calls))

    def _add_fault(self, message: Message, envelope: Envelope, fault: Fault) -> None:
        # No size limit: what is left of a spent one must not silence the fault.
        answer = self._message(message, "onStatus", envelope.fault(fault))
        self._messages.append(_bytes_of(answer))

    def _message(self, message: Message, method: str, body: Any) -> Message:
        target = f"{message.response_uri}/{method}"
        return Message(target, "null", body, encoding=self._encoding(message))

    def _encoding(self, message: Message) -> Literal[0, 3]:
        return 3 if self.request.version == 3 else message.encoding

    def _add(self, answer: Message) -> None:
        settings = remoting_settings()
        room = max(settings.max_response_size - self._size, 0)
        limits = Limits(depth=settings.depth, output_bytes=room)
        data = _bytes_of(answer, limits)
        self._size += len(data)
        self._messages.append(data)


def _wants_answer(message: Message) -> bool:
    uri = message.response_uri
    return uri not in _NO_ANSWER and len(uri.encode()) <= _LONGEST_URI


def _bad_result(error: Exception | None) -> Fault:
    """Without an error where its text is no caller's business."""
    description = "the result cannot be encoded"
    return Fault(FaultCode.BAD_RESULT, f"{description}: {error}" if error else description)


def _header(name: str, value: Any) -> bytes:
    """A header's bytes; none if it cannot be encoded."""
    limits = Limits(depth=remoting_settings().depth)
    try:
        packet = Packet(headers=[Header(name, False, value)]).serialize(limits=limits)
    except Exception:
        logger.exception("the header %s cannot be encoded", name)
        return b""
    return packet[2 * _COUNT : -_COUNT]


def _bytes_of(message: Message, limits: Limits | None = None) -> bytes:
    # Messages share nothing, so they can be written, and fail, apart.
    return Packet(messages=[message]).serialize(limits=limits)[3 * _COUNT :]
