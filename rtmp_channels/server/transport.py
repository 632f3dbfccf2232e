"""TCP as a session's transport, on asyncio's own protocols."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from contextlib import suppress
from os import write as write_to
from typing import TYPE_CHECKING

from rtmp_channels.held_memory import held_memory
from rtmp_channels.transport import Peer, Transport

if TYPE_CHECKING:
    from rtmp_channels.server.listener import Listener
    from rtmp_channels.session import Session

# struct tcp_info (linux/tcp.h): eight bytes, then numbers of 32 bits, of which the thirteenth is
# tcpi_last_ack_recv, in milliseconds.
_LAST_ACK_RECV = struct.Struct("=I")
_LAST_ACK_RECV_AT = 8 + 12 * 4
_TCP_INFO_BYTES = _LAST_ACK_RECV_AT + 4

_NO_SOCKET = -1

RECEIVE_BUFFER_BYTES = 65_536
"""What one read takes at most; ONE buffer serves all connections of a listener."""


class TcpTransport:
    """Writes to the socket of an asyncio transport, and through the transport what is left.

    The layers between cost a player of a stream as much as the kernel's send.
    """

    __slots__ = ("_fd", "_gathers", "_is_clear", "_memory", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._memory = held_memory.get()
        self._fd = _socket_number(transport)
        self._gathers = False
        self._is_clear = self._fd >= 0
        """Whether nothing waits in the transport, which is open: then the kernel is next."""

    @property
    def buffered_bytes(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return 0 if self._is_clear else self._transport.get_write_buffer_size()

    @property
    def unread_bytes(self) -> int:
        """None: they wait in the kernel."""
        return 0

    def write(self, data: bytes, /) -> None:
        """Sends what the kernel takes, keeps the rest."""
        if self._is_clear:
            try:
                sent = write_to(self._fd, data)
            except OSError:  # full, or lost: the transport meets the same, and knows what to do
                sent = 0
            if sent == len(data):
                return
            data = data[sent:]
            self._is_clear = False  # before the transport asks for a pause: what waits is counted
        transport = self._transport
        if not transport.is_closing():
            transport.write(data)
            self._memory.grow(len(data))
        is_open = self._fd >= 0 and not transport.is_closing()
        self._is_clear = is_open and not transport.get_write_buffer_size()

    def lost(self) -> None:
        """The socket is about to be closed, and its number given to another."""
        self._fd = _NO_SOCKET
        self._gathers = False
        self._is_clear = False

    def silence(self) -> float:
        """By the last acknowledgement that the kernel got; known on Linux only."""
        if not hasattr(socket, "TCP_INFO"):
            return 0.0
        sock = self._transport.get_extra_info("socket")
        information = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
        (milliseconds,) = _LAST_ACK_RECV.unpack_from(information, _LAST_ACK_RECV_AT)
        return float(milliseconds) / 1000

    def pause_reading(self) -> None:
        """Lets the client's bytes wait in the kernel, and so in the client."""
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Goes on."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def gather(self, gathers: bool, /) -> None:
        """By SO_RCVLOWAT: the loop is woken when a buffer could be filled, when the client's window
        is, and by an end."""
        if gathers == self._gathers or self._fd < 0:
            return
        sock = self._transport.get_extra_info("socket")
        with suppress(OSError):  # a system without it
            least = RECEIVE_BUFFER_BYTES if gathers else 1
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, least)
            self._gathers = gathers

    def read_now(self) -> None:
        """One read, as the loop would do it."""
        if not self._gathers or not self._transport.is_reading():
            return
        protocol = self._transport.get_protocol()
        assert isinstance(protocol, asyncio.BufferedProtocol)
        try:
            received = os.readv(self._fd, [protocol.get_buffer(RECEIVE_BUFFER_BYTES)])
        except OSError:  # nothing is there, or the connection is lost: the loop hears of that
            return
        if received:
            protocol.buffer_updated(received)

    def close(self) -> None:
        """Closes after the last byte."""
        self.lost()
        self._transport.close()

    def abort(self) -> None:
        """Closes now."""
        self.lost()
        self._transport.abort()


class RtmpServerProtocol(asyncio.BufferedProtocol):
    """Feeds one connection's session.

    A buffered protocol, since asyncio allocates 256 KiB for each read of any other.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._session: Session | None = None
        self._tcp: TcpTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Opens a session, unless a limit forbids it."""
        assert isinstance(transport, asyncio.Transport)
        client, server = _address(transport, "peername"), _address(transport, "sockname")
        peer = Peer(self._listener.scheme, client, server)
        high_water = self._listener.settings.write_high_water
        transport.set_write_buffer_limits(high=high_water, low=high_water // 4)
        self._tcp = TcpTransport(transport)
        self._session = self._listener.open_session(self.session_transport(self._tcp), peer)
        if self._session is None:
            transport.abort()

    def session_transport(self, tcp: TcpTransport) -> Transport:
        """What the session writes to."""
        return tcp

    def get_buffer(self, sizehint: int) -> memoryview:
        """The shared buffer: what is read into it is handled before anyone else reads."""
        return self._listener.receive_buffer

    def buffer_updated(self, nbytes: int) -> None:
        """`nbytes` were read."""
        if self._session is not None:
            self.received(self._session, self._listener.receive_buffer[:nbytes])

    def received(self, session: Session, data: memoryview) -> None:
        """Hands on what was read."""
        session.data_received(bytes(data))

    def eof_received(self) -> bool:
        """The client sends no more: asyncio closes the transport."""
        return False

    def pause_writing(self) -> None:
        """The high-water mark is passed."""
        if self._session is not None:
            self._session.pause_writing()

    def resume_writing(self) -> None:
        """The low-water mark is reached."""
        if self._session is not None:
            self._session.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The last call."""
        if self._tcp is not None:
            self._tcp.lost()
        if self._session is not None:
            self._session.connection_lost(exc)


def _address(transport: asyncio.Transport, name: str) -> tuple[str, int] | None:
    address = transport.get_extra_info(name)
    return (address[0], address[1]) if isinstance(address, tuple) else None


def _socket_number(transport: asyncio.Transport) -> int:
    sock = transport.get_extra_info("socket")
    return _NO_SOCKET if sock is None else int(sock.fileno())
