"""What `daphne -e rtmp:…` and `-e rtmps:…` open: an asyncio server on daphne's own loop."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import socket
from dataclasses import dataclass
from typing import Any

from twisted.internet import defer
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IStreamServerEndpoint
from zope.interface import implementer

from rtmp_channels import descriptors
from rtmp_channels.conf import rtmp_settings
from rtmp_channels.server.encryption import protocol_factory
from rtmp_channels.server.listener import Listener
from rtmp_channels.server.tls import Certificate

logger = logging.getLogger(__name__)

DEFAULT_BACKLOG = 1024

ACCEPTED_PER_TURN = 8
"""asyncio's `backlog` is also how many connections it accepts in one turn of the loop, before any
of them can be refused, and how many times it fails when no file is left, with a traceback each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointOptions:
    """The parts of an endpoint string."""

    port: int
    interface: str = ""
    """An address; empty: all of IPv4."""
    backlog: int = DEFAULT_BACKLOG
    """Connections that the kernel holds for us to accept."""
    reuseport: bool = False
    """Lets several processes share the port; the kernel spreads the connections."""
    certificate: Certificate | None = None

    @property
    def scheme(self) -> str:
        """ "rtmp", or "rtmps" with a certificate."""
        return "rtmps" if self.certificate else "rtmp"


@implementer(IStreamServerEndpoint)
class RtmpEndpoint:
    """Listens for RTMP and hands the connections to the daphne server of the given factory."""

    def __init__(self, reactor: Any, options: EndpointOptions) -> None:
        self._reactor = reactor
        self._options = options

    def listen(self, factory: Any) -> defer.Deferred[Any]:
        """Opens the port now: a port already taken fails before daphne serves anything.

        `factory` is daphne's HTTP factory; its `server` is all that is used of it.
        """
        options = self._options
        server = getattr(factory, "server", None)
        if server is None:
            error = TypeError("rtmp: endpoints are for daphne: its factory has a server")
            return defer.fail(error)
        try:
            certificate = options.certificate
            tls = certificate.ssl_context() if certificate is not None else None
            sock = open_socket(options)
        except OSError as error:
            return defer.fail(CannotListenError(options.interface, options.port, error))
        loop = self._reactor._asyncioEventloop
        listener = Listener(server, scheme=options.scheme, settings=rtmp_settings())
        if listener.settings.freeze_loaded:
            freeze_loaded()
        serving = loop.create_task(
            loop.create_server(
                protocol_factory(listener, tls), sock=sock, backlog=ACCEPTED_PER_TURN
            )
        )
        descriptors.allow(listener.settings.max_connections)
        port = RtmpPort(sock, serving, listener, backlog=options.backlog)
        self._reactor.addSystemEventTrigger("before", "shutdown", port.stopListening)
        return defer.Deferred.fromFuture(serving).addCallback(lambda _: port.opened())


@implementer(IListeningPort)
class RtmpPort:
    """An open RTMP endpoint, as daphne wants to see it."""

    def __init__(
        self,
        sock: socket.socket,
        serving: asyncio.Task[asyncio.Server],
        listener: Listener,
        *,
        backlog: int,
    ) -> None:
        self._sock = sock
        self._backlog = backlog
        self._address = sock.getsockname()
        self._family = sock.family
        self._serving = serving
        self._listener = listener

    def opened(self) -> RtmpPort:
        """Says in the log which port is whose: daphne's own line does not."""
        self._sock.listen(self._backlog)  # asyncio has just made it ACCEPTED_PER_TURN
        host, port = self._address[:2]
        logger.info("Serving %s on %s:%s", self._listener.scheme, host, port)
        return self

    def getHost(self) -> IPv4Address | IPv6Address:
        """Where it listens."""
        address_class = IPv6Address if self._family == socket.AF_INET6 else IPv4Address
        return address_class("TCP", self._address[0], self._address[1])

    def startListening(self) -> None:
        """It does already."""

    def stopListening(self) -> None:
        """Takes no more connections; those that are open go on."""
        if self._serving.done() and not self._serving.cancelled():
            self._serving.result().close()
        else:
            self._serving.cancel()


@functools.cache
def freeze_loaded() -> None:
    """Leaves what is loaded by now out of later garbage collections; once in a process.

    Every connection makes objects enough to have them run, and each would go through all of Django:
    a third of what a connection costs.
    """
    gc.collect()
    gc.freeze()


def open_socket(options: EndpointOptions) -> socket.socket:
    """Binds and listens; raises OSError, when the port is taken for example."""
    family = socket.AF_INET6 if ":" in options.interface else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if options.reuseport:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind((options.interface, options.port))
        sock.listen(options.backlog)
    except OSError:
        sock.close()
        raise
    return sock
