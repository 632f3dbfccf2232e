"""What a service may add to the response that carries its result (door "amf").

In a response, a header and a message that answers no call each invoke a method of the client
object of the NetConnection, with one argument. Flash Player knows three such headers itself.
"""

from dataclasses import dataclass
from typing import Any


# Compiled, a dataclass is made fast only without slots, and by a constructor of its own.
@dataclass
class Reply:
    """Headers and client calls of one response; shared by the calls of a batch."""

    headers: list[tuple[str, Any]]
    """(name, value), in order."""
    client_calls: list[tuple[str, Any]]
    """(method, argument), in order; the response carries them before the result."""

    def __init__(
        self,
        headers: list[tuple[str, Any]] | None = None,
        client_calls: list[tuple[str, Any]] | None = None,
    ) -> None:
        self.headers = [] if headers is None else headers
        self.client_calls = [] if client_calls is None else client_calls

    # Compiled, copies and pickles else lose what it holds.
    def __reduce__(self) -> tuple[Any, ...]:
        return Reply, (self.headers, self.client_calls)

    def call_client(self, method: str, argument: Any = None) -> None:
        """Has the client's ``method(argument)`` called; there is no answer."""
        if not method or method.startswith("/"):
            raise ValueError(f"{method!r} is no name of a client's method")
        self.client_calls.append((method, argument))

    def add_header(self, name: str, value: Any = None) -> None:
        """Adds a header; the player calls the client's method of that name."""
        self.headers.append((name, value))

    def request_persistent_header(
        self, name: str, value: Any, *, must_understand: bool = False
    ) -> None:
        """Asks the client to send this header with all further requests."""
        request = {"name": name, "mustUnderstand": must_understand, "data": value}
        self.add_header("RequestPersistentHeader", request)

    def append_to_gateway_url(self, suffix: str) -> None:
        """Asks the client to append ``suffix`` to the gateway's address from now on."""
        self.add_header("AppendToGatewayUrl", suffix)

    def replace_gateway_url(self, url: str) -> None:
        """Asks the client to send all further requests to ``url``."""
        self.add_header("ReplaceGatewayUrl", url)
