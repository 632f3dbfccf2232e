"""What `daphne -e rtmp:…` and `-e rtmps:…` open, on daphne's own loop."""

from __future__ import annotations

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
from rtmp_channels.server.acceptor import Acceptor
from rtmp_channels.server.listener import Listener
from rtmp_channels.server.tls import Certificate

logger = logging.getLogger(__name__)

DEFAULT_BACKLOG = 1024


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
        collect_rarely(listener.settings.gc_threshold)
        descriptors.allow(listener.settings.max_connections)
        acceptor = Acceptor(sock, listener, loop=loop, tls=tls)
        port = RtmpPort(sock.getsockname(), acceptor)
        self._reactor.addSystemEventTrigger("before", "shutdown", port.stopListening)
        opened: defer.Deferred[RtmpPort] = defer.Deferred()
        loop.call_soon(opened.callback, port)  # when it runs
        return opened.addCallback(_named, options.scheme)


@implementer(IListeningPort)
class RtmpPort:
    """An open RTMP endpoint, as daphne wants to see it."""

    def __init__(self, address: tuple[Any, ...], acceptor: Acceptor) -> None:
        self._address = address
        self._acceptor = acceptor

    def getHost(self) -> IPv4Address | IPv6Address:
        """Where it listens."""
        address_class = IPv6Address if ":" in self._address[0] else IPv4Address
        return address_class("TCP", self._address[0], self._address[1])

    def startListening(self) -> None:
        """It does already."""

    def stopListening(self) -> None:
        """Takes no more connections; those that are open go on."""
        self._acceptor.close()


def _named(port: RtmpPort, scheme: str) -> RtmpPort:
    """Says in the log which port is whose: daphne's own line does not."""
    address = port.getHost()
    logger.info("Serving %s on %s:%s", scheme, address.host, address.port)
    return port


@functools.cache
def freeze_loaded() -> None:
    """Leaves what is loaded by now out of later garbage collections; once in a process.

    Every connection makes objects enough to have them run, and each would go through all of Django:
    a third of what a connection costs.
    """
    gc.collect()
    gc.freeze()


def collect_rarely(threshold: int) -> None:
    """Has garbage collections wait for `threshold` new objects, unless they wait for more already.

    Open connections consist of objects, and leave no cycles when they end: collections that come
    with every seventh of them look at all the others for nothing.
    """
    now, *older = gc.get_threshold()
    if 0 < now < threshold:
        gc.set_threshold(threshold, *older)


def open_socket(options: EndpointOptions) -> socket.socket:
    """Binds and listens; raises OSError, when the port is taken for example."""
    family = socket.AF_INET6 if ":" in options.interface else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted sockets have it from this one, until they play a stream. Without it a small write
        # waits for the client's acknowledgement of the last, which it may delay by 40 ms.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
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
