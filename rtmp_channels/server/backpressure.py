"""Makes daphne's `send` wait for slow readers over HTTP and WebSocket.

daphne writes whatever an application sends into the transport's buffer, however full it is. Here
every reply passes a gate that Twisted shuts (as it would a producer) while the transport holds more
than it likes, 64 KiB, and opens when that has left.
"""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

_MARK = "_waits_for_readers"


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


def install_backpressure(server_class: Any) -> None:
    """Wraps `handle_reply` of daphne's server class, once."""
    original = server_class.handle_reply
    if hasattr(original, _MARK):
        return
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
