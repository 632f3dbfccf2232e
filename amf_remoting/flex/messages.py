"""The messages of Flex, as classes of flex.messaging.messages.* (AMF3, in an array of one)."""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from amf_remoting.amf.aliases import alias
from amf_remoting.amf.errors import DecodeError

PACKAGE = "flex.messaging.messages."
CHARSETS = ("utf-8", "iso-8859-1", "latin-1", "us-ascii")
"""Of credentials: those of Flex's setCredentials. Python has more, but some take quadratic time,
and each unknown name that is looked up stays in memory."""


class Operation(IntEnum):
    """What a CommandMessage asks for."""

    SUBSCRIBE = 0
    UNSUBSCRIBE = 1
    POLL = 2
    CLIENT_SYNC = 4
    CLIENT_PING = 5
    CLUSTER_REQUEST = 7
    LOGIN = 8
    LOGOUT = 9
    SUBSCRIPTION_INVALIDATE = 10
    MULTI_SUBSCRIBE = 11
    DISCONNECT = 12


@dataclass(slots=True, kw_only=True)
class AbstractMessage:
    """What all messages have in common."""

    body: Any = None
    client_id: str | None = None
    destination: str | None = None
    headers: dict[str, Any] | None = field(default_factory=dict)
    message_id: str | None = None
    time_to_live: float = 0
    """Milliseconds; 0 for ever."""
    timestamp: float = 0
    """Milliseconds since 1970."""

    def header(self, name: str) -> Any:
        """A header's value, None if it is missing (`headers` itself may be None)."""
        return (self.headers or {}).get(name)


@alias(PACKAGE + "AsyncMessage", camel_case=True)
@dataclass(slots=True, kw_only=True)
class AsyncMessage(AbstractMessage):
    """Something published to a destination."""

    correlation_id: str | None = None
    """The message_id of the message it answers."""


@alias(PACKAGE + "CommandMessage", camel_case=True)
@dataclass(slots=True, kw_only=True)
class CommandMessage(AsyncMessage):
    """Asks the server, not a destination's code."""

    operation: int = 10000
    """An Operation; Flex's own default means "unknown"."""

    def credentials(self) -> tuple[str, str]:
        """User and password of a login. Raises DecodeError if the body holds none."""
        charset = self.header("DSCredentialsCharset") or "utf-8"
        if not isinstance(charset, str) or charset.lower() not in CHARSETS:
            raise DecodeError("credentials are written in utf-8 or iso-8859-1")
        try:
            user, separator, password = b64decode(self.body).decode(charset).partition(":")
        except (TypeError, ValueError, binascii.Error):
            raise DecodeError("a login's body is Base64 of user:password") from None
        if not separator:
            raise DecodeError("a login's body is Base64 of user:password")
        return user, password


@alias(PACKAGE + "AcknowledgeMessage", camel_case=True)
@dataclass(slots=True, kw_only=True)
class AcknowledgeMessage(AsyncMessage):
    """The answer to a message, with the result in its body; goes to /N/onResult."""


@alias(PACKAGE + "ErrorMessage", camel_case=True)
@dataclass(slots=True, kw_only=True)
class ErrorMessage(AcknowledgeMessage):
    """The answer to a message that failed; goes to /N/onStatus and has no small form."""

    fault_code: str | None = None
    fault_string: str | None = None
    fault_detail: str | None = None
    extended_data: Any = None
    root_cause: Any = None


@alias(PACKAGE + "RemotingMessage", camel_case=True)
@dataclass(slots=True, kw_only=True)
class RemotingMessage(AbstractMessage):
    """A call: `operation` of service `destination`, its arguments in the body."""

    operation: str | None = None
    source: str | None = None
    """The service's class, if the client names one."""
