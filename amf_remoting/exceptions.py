"""What can go wrong, as a tree.

RemotingError
├── ExposureError      a setting or a decorator names something that cannot be a service
├── TransportError     a client got no AMF answer
└── Fault              what a caller is told: an onStatus object on every door
    └── RemoteFault    what a client was told

Errors of the codec (``amf.AMFError``) are a tree of their own, rooted in ``amf_remoting.amf``.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, Self

Level = Literal["error", "warning", "status"]


class FaultCode(StrEnum):
    """The codes that this package itself answers; services may use any string."""

    METHOD_NOT_FOUND = "Client.MethodNotFound"
    """No such service or method, or one that is not remote: callers cannot tell which."""
    BAD_ARGUMENTS = "Client.BadArguments"
    """An argument is missing, superfluous or of the wrong type; the description names it."""
    BAD_MESSAGE = "Client.BadMessage"
    """The body of one message of a packet cannot be decoded."""
    HEADER_NOT_UNDERSTOOD = "Client.HeaderNotUnderstood"
    """A header says mustUnderstand and nobody does."""
    AUTHENTICATION = "Client.Authentication"
    """The method needs a user, or the credentials given are wrong."""
    AUTHORIZATION = "Client.Authorization"
    """The user lacks the permission that the method needs."""
    CONNECTION_REQUIRED = "Client.ConnectionRequired"
    """The method needs a lasting connection (RTMP or WebSocket)."""
    THROTTLED = "Client.Throttled"
    """Too many calls; ``details["retryAfter"]`` holds seconds."""
    UNAVAILABLE = "Server.Unavailable"
    """The service is switched off, or its policy cannot be read."""
    BUSY = "Server.Busy"
    """All threads are taken and as many calls wait as may wait."""
    BAD_RESULT = "Server.BadResult"
    """The method returned something that cannot be encoded."""
    PROCESSING = "Server.Processing"
    """The method failed; the log knows why, the caller does not unless DEBUG is on."""


class RemotingError(Exception):
    """Root of this package's errors."""


class ExposureError(RemotingError):
    """Something was named a service or a remote method that cannot be one."""


class TransportError(RemotingError):
    """The gateway was not reached, or what answered is no gateway."""


class Fault(RemotingError):
    """A refusal or failure that the caller is told about.

    Services raise it to answer with a code and text of their own. ``details`` become further
    properties of the onStatus object; they cannot replace level, code and description.
    """

    def __init__(
        self,
        code: str,
        description: str,
        *,
        level: Level = "error",
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(description)
        self.code = str(code)
        self.description = description
        self.level: Level = level
        self.details = dict(details or {})

    @property
    def information(self) -> dict[str, object]:
        """The onStatus object: ``{"level", "code", "description", **details}``."""
        own = {"level": self.level, "code": self.code, "description": self.description}
        return {**self.details, **own}

    def __repr__(self) -> str:
        return f"Fault({self.code!r}, {self.description!r})"


class RemoteFault(Fault):
    """A fault that a gateway answered, made of its onStatus object."""

    @classmethod
    def of(cls, status: object) -> Self:
        """The fault of any onStatus value: an object usually, but peers send text as well."""
        information = dict(status) if isinstance(status, dict) else {}
        code = _text(information.pop("code", None) or information.pop("faultCode", ""))
        known = information.pop("description", None) or information.pop("faultString", None)
        level = information.pop("level", "error")
        return cls(
            code,
            _text(known if known is not None else status),
            level=level if level in ("warning", "status") else "error",
            details=information,
        )


def _text(value: object) -> str:
    """A scalar as text; of anything else its type, for a few references can be a tree without
    end."""
    scalar = value is None or isinstance(value, str | int | float)
    return str(value) if scalar else f"({type(value).__name__})"
