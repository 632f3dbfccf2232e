"""Calls in process, for tests: django.test's clients with AMF.

    client = AmfClient()
    client.force_login(user)
    assert client.call("math.add", 1, 2) == 3

The pytest fixtures are in ``amf_remoting.pytest_fixtures``.
"""

from typing import Any, Literal

from django.test import AsyncClient, Client
from django.urls import reverse

from .client import AsyncCalls, SyncCalls
from .conversation import CONTENT_TYPE, Conversation
from .exceptions import TransportError


class AmfClient(Client, SyncCalls):
    """Calls through WSGI's handler. ``path`` is where amf_remoting.urls are mounted."""

    def __init__(self, *, path: str = "", version: Literal[0, 3] = 0, **defaults: Any) -> None:
        super().__init__(**defaults)
        self.conversation = _conversation(path, version)

    def exchange(self, data: bytes) -> bytes:
        """Posts a packet to the gateway."""
        return _body_of(self.post(self.conversation.url, data, CONTENT_TYPE))


class AsyncAmfClient(AsyncClient, AsyncCalls):
    """Calls through ASGI's handler; await them."""

    def __init__(self, *, path: str = "", version: Literal[0, 3] = 0, **defaults: Any) -> None:
        super().__init__(**defaults)
        self.conversation = _conversation(path, version)

    async def exchange(self, data: bytes) -> bytes:
        """Posts a packet to the gateway."""
        response = await self.post(self.conversation.url, data, content_type=CONTENT_TYPE)
        return _body_of(response)


def _conversation(path: str, version: Literal[0, 3]) -> Conversation:
    return Conversation(path or reverse("amf_remoting:gateway"), version)


def _body_of(response: Any) -> bytes:
    if response.status_code != 200 or response["Content-Type"] != CONTENT_TYPE:
        raise TransportError(f"HTTP status {response.status_code}: {response.content[:200]!r}")
    return bytes(response.content)
