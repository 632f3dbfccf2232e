"""One call, whichever door it came through."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .reply import Reply

Door = Literal["amf", "json", "rtmp", "websocket"]


@dataclass(slots=True, eq=False)
class Call:
    """What a method may know about the call it answers (a first parameter named ``call``)."""

    target: str
    """"service.method", as the caller wrote it."""
    arguments: list[Any] = field(default_factory=list)
    """By position; not bound or coerced yet."""
    keywords: dict[str, Any] = field(default_factory=dict)
    """By name; only the JSON door can send them."""
    user: Any = None
    """A user or an AnonymousUser once the method runs; doors may leave it None (anonymous)."""
    door: Door = "amf"
    request: Any = None
    """The HttpRequest, on HTTP doors."""
    connection: Any = None
    """The consumer, on doors with a lasting connection."""
    headers: Mapping[str, Any] = field(default_factory=dict)
    """Headers of the request's packet by name (door "amf")."""
    reply: Reply | None = None
    """Headers and client calls for the response (door "amf"); None elsewhere."""
