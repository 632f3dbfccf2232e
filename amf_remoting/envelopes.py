"""How a packet's message holds a call: plainly, or inside of a Flex message.

An envelope says what to run for its message and what the answer's body looks like.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol
from uuid import uuid4

from django.http import HttpRequest

from .amf import AMFError, MixedArray, Undefined
from .auth import log_in, log_out
from .call import Call
from .exceptions import Fault, FaultCode
from .flex.messages import (
    AbstractMessage,
    AcknowledgeMessage,
    CommandMessage,
    ErrorMessage,
    Operation,
    RemotingMessage,
)
from .flex.small_messages import SmallMessage, small
from .packet import Message
from .reply import Reply

MESSAGING_VERSION = 1
"""We read small messages, so clients may send them."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something of our own to do for a message, or for the whole packet."""

    name: str
    """For the log."""
    run: Callable[[], Any]
    blocking: bool = False
    """Reads the database: loops have it done by a thread."""


Work = Call | Command
"""What a message asks for."""


class Caller(Protocol):
    """Who sends the packet; logging in and out changes the user for the messages that follow."""

    request: HttpRequest
    user: Any
    headers: dict[str, Any]
    reply: Reply


class Envelope(Protocol):
    """What surrounds a call and its answer."""

    def work(self, message: Message, caller: Caller, /) -> Work:
        """What to run. Fault if the message asks for nothing we know."""

    def result(self, value: Any) -> Any:
        """The body that goes to onResult."""

    def fault(self, fault: Fault) -> Any:
        """The body that goes to onStatus."""


class PlainEnvelope:
    """The target names the method and the body is its arguments (NetConnection.call)."""

    def work(self, message: Message, caller: Caller, /) -> Work:
        """The call, through the door "amf"."""
        arguments = message.value
        if not isinstance(arguments, list):
            arguments = arguments_of(arguments)
        # By position: compiled, names cost more than all the rest of it.
        return Call(
            message.target_uri,
            arguments,
            None,
            caller.user,
            "amf",
            caller.request,
            None,
            caller.headers,
            caller.reply,
        )

    def result(self, value: Any) -> Any:
        """The value itself."""
        return value

    def fault(self, fault: Fault) -> Any:
        """The onStatus object."""
        return fault.information


class FlexEnvelope:
    """A Flex message, answered by an AcknowledgeMessage or an ErrorMessage."""

    def __init__(self, message: AbstractMessage) -> None:
        self.message = message
        self._headers: dict[str, Any] = {}

    def work(self, _: Message, caller: Caller, /) -> Work:
        """A RemotingMessage is a call; of the commands those of RemoteObject are known."""
        if isinstance(self.message, RemotingMessage):
            service = self.message.destination or self.message.source or ""
            target = f"{service}.{self.message.operation or ''}"
            return _PLAIN.work(Message(target, value=self.message.body), caller)
        if isinstance(self.message, CommandMessage):
            return self._command(self.message, caller)
        raise _no_messaging(self.message)

    def result(self, value: Any) -> Any:
        """The acknowledgement, small if the message was."""
        answer = AcknowledgeMessage(**self._addressed(), body=value)
        return small(answer) if isinstance(self.message, SmallMessage) else answer

    def fault(self, fault: Fault) -> Any:
        """The ErrorMessage: faultCode, faultString, the details as extendedData."""
        detail = fault.details.get("traceback")
        return ErrorMessage(
            **self._addressed(),
            fault_code=fault.code,
            fault_string=fault.description,
            fault_detail=None if detail is None else str(detail),
            extended_data=fault.details or None,
        )

    def _command(self, message: CommandMessage, caller: Caller) -> Work:
        match message.operation:
            case Operation.CLIENT_PING:
                return Command("ping", self._ping)
            case Operation.LOGIN:
                return Command("login", partial(_log_in, message, caller), blocking=True)
            case Operation.LOGOUT:
                return Command("logout", partial(_log_out, caller), blocking=True)
            case Operation.DISCONNECT | Operation.CLIENT_SYNC:
                return Command("disconnect", lambda: None)
            case Operation.CLUSTER_REQUEST:
                return Command("cluster request", list)
        raise _no_messaging(message)

    def _ping(self) -> None:
        asked = self.message.header("DSId")
        allotted = asked if isinstance(asked, str) and asked not in ("", "nil") else _new_id()
        self._headers = {"DSId": allotted, "DSMessagingVersion": MESSAGING_VERSION}

    def _addressed(self) -> dict[str, Any]:
        return {
            "client_id": self.message.client_id or _new_id(),
            "correlation_id": self.message.message_id,
            "destination": self.message.destination,
            "headers": self._headers,
            "message_id": _new_id(),
            "timestamp": time.time() * 1000 // 1,
        }


_PLAIN = PlainEnvelope()


def envelope_of(message: Message) -> Envelope:
    """The envelope that a decoded message of a packet is."""
    body = message.value
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    return FlexEnvelope(body) if isinstance(body, AbstractMessage) else _PLAIN


def arguments_of(body: Any) -> list[Any]:
    """Usually an array; nothing, an array with names and a bare value occur too."""
    if isinstance(body, list):
        return body
    if isinstance(body, MixedArray):
        return list(body.dense)
    return [] if body is None or body is Undefined else [body]


def _log_in(message: CommandMessage, caller: Caller) -> str:
    try:
        username, password = message.credentials()
    except AMFError as error:
        raise Fault(FaultCode.AUTHENTICATION, str(error)) from error
    caller.user = log_in(caller.request, username, password)
    return "success"


def _log_out(caller: Caller) -> str:
    caller.user = log_out(caller.request)
    return "success"


def _no_messaging(message: AbstractMessage) -> Fault:
    return Fault(
        FaultCode.UNAVAILABLE,
        f"no destination {message.destination!r} takes {type(message).__name__} here",
    )


def _new_id() -> str:
    return str(uuid4()).upper()
