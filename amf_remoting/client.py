"""Calls to AMF gateways from Python.

client = RemotingClient("https://example.com/gateway/", version=3)
client.call("math.add", 1, 2)

with client.batch() as batch:
    one, two = batch.call("math.add", 1, 2), batch.call("clock.now")
one.result(), two.result()
"""

import asyncio
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from types import TracebackType
from typing import Any, Literal, Self

from .conversation import CONTENT_TYPE, Conversation, Pending
from .exceptions import TransportError


class Batch:
    """Calls that travel in one packet; sent where the ``with`` block ends without an error."""

    def __init__(self) -> None:
        self.calls: list[Pending] = []

    def call(self, target: str, *arguments: Any) -> Pending:
        """Adds a call; its ``result()`` is there once the batch was sent."""
        pending = Pending(target, arguments)
        self.calls.append(pending)
        return pending


class _SyncBatch(Batch):
    def __init__(self, send: Callable[[list[Pending]], None]) -> None:
        super().__init__()
        self._send = send

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self._send(self.calls)


class _AsyncBatch(Batch):
    def __init__(self, send: Callable[[list[Pending]], Any]) -> None:
        super().__init__()
        self._send = send

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            await self._send(self.calls)


class SyncCalls:
    """Calls and batches over whatever exchanges bytes."""

    conversation: Conversation

    def exchange(self, data: bytes) -> bytes:
        """A request's body → the response's. TransportError if there is none."""
        raise NotImplementedError

    def call(self, target: str, *arguments: Any) -> Any:
        """The method's result. RemoteFault if it failed."""
        pending = Pending(target, arguments)
        self.send([pending])
        return pending.result()

    def batch(self) -> _SyncBatch:
        """``with client.batch() as batch: …``"""
        return _SyncBatch(self.send)

    def send(self, calls: list[Pending]) -> None:
        """One packet there and back; afterwards the calls know their outcomes."""
        self.conversation.receive(self.exchange(self.conversation.request(calls)), calls)


class AsyncCalls:
    """The same for event loops."""

    conversation: Conversation

    async def exchange(self, data: bytes) -> bytes:
        """A request's body → the response's. TransportError if there is none."""
        raise NotImplementedError

    async def call(self, target: str, *arguments: Any) -> Any:
        """The method's result. RemoteFault if it failed."""
        pending = Pending(target, arguments)
        await self.send([pending])
        return pending.result()

    def batch(self) -> _AsyncBatch:
        """``async with client.batch() as batch: …``"""
        return _AsyncBatch(self.send)

    async def send(self, calls: list[Pending]) -> None:
        """One packet there and back; afterwards the calls know their outcomes."""
        response = await self.exchange(self.conversation.request(calls))
        self.conversation.receive(response, calls)


class _HttpClient:
    """Cookies, timeout and size limit of both clients."""

    def __init__(
        self,
        url: str,
        *,
        version: Literal[0, 3] = 0,
        timeout: float = 20.0,
        follow_elsewhere: bool = False,
    ) -> None:
        self.conversation = Conversation(url, version, follow_elsewhere)
        self.timeout = timeout
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def set_credentials(self, userid: str, password: str) -> None:
        """Logs in with every packet from now on; empty ones end that."""
        self.conversation.set_credentials(userid, password)

    def add_header(self, name: str, value: Any, *, must_understand: bool = False) -> None:
        """Sends this AMF header with every packet from now on."""
        self.conversation.add_header(name, value, must_understand=must_understand)

    def on(self, name: str, method: Callable[[Any], object]) -> None:
        """Lets responses call ``method(argument)`` by that name."""
        self.conversation.methods[name] = method

    def _post(self, data: bytes) -> bytes:
        url = self.conversation.url
        if not url.startswith(("http://", "https://")):
            raise TransportError(f"{url!r} is no address of a gateway")
        limit = self.conversation.limits.input_bytes
        try:
            request = urllib.request.Request(url, data, {"Content-Type": CONTENT_TYPE})  # noqa: S310
            with self._opener.open(request, timeout=self.timeout) as response:
                body: bytes = response.read(limit + 1)
                kind = response.headers.get_content_type()
        except urllib.error.HTTPError as error:
            with error:
                raise TransportError(f"{url}: HTTP status {error.code}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            # ValueError: an address that is none, which a response may have named.
            raise TransportError(f"{url}: {error}") from error
        if kind != CONTENT_TYPE or len(body) > limit:
            raise TransportError(f"{url}: {kind}, not at most {limit} bytes of {CONTENT_TYPE}")
        return body


class RemotingClient(_HttpClient, SyncCalls):
    """A client for threads. One thread at a time; cookies and headers last."""

    def exchange(self, data: bytes) -> bytes:
        """Posts a packet."""
        return self._post(data)


class AsyncRemotingClient(_HttpClient, AsyncCalls):
    """A client for event loops; the waiting is done in a thread. One packet at a time."""

    async def exchange(self, data: bytes) -> bytes:
        """Posts a packet."""
        return await asyncio.to_thread(self._post, data)
