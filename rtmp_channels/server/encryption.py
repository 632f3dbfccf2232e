"""TLS between a session and its TCP transport, and how connections come to have it.

Not asyncio's own TLS: that shakes hands before any limit can count the connection, and keeps a
buffer of 256 KiB for each. Here the session is open from the first byte on, with the deadline of
RTMP's handshake for both, and what it writes waits encrypted where it waits without TLS.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Callable
from contextlib import suppress

from rtmp_channels.protocol.errors import RemoteProtocolError
from rtmp_channels.server.listener import Listener
from rtmp_channels.server.transport import RtmpServerProtocol, TcpTransport
from rtmp_channels.session import Session
from rtmp_channels.transport import Transport

RECORD = 16_384
"""Bytes in the longest record (RFC 8446 §5.1). A memory BIO stays as large as it ever was, so no
more is put into one at a time."""


class TlsTransport:
    """Encrypts what the session writes, decrypts what was read; the rest is TCP's."""

    def __init__(self, tcp: TcpTransport, context: ssl.SSLContext) -> None:
        self._tcp = tcp
        self._context = context
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.is_secured = False
        """Whether the TLS handshake is over."""
        self.is_ended = False
        """Whether the client has ended TLS, or either side could not go on with it."""
        self.failure = ""
        """Why, if it broke TLS."""

    @functools.cached_property
    def _tls(self) -> ssl.SSLObject:
        """Made when the client says something: one that is refused costs nothing of it."""
        return self._context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def decrypt(self, data: memoryview) -> bytes:
        """Takes what was read; returns what it says, which may be nothing yet.

        Answers in the handshake, to requests of TLS itself, and alerts are sent. What is said
        before an end, and before a failure, is returned.
        """
        pieces: list[bytes] = []
        try:
            for start in range(0, len(data), RECORD):
                self._incoming.write(data[start : start + RECORD])
                self._read(pieces)
        except ssl.SSLError as error:
            self.is_ended = True
            self.failure = f"TLS: {error.reason or error}"
        self._send()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _read(self, pieces: list[bytes]) -> None:
        with suppress(ssl.SSLWantReadError):
            if not self.is_secured:
                self._tls.do_handshake()
                self.is_secured = True
            while piece := self._tls.read(RECORD):
                pieces.append(piece)
            self.is_ended = True

    def _send(self) -> None:
        if self._outgoing.pending:
            self._tcp.write(self._outgoing.read())

    # what the session calls: see `rtmp_channels.transport`

    @property
    def buffered_bytes(self) -> int:
        """Encrypted bytes that the kernel has not taken yet."""
        return self._tcp.buffered_bytes

    @property
    def unread_bytes(self) -> int:
        """None: what was decrypted is handed on."""
        return 0

    def write(self, data: bytes, /) -> None:
        """Encrypts and sends; dropped when TLS is over, or was never there."""
        if self.is_ended or not self.is_secured:
            return
        records: list[bytes] = []
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._tls.write(rest[:RECORD]) :]
                records.append(self._outgoing.read())
        except ssl.SSLError:
            self.abort()
            return
        self._tcp.write(b"".join(records))

    def silence(self) -> float:
        """As TCP knows."""
        return self._tcp.silence()

    def pause_reading(self) -> None:
        """Lets the client's bytes wait in the kernel."""
        self._tcp.pause_reading()

    def resume_reading(self) -> None:
        """Goes on."""
        self._tcp.resume_reading()

    def gather(self, gathers: bool, /) -> None:
        """Lets what comes wait in the kernel."""
        self._tcp.gather(gathers)

    def read_now(self) -> None:
        """Reads and decrypts it."""
        self._tcp.read_now()

    def close(self) -> None:
        """Ends TLS, and TCP after the last byte; the client's own end is not waited for."""
        if self.is_secured and not self.failure:
            self.is_ended = True
            with suppress(ssl.SSLError):  # it has queued ours and wants to read the client's
                self._tls.unwrap()
            self._send()
        self._tcp.close()

    def abort(self) -> None:
        """Closes now."""
        self.is_ended = True
        self._tcp.abort()


class RtmpsServerProtocol(RtmpServerProtocol):
    """Feeds one connection's session with what TLS says."""

    def __init__(self, listener: Listener, context: ssl.SSLContext) -> None:
        super().__init__(listener)
        self._context = context
        self._tls: TlsTransport | None = None

    def session_transport(self, tcp: TcpTransport) -> Transport:
        """TLS over TCP."""
        self._tls = TlsTransport(tcp, self._context)
        return self._tls

    def received(self, session: Session, data: memoryview) -> None:
        """Hands on what was said, if anything; a broken TLS ends the session."""
        tls = self._tls
        assert tls is not None
        plain = tls.decrypt(data)
        if tls.is_secured:  # nothing, too: whoever makes TLS answer and reads nothing is paused
            session.data_received(plain)
        if tls.failure:
            session.broken(RemoteProtocolError(tls.failure))
        elif tls.is_ended:
            tls.close()


def protocol_factory(
    listener: Listener, context: ssl.SSLContext | None
) -> Callable[[], asyncio.BufferedProtocol]:
    """What `loop.create_server` wants: makes a protocol for each connection."""
    if context is None:
        return functools.partial(RtmpServerProtocol, listener)
    return functools.partial(RtmpsServerProtocol, listener, context)
