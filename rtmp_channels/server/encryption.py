"""TLS between a session and its TCP transport.

Not asyncio's own TLS: that shakes hands before any limit can count the connection, and keeps a
buffer of 256 KiB for each. Here the session is open from the first byte on, with the deadline of
RTMP's handshake for both, and what it writes waits encrypted where it waits without TLS.
"""

from __future__ import annotations

import functools
import ssl
from contextlib import suppress

from rtmp_channels.protocol.errors import RemoteProtocolError
from rtmp_channels.server.transport import TcpTransport
from rtmp_channels.session import Session

RECORD = 16_384
"""Bytes in the longest record (RFC 8446 §5.1). A memory BIO stays as large as it ever was, so no
more is put into one at a time."""


class TlsTransport:
    """Encrypts what the session writes, decrypts what was read; the rest is TCP's."""

    session: Session | None = None
    """Whoever makes the session sets it."""

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
        tls = self._tls
        with suppress(ssl.SSLWantReadError):
            if not self.is_secured:
                tls.do_handshake()
                self.is_secured = True
            while piece := tls.read(RECORD):
                pieces.append(piece)
                # To ask in vain raises, which costs as much as the rest of reading a call does.
                if not self._incoming.pending and not tls.pending():
                    return
            self.is_ended = True

    def _send(self) -> None:
        if self._outgoing.pending:
            self._tcp.write(self._outgoing.read())

    # what TCP reports

    def data_received(self, data: bytes, /) -> None:
        """Hands on what was said, if anything; a broken TLS ends the session."""
        session = self.session
        if session is None:
            return
        plain = self.decrypt(memoryview(data))
        if self.is_secured:  # nothing, too: whoever makes TLS answer and reads nothing is paused
            session.data_received(plain)
        if self.failure:
            session.broken(RemoteProtocolError(self.failure))
        elif self.is_ended:
            self.close()

    def pause_writing(self) -> None:
        """Hands it on."""
        if self.session is not None:
            self.session.pause_writing()

    def resume_writing(self) -> None:
        """Hands it on."""
        if self.session is not None:
            self.session.resume_writing()

    def connection_lost(self, error: Exception | None, /) -> None:
        """Hands it on, and forgets the session, which holds this."""
        session, self.session = self.session, None
        if session is not None:
            session.connection_lost(error)

    # what the session calls: see `rtmp_channels.transport`

    @property
    def buffered_bytes(self) -> int:
        """Encrypted bytes that the kernel has not taken yet."""
        return self._tcp.buffered_bytes

    @property
    def unread_bytes(self) -> int:
        """None: what was decrypted is handed on."""
        return 0

    def write(self, data: bytes, /) -> int:
        """Encrypts and sends; dropped when TLS is over, or was never there."""
        if self.is_ended or not self.is_secured:
            return 0
        records: list[bytes] = []
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._tls.write(rest[:RECORD]) :]
                records.append(self._outgoing.read())
        except ssl.SSLError:
            self.abort()
            return 0
        return self._tcp.write(b"".join(records))

    def silence(self) -> float:
        """As TCP knows."""
        return self._tcp.silence()

    def pause_reading(self) -> None:
        """Lets the client's bytes wait in the kernel."""
        self._tcp.pause_reading()

    def resume_reading(self) -> None:
        """Goes on."""
        self._tcp.resume_reading()

    def join_writes(self) -> None:
        """Lets small records leave together."""
        self._tcp.join_writes()

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
