"""One call, whichever door it came through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .reply import Reply

Door = Literal["amf", "json", "rtmp", "websocket"]


# Compiled, a dataclass is made fast only without slots, and by a constructor of its own.
@dataclass(eq=False)
class Call:
    """What a method may know about the call it answers (a first parameter named ``call``)."""

    target: str
    """"service.method", as the caller wrote it."""
    arguments: Sequence[Any]
    """By position; not bound or coerced yet."""
    keywords: Mapping[str, Any]
    """By name; only the JSON door can send them."""
    user: Any
    """A user or an AnonymousUser once the method runs; doors may leave it None (anonymous)."""
    door: Door
    request: Any
    """The HttpRequest, on HTTP doors."""
    connection: Any
    """The consumer, on doors with a lasting connection."""
    headers: Mapping[str, Any]
    """Headers of the request's packet by name (door "amf")."""
    reply: Reply | None
    """Headers and client calls for the response (door "amf"); None elsewhere."""

    def __init__(  # noqa: PLR0913, PLR0917 - a dataclass: one for each member
        self,
        target: str,
        arguments: Sequence[Any] | None = None,
        keywords: Mapping[str, Any] | None = None,
        user: Any = None,
        door: Door = "amf",
        request: Any = None,
        connection: Any = None,
        headers: Mapping[str, Any] | None = None,
        reply: Reply | None = None,
    ) -> None:
        self.target = target
        self.arguments = [] if arguments is None else arguments
        self.keywords = {} if keywords is None else keywords
        self.user = user
        self.door = door
        self.request = request
        self.connection = connection
        self.headers = {} if headers is None else headers
        self.reply = reply

    # Compiled, none can be made without its arguments, as copies and pickles else are.
    def __reduce__(self) -> tuple[Any, ...]:
        return Call, (
            self.target,
            self.arguments,
            self.keywords,
            self.user,
            self.door,
            self.request,
            self.connection,
            self.headers,
            self.reply,
        )
