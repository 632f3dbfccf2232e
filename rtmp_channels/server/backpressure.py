"""Makes daphne wait for slow clients and slow applications over HTTP and WebSocket.

Out: daphne writes whatever an application sends into the transport's buffer, however full it is.
Here every reply passes a gate that Twisted shuts (as it would a producer) while the transport holds
more than it likes, 64 KiB, and opens when that has left.

In: daphne queues whatever a WebSocket client sends. Here the socket is not read while the
application has not received what waits for it.
"""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

_MARK = "_waits_for_readers"

MAX_WAITING_BYTES = 262_144
"""What may wait in a WebSocket's queue before its socket is left alone."""

_MESSAGE_BYTES = 1_024
"""What a message costs beside its payload, roughly: small ones count, too."""


@implementer(IPushProducer)
class Gate:
    """A producer whose production is our letting senders pass."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    def pauseProducing(self) -> None:
        """The transport holds enough."""
        self._open.clear()

    def resumeProducing(self) -> None:
        """The transport is empty."""
        self._open.set()

    def stopProducing(self) -> None:
        """The transport is gone: daphne drops what is sent from here on."""
        self._open.set()

    async def passed(self) -> None:
        """Waits while the gate is shut."""
        await self._open.wait()


class Intake:
    """Counts what waits in an application's queue, and stops its client meanwhile."""

    def __init__(self, queue: asyncio.Queue[dict[str, Any]], transport: Any) -> None:
        self._transport = transport
        self._put, self._get = queue._put, queue._get
        self._waiting = 0
        self._is_paused = False
        # The hooks that Queue has for subclasses; daphne makes the queue itself.
        queue._put, queue._get = self.put, self.get  # type: ignore[method-assign]

    def put(self, item: dict[str, Any]) -> None:
        """A message comes in."""
        self._put(item)
        self._waiting += _size(item)
        if not self._is_paused and self._waiting > MAX_WAITING_BYTES:
            self._is_paused = True
            self._transport.pauseProducing()

    def get(self) -> dict[str, Any]:
        """The application receives one."""
        message = self._get()
        self._waiting -= _size(message)
        if self._is_paused and self._waiting <= MAX_WAITING_BYTES // 2:
            self._is_paused = False
            self._transport.resumeProducing()
        return message


def install_backpressure(server_class: Any) -> None:
    """Wraps `handle_reply` and `create_application` of daphne's server class, once."""
    if hasattr(server_class.handle_reply, _MARK):
        return
    _wait_for_readers(server_class)
    _wait_for_applications(server_class)


def _wait_for_applications(server_class: Any) -> None:
    original = server_class.create_application

    @wraps(original)
    def create_application(self: Any, protocol: Any, scope: dict[str, Any]) -> Any:
        queue = original(self, protocol, scope)
        if queue is not None and scope["type"] == "websocket":
            Intake(queue, protocol.transport)
        return queue

    server_class.create_application = create_application


def _wait_for_readers(server_class: Any) -> None:
    original = server_class.handle_reply
    gates: WeakKeyDictionary[Any, Gate] = WeakKeyDictionary()

    @wraps(original)
    async def handle_reply(self: Any, protocol: Any, message: dict[str, Any]) -> None:
        gate = None
        if _ends_response(message):
            _take_off(gates, protocol)
        elif _may_be_followed(message) and _is_connected(self, protocol):
            # Before the write: a producer that comes when the transport is full hears nothing.
            gate = gates.get(protocol) or _put_on(gates, protocol)
        await original(self, protocol, message)
        if gate is not None:
            await gate.passed()

    setattr(handle_reply, _MARK, True)
    server_class.handle_reply = handle_reply


def _size(message: dict[str, Any]) -> int:
    payload = message.get("bytes") or message.get("text") or ""
    return len(payload) + _MESSAGE_BYTES


def _ends_response(message: dict[str, Any]) -> bool:
    return message.get("type") == "http.response.body" and not message.get("more_body", False)


def _may_be_followed(message: dict[str, Any]) -> bool:
    """Whether more may come that should wait; a response in one piece ends before that."""
    return message.get("type") in {"http.response.body", "websocket.accept", "websocket.send"}


def _is_connected(server: Any, protocol: Any) -> bool:
    """As daphne sees it: what is sent to others is dropped."""
    return "disconnected" not in server.connections.get(protocol, {"disconnected": 0.0})


def _put_on(gates: WeakKeyDictionary[Any, Gate], protocol: Any) -> Gate | None:
    """Registers a gate as the protocol's producer, if that is possible (yet, or still)."""
    gate = Gate()
    if hasattr(protocol, "requestHeaders"):
        if protocol.finished or protocol.channel is None or protocol.producer is not None:
            return None
        protocol.registerProducer(gate, True)
    else:
        # What was an HTTP connection still has its HTTP channel as the producer.
        protocol.transport.unregisterProducer()
        protocol.transport.registerProducer(gate, True)
    gates[protocol] = gate
    return gate


def _take_off(gates: WeakKeyDictionary[Any, Gate], protocol: Any) -> None:
    """Before a response's end: Twisted wants requests finished without a producer."""
    gate = gates.pop(protocol, None)
    if gate is not None and protocol.channel is not None:
        protocol.unregisterProducer()
