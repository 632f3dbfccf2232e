"""TCP as a session's transport: a socket, without asyncio's layers between."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections import deque
from contextlib import suppress
from itertools import islice
from os import write as write_to
from typing import Protocol

from rtmp_channels.held_memory import held_memory
from rtmp_channels.server.poller import READ, RECEIVE_BUFFER_BYTES, WRITE, Poller

logger = logging.getLogger(__name__)

# struct tcp_info (linux/tcp.h): eight bytes, then numbers of 32 bits, of which the thirteenth is
# tcpi_last_ack_recv, in milliseconds.
_LAST_ACK_RECV = struct.Struct("=I")
_LAST_ACK_RECV_AT = 8 + 12 * 4
_TCP_INFO_BYTES = _LAST_ACK_RECV_AT + 4

_NO_SOCKET = -1

_PIECES_PER_SEND = 64


class Receiver(Protocol):
    """Whom a transport reports to: a session, or what stands before it."""

    def data_received(self, data: bytes, /) -> None:
        """This was read."""

    def pause_writing(self) -> None:
        """More waits than the high-water mark."""

    def resume_writing(self) -> None:
        """No more than a quarter of that waits."""

    def connection_lost(self, error: Exception | None, /) -> None:
        """The socket is closed: the last call, and never from within a call of the transport's."""


class TcpTransport:
    """Sends at once what the kernel takes, and keeps the rest until it takes more."""

    __slots__ = (
        "_fd",
        "_gathers",
        "_high_water",
        "_interest",
        "_is_clear",
        "_is_closing",
        "_is_full",
        "_is_reading",
        "_loop",
        "_poller",
        "_receiver",
        "_sock",
        "_unsent",
        "_unsent_bytes",
    )

    def __init__(
        self,
        sock: socket.SocketType,
        poller: Poller,
        loop: asyncio.AbstractEventLoop,
        *,
        high_water: int,
    ) -> None:
        self._sock = sock
        self._fd = sock.fileno()
        self._poller = poller
        self._loop = loop
        self._high_water = high_water
        self._receiver: Receiver | None = None
        self._gathers = False
        self._interest = 0
        self._is_clear = True
        """Whether nothing waits, and the socket is open: then the kernel is next."""
        self._is_closing = False
        self._is_full = False
        """Whether the receiver has been asked for a pause."""
        self._is_reading = True
        self._unsent: deque[bytes | memoryview] | None = None
        self._unsent_bytes = 0

    def begin(self, receiver: Receiver) -> None:
        """Reports to it from now on; what has come already is read now."""
        self._receiver = receiver
        self._watch()
        self._read()

    # what the session calls: see `rtmp_channels.transport`

    @property
    def buffered_bytes(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return self._unsent_bytes

    @property
    def unread_bytes(self) -> int:
        """None: they wait in the kernel."""
        return 0

    def write(self, data: bytes, /) -> int:
        """Sends what the kernel takes, keeps the rest."""
        if self._is_clear:
            try:
                sent = write_to(self._fd, data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self._lose(error)
                return 0
            if sent == len(data):
                return 0
            data = data[sent:]
            self._is_clear = False
        if not self._is_closing:
            self._keep(data)
        return self._unsent_bytes

    def silence(self) -> float:
        """By the last acknowledgement that the kernel got; known on Linux only."""
        if self._fd < 0 or not hasattr(socket, "TCP_INFO"):
            return 0.0
        information = self._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
        (milliseconds,) = _LAST_ACK_RECV.unpack_from(information, _LAST_ACK_RECV_AT)
        return float(milliseconds) / 1000

    def pause_reading(self) -> None:
        """Lets the client's bytes wait in the kernel, and so in the client."""
        self._is_reading = False
        self._watch()

    def resume_reading(self) -> None:
        """Goes on."""
        self._is_reading = not self._is_closing
        self._watch()

    def join_writes(self) -> None:
        """By Nagle's algorithm (RFC 896): a stream's next packet is never far."""
        if self._fd >= 0:
            with suppress(OSError):  # no TCP
                self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)

    def gather(self, gathers: bool, /) -> None:
        """By SO_RCVLOWAT: the loop is woken when a buffer could be filled, when the client's window
        is, and by an end."""
        if gathers == self._gathers or self._fd < 0:
            return
        with suppress(OSError):  # a system without it
            least = RECEIVE_BUFFER_BYTES if gathers else 1
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, least)
            self._gathers = gathers

    def read_now(self) -> None:
        """One read, as the poller would have it done."""
        if not self._gathers or not self._is_reading:
            return
        try:
            size = self._sock.recv_into(self._poller.receive_buffer)
        except OSError:  # nothing is there, or the connection is lost: the poller hears of that
            return
        if size:
            self._hand_on(size)

    def close(self) -> None:
        """Closes after the last byte."""
        if self._unsent is None:
            self._lose(None)
        elif not self._is_closing:
            self._is_closing = True
            self.pause_reading()

    def abort(self) -> None:
        """Closes now."""
        self._lose(None)

    # what the poller calls

    def _ready(self, events: int) -> None:
        if self._is_reading and events != WRITE:
            self._read()
        if self._unsent is not None and events != READ:
            self._send_rest(self._unsent)

    def _read(self) -> None:
        if self._fd < 0:
            return
        try:
            size = self._sock.recv_into(self._poller.receive_buffer)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(error)
            return
        if size:
            self._hand_on(size)
        elif self._unsent is None:
            self._end(None)
        else:  # it may still read what waits
            self.close()

    def _hand_on(self, size: int) -> None:
        receiver = self._receiver
        if receiver is None:
            return
        try:
            receiver.data_received(bytes(self._poller.receive_buffer[:size]))
        except Exception as failure:
            logger.exception("What a client sent could not be handled")
            self._lose(failure)

    def _send_rest(self, unsent: deque[bytes | memoryview]) -> None:
        try:
            sent = self._sock.sendmsg(islice(unsent, _PIECES_PER_SEND))
        except BlockingIOError:
            return
        except OSError as error:
            self._end(error)
            return
        self._unsent_bytes -= sent
        while unsent and sent >= len(unsent[0]):
            sent -= len(unsent.popleft())
        if sent:
            unsent[0] = memoryview(unsent[0])[sent:]
        if not unsent:
            self._all_sent()
        if self._is_full and self._unsent_bytes <= self._high_water // 4:
            self._is_full = False
            if self._receiver is not None:
                self._receiver.resume_writing()

    # what both come to

    def _keep(self, data: bytes) -> None:
        if self._unsent is None:
            self._unsent = deque()
        self._unsent.append(data)
        self._unsent_bytes += len(data)
        held_memory.get().grow(len(data))
        self._watch()
        if not self._is_full and self._unsent_bytes > self._high_water:
            self._is_full = True
            if self._receiver is not None:
                self._receiver.pause_writing()

    def _all_sent(self) -> None:
        self._unsent = None
        if self._is_closing:
            self._end(None)
        else:
            self._is_clear = True
            self._watch()

    def _watch(self) -> None:
        """Tells the poller what the socket is waited for, if that has changed."""
        interest = (READ if self._is_reading else 0) | (0 if self._unsent is None else WRITE)
        if interest == self._interest or self._fd < 0:
            return
        self._interest = interest
        try:
            self._poller.watch(self._fd, interest, self._ready)
        except OSError as error:
            self._lose(error)

    def _lose(self, error: Exception | None) -> None:
        """Closes the socket, and says so when whoever called has returned."""
        if self._fd >= 0:
            self._drop()
            self._loop.call_soon(self._report, error)

    def _end(self, error: Exception | None) -> None:
        """Closes the socket and says so now: the poller called, nobody of ours."""
        self._drop()
        self._report(error)

    def _drop(self) -> None:
        """Closes the socket, whose number may be another's from now on."""
        number, self._fd = self._fd, _NO_SOCKET
        self._is_clear, self._is_closing, self._is_reading = False, True, False
        self._unsent, self._unsent_bytes = None, 0
        self._poller.watch(number, 0, self._ready)
        self._sock.close()

    def _report(self, error: Exception | None) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.connection_lost(error)
