"""How bytes of sessions reach sockets."""

import asyncio
import os
import socket
from types import SimpleNamespace

import pytest

from rtmp_channels.server.transport import (
    RECEIVE_BUFFER_BYTES,
    RtmpServerProtocol,
    TcpTransport,
)

PIECES = [bytes([number]) * 10_000 for number in range(200)]


@pytest.fixture
async def pair():
    """A transport of ours, and the client's end of its socket."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, ours)
    yield TcpTransport(transport), theirs
    if not transport.is_closing():
        transport.abort()
    theirs.close()
    await asyncio.sleep(0)


async def read(theirs, size):
    loop = asyncio.get_running_loop()
    data = b""
    while len(data) < size:
        piece = await loop.sock_recv(theirs, 65_536)
        assert piece
        data += piece
    return data


async def test_what_the_kernel_takes_has_left(pair):
    tcp, theirs = pair
    tcp.write(b"now")
    assert theirs.recv(10) == b"now"
    assert tcp.buffered_bytes == 0


async def test_order_is_kept_when_the_kernel_is_full(pair):
    tcp, theirs = pair
    for piece in PIECES:
        tcp.write(piece)
    assert tcp.buffered_bytes > 0
    whole = b"".join(PIECES)
    assert await read(theirs, len(whole)) == whole
    tcp.write(b"behind it")
    assert await read(theirs, 9) == b"behind it"
    assert tcp.buffered_bytes == 0


async def test_what_waits_is_counted_when_a_pause_is_asked_for(pair):
    """Else a client that reads slowly would seem to read nothing."""
    tcp, _ = pair
    waiting = []

    class Pausing(asyncio.Protocol):
        def pause_writing(self):
            waiting.append(tcp.buffered_bytes)

    tcp._transport.set_protocol(Pausing())
    tcp.write(b"".join(PIECES))
    assert waiting == [tcp.buffered_bytes]
    assert waiting[0] > 0


async def test_closing_sends_what_waits_and_nothing_more(pair):
    tcp, theirs = pair
    for piece in PIECES:
        tcp.write(piece)
    tcp.close()
    tcp.write(b"too late")
    whole = b"".join(PIECES)
    assert await read(theirs, len(whole)) == whole
    assert await asyncio.get_running_loop().sock_recv(theirs, 10) == b""


async def test_the_number_of_a_closed_socket_is_not_written_to(pair, monkeypatch):
    """By then it may be another's."""
    tcp, _ = pair
    tcp.abort()
    monkeypatch.setattr(os, "write", pytest.fail)
    tcp.write(b"not for you")


async def test_a_client_that_is_gone_is_the_transports_affair(pair):
    tcp, theirs = pair
    theirs.close()
    for _ in range(3):
        tcp.write(b"to nobody")
    await asyncio.sleep(0)
    assert tcp._transport.is_closing()


async def test_a_lost_connection_writes_to_no_socket_that_has_its_number():
    ours, theirs = socket.socketpair()
    opened = []
    listener = SimpleNamespace(
        scheme="rtmp",
        settings=SimpleNamespace(write_high_water=1_000),
        open_session=lambda transport, peer: opened.append(transport),  # None: refused, and aborted
    )
    loop, number = asyncio.get_running_loop(), ours.fileno()
    await loop.connect_accepted_socket(lambda: RtmpServerProtocol(listener), ours)
    while ours.fileno() >= 0:
        await asyncio.sleep(0)
    innocent, other = socket.socketpair()
    with theirs, innocent, other:
        if number not in (innocent.fileno(), other.fileno()):
            os.dup2(innocent.fileno(), number)
        (tcp,) = opened
        tcp.write(b"stray")
        innocent.sendall(b"mine")
        other.sendall(b"mine")
        assert (innocent.recv(100), other.recv(100)) == (b"mine", b"mine")
        if number not in (innocent.fileno(), other.fileno()):
            os.close(number)


class Reading(asyncio.BufferedProtocol):
    """Keeps what was read, and says so."""

    def __init__(self):
        self.buffer = bytearray(RECEIVE_BUFFER_BYTES)
        self.pieces = []
        self.has_read = asyncio.Event()
        self.is_over = asyncio.Event()

    def get_buffer(self, sizehint):
        return memoryview(self.buffer)

    def buffer_updated(self, nbytes):
        self.pieces.append(bytes(self.buffer[:nbytes]))
        self.has_read.set()

    def connection_lost(self, exc):
        self.is_over.set()


@pytest.fixture
async def gathering():
    """A transport over TCP that gathers, what its protocol reads, and the client's end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_accepted_socket(Reading, ours)
    tcp = TcpTransport(transport)
    tcp.gather(True)
    yield tcp, protocol, theirs
    transport.abort()
    theirs.close()
    await asyncio.wait_for(protocol.is_over.wait(), 5)


async def turns(count=20):
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_comes_waits_until_it_is_asked_for(gathering):
    tcp, protocol, theirs = gathering
    tcp.read_now()
    for piece in (b"one", b"two"):
        theirs.sendall(piece)
        await turns()
    assert protocol.pieces == []
    tcp.read_now()
    assert protocol.pieces == [b"onetwo"]


async def test_much_is_read_unasked(gathering):
    _, protocol, theirs = gathering
    theirs.sendall(bytes(RECEIVE_BUFFER_BYTES))
    await asyncio.wait_for(protocol.has_read.wait(), 5)
    assert sum(map(len, protocol.pieces)) > 1


async def test_an_end_is_heard_of_with_what_came_before(gathering):
    _, protocol, theirs = gathering
    theirs.sendall(b"bye")
    theirs.close()
    await asyncio.wait_for(protocol.is_over.wait(), 5)
    assert protocol.pieces == [b"bye"]


async def test_who_is_paused_or_gathers_no_more_is_not_asked(gathering):
    tcp, protocol, theirs = gathering
    tcp.pause_reading()
    theirs.sendall(b"later")
    tcp.read_now()
    assert protocol.pieces == []
    tcp.gather(False)
    tcp.resume_reading()
    await asyncio.wait_for(protocol.has_read.wait(), 5)
    theirs.sendall(b"for the loop")
    tcp.read_now()
    assert protocol.pieces == [b"later"]


async def test_a_closed_transport_gathers_nothing(gathering):
    tcp, protocol, theirs = gathering
    theirs.sendall(b"too late")
    tcp.abort()
    tcp.gather(True)
    tcp.read_now()
    assert protocol.pieces == []
