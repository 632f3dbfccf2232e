"""Takes the connections that come to a listening socket, and opens their sessions."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl

from rtmp_channels.server.encryption import TlsTransport
from rtmp_channels.server.listener import Listener
from rtmp_channels.server.poller import READ, make_poller
from rtmp_channels.server.transport import Receiver, TcpTransport
from rtmp_channels.transport import Peer

logger = logging.getLogger(__name__)

ACCEPTED_PER_TURN = 16
"""Connections taken before others on the loop get their turn."""

REST_SECONDS = 1.0
"""How long nobody is accepted when there is nothing left to accept with."""

_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Acceptor:
    """Accepts for one endpoint until it is closed; connections then go on."""

    def __init__(
        self,
        sock: socket.socket,
        listener: Listener,
        *,
        loop: asyncio.AbstractEventLoop,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._sock = sock
        self._listener = listener
        self._loop = loop
        self._tls = tls
        self._family, self._kind = int(sock.family), int(sock.type)
        address = sock.getsockname()[:2]
        self._address = None if address[0] in {"0.0.0.0", "::"} else address  # noqa: S104
        """Which of this host's addresses clients connect to, if it is always the same."""
        self._is_exhausted = False
        self._rest: asyncio.TimerHandle | None = None
        self._poller = make_poller(loop)
        self._poller.watch(sock.fileno(), READ, self._accept)

    def close(self) -> None:
        """Takes no more; harmless twice."""
        if self._sock.fileno() < 0:
            return
        if self._rest is not None:
            self._rest.cancel()
        self._poller.watch(self._sock.fileno(), 0, self._accept)
        self._poller.close_when_idle()
        self._sock.close()

    def _accept(self, ready: int) -> None:
        for _ in range(ACCEPTED_PER_TURN):
            try:
                # Not `accept`, which asks the kernel for what is known here.
                number, address = self._sock._accept()  # type: ignore[attr-defined]
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    self._wait(error)
                return  # nobody is there any more
            self._is_exhausted = False
            sock = socket.SocketType(self._family, self._kind, 0, fileno=number)
            sock.setblocking(False)
            self._open(sock, address[:2])

    def _open(self, sock: socket.SocketType, client: tuple[str, int]) -> None:
        listener = self._listener
        server = self._address or sock.getsockname()[:2]
        peer = Peer(listener.scheme, client, server)
        high_water = listener.settings.write_high_water
        tcp = TcpTransport(sock, self._poller, self._loop, high_water=high_water)
        receiver: Receiver | None
        if self._tls is None:
            receiver = listener.open_session(tcp, peer)
        else:
            receiver = secured = TlsTransport(tcp, self._tls)
            secured.session = listener.open_session(secured, peer)
            if secured.session is None:
                receiver = None
        if receiver is None:
            tcp.abort()
        else:
            tcp.begin(receiver)

    def _wait(self, error: OSError) -> None:
        if not self._is_exhausted:
            self._is_exhausted = True
            logger.error("%s: nobody can be accepted for now: %s", self._listener.scheme, error)
        self._poller.watch(self._sock.fileno(), 0, self._accept)
        self._rest = self._loop.call_later(REST_SECONDS, self._go_on)

    def _go_on(self) -> None:
        self._poller.watch(self._sock.fileno(), READ, self._accept)
