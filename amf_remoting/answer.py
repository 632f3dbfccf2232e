"""A response packet in the making.

Every value is encoded as soon as it is there and apart from all others: one that cannot be
encoded becomes a fault of its own, and what a later call of the batch changes is not seen.
"""

import logging
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation

from . import conf
from .amf import AMFError
from .conf import remoting_settings
from .envelopes import Envelope
from .exceptions import Fault, FaultCode
from .packet import Header, Message, Packet, PacketWriter
from .reply import Reply

logger = logging.getLogger(__name__)

MAX_CLIENT_CALLS = 1000
"""Client calls that one response carries; further ones are dropped and logged."""
MAX_HEADERS = 1000
"""Headers of one response; further ones are dropped and logged."""


class Answer:
    """Bytes of messages, and the reply whose headers and client calls go with them.

    Where a value asks the database while it is encoded, and this is a loop, methods raise
    SynchronousOnlyOperation: call them again in a thread.
    """

    __slots__ = ("_calls", "_writer", "reply", "request")

    def __init__(self, request: Packet) -> None:
        self.request = request
        self.reply = Reply()
        limits = remoting_settings.current.encode_limits
        self._writer = PacketWriter(request.version, limits)
        self._calls = 0

    def result(self, message: Message, envelope: Envelope, value: Any) -> None:
        """The message's method returned ``value``."""
        if self.reply.client_calls:
            self._add_client_calls(message)
        if not message.wants_answer:
            return
        try:
            target = f"{message.response_uri}/onResult"
            self._writer.write(target, envelope.result(value), message.encoding)
        except SynchronousOnlyOperation:
            raise
        except Exception as error:
            self.unencodable(message, envelope, error)

    def fault(self, message: Message, envelope: Envelope, fault: Fault) -> None:
        """The message was refused, or its method failed."""
        if self.reply.client_calls:
            self._add_client_calls(message)
        if not message.wants_answer:
            logger.info("%r failed unheard: %r", message.target_uri[:200], fault)
            return
        self._add_fault(message, envelope, fault)

    def unencodable(self, message: Message, envelope: Envelope, error: Exception) -> None:
        """The message's method returned something that has no form in AMF."""
        fault = bad_result(repr(message.target_uri[:200]), error)
        if message.wants_answer:
            self._add_fault(message, envelope, fault)

    def serialize(self) -> bytes:
        """The packet, of the request's version."""
        wanted = self.reply.headers
        return self._writer.getvalue(_headers(wanted) if wanted else [])

    def _add_client_calls(self, message: Message) -> None:
        calls = self.reply.client_calls
        room = min(MAX_CLIENT_CALLS, 0xFFFF - len(self.request.messages))
        while calls and self._calls < room:
            method, argument = calls[0]
            try:
                self._writer.write(method, argument, message.encoding)
                self._calls += 1
            except SynchronousOnlyOperation:
                raise
            except Exception:
                logger.exception("the client call %s cannot be encoded", method)
            del calls[0]
        if calls:
            logger.error("%d client calls dropped: one response has room for no more", len(calls))
            calls.clear()

    def _add_fault(self, message: Message, envelope: Envelope, fault: Fault) -> None:
        # No size limit: what is left of a spent one must not silence the fault.
        try:
            data = self._fault_message(message, envelope.fault(fault))
        except Exception:
            called = message.target_uri[:200]
            logger.exception("the details of a fault of %r cannot be encoded", called)
            bare = Fault(fault.code, fault.description, level=fault.level)
            data = self._fault_message(message, envelope.fault(bare))
        self._writer.write_serialized(data)

    def _fault_message(self, question: Message, body: Any) -> bytes:
        encoding = 3 if self.request.version == 3 else question.encoding
        target = f"{question.response_uri}/onStatus"
        return Message(target, value=body, encoding=encoding).serialize()


def bad_result(
    target: str, error: Exception, *, told: tuple[type[Exception], ...] = (AMFError,)
) -> Fault:
    """The fault, logged. The caller is told the text of a Fault and of errors that are ``told``."""
    if isinstance(error, Fault):
        return error
    description = "the result cannot be encoded"
    if isinstance(error, told):
        # May be the caller's doing (an echo): one line.
        logger.error("the result of %s cannot be encoded: %s", target, error)
        return Fault(FaultCode.BAD_RESULT, f"{description}: {error}")
    logger.error("the result of %s cannot be encoded", target, exc_info=error)
    return Fault(FaultCode.BAD_RESULT, f"{description}: {error}" if conf.debug() else description)


def _headers(wanted: list[tuple[str, Any]]) -> list[bytes]:
    if len(wanted) > MAX_HEADERS:
        logger.error("%d headers of a response dropped", len(wanted) - MAX_HEADERS)
    serialized = [_header(name, value) for name, value in wanted[:MAX_HEADERS]]
    return [header for header in serialized if header]


def _header(name: str, value: Any) -> bytes:
    """A header's bytes; none if it cannot be encoded."""
    try:
        return Header(name, value=value).serialize(limits=remoting_settings().encode_limits)
    except SynchronousOnlyOperation:
        raise
    except Exception:
        logger.exception("the header %s cannot be encoded", name)
        return b""
