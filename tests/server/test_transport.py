"""How bytes of sessions reach sockets, and how those of clients reach sessions."""

import asyncio
import os
import select
import socket
import struct

import pytest

from rtmp_channels.server.poller import READ, RECEIVE_BUFFER_BYTES, Epoll, LoopPoller, make_poller
from rtmp_channels.server.transport import TcpTransport

PIECES = [bytes([number]) * 10_000 for number in range(200)]
WHOLE = b"".join(PIECES)
HIGH_WATER = 50_000
BUFFER = 65_536
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER's value with which closing is a reset."""


class Receiver:
    """Remembers what a transport reported."""

    def __init__(self):
        self.tcp = None
        self.received = b""
        self.pauses = []
        """What waited whenever a pause was asked for."""
        self.resumed = 0
        self.lost = asyncio.get_running_loop().create_future()
        self.answer = lambda data: None

    def data_received(self, data):
        assert not self.lost.done()
        self.received += data
        self.answer(data)

    def pause_writing(self):
        self.pauses.append(self.tcp.buffered_bytes)

    def resume_writing(self):
        self.resumed += 1

    def connection_lost(self, error):
        self.lost.set_result(error)  # InvalidStateError if it comes twice

    async def heard(self, data):
        async with asyncio.timeout(20):
            while self.received != data:
                await asyncio.sleep(0.001)


class Connection:
    """A transport of ours, whom it reports to, and the client's end of its socket."""

    def __init__(self, poller, ours, theirs):
        theirs.setblocking(False)
        ours.setblocking(False)
        loop = asyncio.get_running_loop()
        self.theirs, self.receiver = theirs, Receiver()
        self.tcp = TcpTransport(ours, poller, loop, high_water=HIGH_WATER)
        self.receiver.tcp = self.tcp

    def begin(self):
        self.tcp.begin(self.receiver)

    async def read(self, size):
        loop = asyncio.get_running_loop()
        data = b""
        async with asyncio.timeout(20):
            while len(data) < size:
                piece = await loop.sock_recv(self.theirs, 65_536)
                assert piece
                data += piece
        return data

    async def read_end(self):
        async with asyncio.timeout(20):
            return await asyncio.get_running_loop().sock_recv(self.theirs, 10)

    async def lost(self):
        async with asyncio.timeout(20):
            return await self.receiver.lost


def accepted():
    """Both ends of a TCP connection, which takes less than WHOLE."""
    theirs = socket.socket()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        theirs.connect(listening.getsockname())
        ours = listening.accept()[0]
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    return ours, theirs


@pytest.fixture(params=[Epoll, LoopPoller])
async def poller(request):
    if request.param is Epoll and not hasattr(select, "epoll"):
        pytest.skip("epoll is Linux's")
    poller = request.param(asyncio.get_running_loop())
    yield poller
    poller.close_when_idle()


@pytest.fixture
async def waiting(poller):
    """A connection that has not begun."""
    connection = Connection(poller, *accepted())
    yield connection
    connection.tcp.abort()
    connection.theirs.close()
    await asyncio.sleep(0)


@pytest.fixture
def begun(waiting):
    waiting.begin()
    return waiting


async def test_what_the_kernel_takes_has_left(begun):
    assert begun.tcp.write(b"now") == 0
    assert begun.theirs.recv(10) == b"now"
    assert begun.tcp.buffered_bytes == 0


async def test_what_came_before_the_beginning_is_read_at_once(waiting):
    waiting.theirs.send(b"first")
    select.select([waiting.tcp._sock], [], [], 20)
    waiting.begin()
    assert waiting.receiver.received == b"first"


async def test_what_comes_is_handed_on_in_order(begun):
    await asyncio.get_running_loop().sock_sendall(begun.theirs, WHOLE)
    await begun.receiver.heard(WHOLE)


async def test_order_is_kept_when_the_kernel_is_full(begun):
    waiting = [begun.tcp.write(piece) for piece in PIECES]
    assert waiting[-1] == begun.tcp.buffered_bytes > 0
    assert await begun.read(len(WHOLE)) == WHOLE
    begun.tcp.write(b"behind it")
    assert await begun.read(9) == b"behind it"
    assert begun.tcp.buffered_bytes == 0


async def test_one_large_piece_leaves_in_parts(begun):
    begun.tcp.write(WHOLE * 5)
    assert begun.tcp.buffered_bytes > 0
    assert await begun.read(5 * len(WHOLE)) == WHOLE * 5


async def test_a_pause_is_asked_for_once_and_taken_back_when_enough_has_left(begun):
    """What waits is counted by then: else a slow client would seem to read nothing."""
    for piece in PIECES * 3:
        begun.tcp.write(piece)
    [waited] = begun.receiver.pauses
    assert HIGH_WATER < waited <= HIGH_WATER + len(PIECES[0])
    assert begun.receiver.resumed == 0
    await begun.read(3 * len(WHOLE))
    assert begun.receiver.resumed == 1


async def test_nothing_is_read_during_a_pause(begun):
    begun.tcp.pause_reading()
    begun.tcp.pause_reading()
    begun.theirs.send(b"later")
    await turns()
    assert begun.receiver.received == b""
    begun.tcp.resume_reading()
    begun.tcp.resume_reading()
    await begun.receiver.heard(b"later")


async def test_what_waits_is_sent_during_a_pause_of_reading(begun):
    for piece in PIECES:
        begun.tcp.write(piece)
    begun.tcp.pause_reading()
    assert await begun.read(len(WHOLE)) == WHOLE


async def test_closing_sends_what_waits_and_nothing_more(begun):
    for piece in PIECES:
        begun.tcp.write(piece)
    begun.tcp.close()
    begun.tcp.close()
    begun.tcp.write(b"too late")
    begun.tcp.resume_reading()
    assert not begun.receiver.lost.done()
    assert await begun.read(len(WHOLE)) == WHOLE
    assert await begun.read_end() == b""
    assert await begun.lost() is None


async def test_closing_with_nothing_unsent_is_reported_in_a_later_turn(begun):
    begun.tcp.close()
    begun.tcp.close()
    begun.tcp.abort()
    assert not begun.receiver.lost.done()
    assert await begun.lost() is None
    assert await begun.read_end() == b""


async def test_aborting_drops_what_waits(begun):
    for piece in PIECES:
        begun.tcp.write(piece)
    begun.tcp.abort()
    assert begun.tcp.buffered_bytes == 0
    assert await begun.lost() is None


async def test_what_is_refused_before_it_began_is_closed_and_reports_to_nobody(waiting):
    waiting.tcp.abort()
    assert await waiting.read_end() == b""
    assert not waiting.receiver.lost.done()


async def test_a_transport_closed_before_it_began_reports_that(waiting):
    waiting.tcp.close()
    waiting.begin()
    assert await waiting.lost() is None


@pytest.mark.parametrize("gathers", [False, True])
async def test_a_client_that_ends_is_lost_with_what_came_before(begun, gathers):
    begun.tcp.gather(gathers)
    begun.theirs.send(b"last")
    begun.theirs.close()
    assert await begun.lost() is None
    assert begun.receiver.received == b"last"


async def test_a_client_that_sends_no_more_still_gets_what_waits(begun):
    for piece in PIECES:
        begun.tcp.write(piece)
    begun.theirs.shutdown(socket.SHUT_WR)
    assert await begun.read(len(WHOLE)) == WHOLE
    assert await begun.lost() is None


def reset(connection):
    connection.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.theirs.close()


async def test_a_reset_while_reading(begun):
    reset(begun)
    assert isinstance(await begun.lost(), ConnectionResetError)


async def test_a_reset_before_it_began(waiting):
    reset(waiting)
    select.select([waiting.tcp._sock], [], [], 20)
    waiting.begin()
    assert isinstance(await waiting.lost(), ConnectionResetError)


async def test_a_reset_while_bytes_wait(begun):
    for piece in PIECES:
        begun.tcp.write(piece)
    begun.tcp.pause_reading()
    reset(begun)
    assert isinstance(await begun.lost(), OSError)
    assert begun.tcp.buffered_bytes == 0


async def test_a_reset_while_closing(begun):
    for piece in PIECES:
        begun.tcp.write(piece)
    begun.tcp.close()
    reset(begun)
    assert isinstance(await begun.lost(), OSError)


async def test_a_reset_during_a_pause_is_met_by_the_next_write(begun):
    begun.tcp.pause_reading()
    reset(begun)
    select.select([begun.tcp._sock], [], [], 20)
    for _ in range(3):
        begun.tcp.write(b"to nobody")
    assert not begun.receiver.lost.done()
    assert isinstance(await begun.lost(), OSError)


async def test_a_receiver_that_closes_while_it_is_handed_something(begun):
    begun.receiver.answer = lambda data: (begun.tcp.write(b"bye"), begun.tcp.close())
    begun.theirs.send(b"hello")
    assert await begun.lost() is None
    assert await begun.read(3) == b"bye"
    assert await begun.read_end() == b""


async def test_a_receiver_that_fails_is_logged_and_loses_its_connection(begun, caplog):
    failure = RuntimeError("broken")

    def fail(data):
        raise failure

    begun.receiver.answer = fail
    begun.theirs.send(b"hello")
    assert await begun.lost() is failure
    assert "could not be handled" in caplog.text


async def test_a_lost_connection_touches_no_socket_that_has_its_number(begun, poller):
    number = begun.tcp._fd
    begun.tcp.abort()
    await begun.lost()
    innocent, other = socket.socketpair()
    with innocent, other:
        if number not in (innocent.fileno(), other.fileno()):
            os.dup2(innocent.fileno(), number)
        begun.tcp.write(b"stray")
        begun.tcp.pause_reading()
        begun.tcp.resume_reading()
        begun.tcp.close()
        assert begun.tcp.silence() == 0.0
        innocent.sendall(b"mine")
        other.sendall(b"mine")
        assert (innocent.recv(100), other.recv(100)) == (b"mine", b"mine")
        if number not in (innocent.fileno(), other.fileno()):
            os.close(number)


async def test_small_writes_may_wait_for_each_other(begun):
    begun.tcp._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    begun.tcp.join_writes()
    assert not begun.tcp._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    begun.tcp.abort()
    begun.tcp.join_writes()


async def test_one_that_was_paused_goes_on_when_all_others_have_gone(poller, begun):
    begun.tcp.pause_reading()
    poller.close_when_idle()
    begun.theirs.send(b"later")
    begun.tcp.resume_reading()
    await begun.receiver.heard(b"later")


@pytest.fixture
def gathering(begun):
    begun.tcp.gather(True)
    return begun


async def turns(count=20):
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_comes_waits_until_it_is_asked_for(gathering):
    gathering.tcp.read_now()
    for piece in (b"one", b"two"):
        gathering.theirs.send(piece)
        await turns()
    assert gathering.receiver.received == b""
    gathering.tcp.read_now()
    assert gathering.receiver.received == b"onetwo"


async def test_much_is_read_unasked(gathering):
    await asyncio.get_running_loop().sock_sendall(gathering.theirs, bytes(RECEIVE_BUFFER_BYTES))
    async with asyncio.timeout(20):
        while not gathering.receiver.received:
            await asyncio.sleep(0.001)


async def test_an_end_that_is_met_when_asked_is_reported_later(gathering):
    gathering.theirs.close()
    select.select([gathering.tcp._sock], [], [], 20)
    gathering.tcp.read_now()
    assert not gathering.receiver.lost.done()
    assert await gathering.lost() is None


async def test_who_is_paused_or_gathers_no_more_is_not_asked(gathering):
    gathering.tcp.pause_reading()
    gathering.theirs.send(b"later")
    gathering.tcp.read_now()
    assert gathering.receiver.received == b""
    gathering.tcp.gather(False)
    gathering.tcp.resume_reading()
    await gathering.receiver.heard(b"later")
    gathering.theirs.send(b"for the loop")
    gathering.tcp.read_now()
    assert gathering.receiver.received == b"later"


async def test_a_closed_transport_gathers_nothing(gathering):
    gathering.theirs.send(b"too late")
    gathering.tcp.abort()
    gathering.tcp.gather(True)
    gathering.tcp.read_now()
    assert gathering.receiver.received == b""


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="Linux knows")
async def test_silence_is_short_after_an_acknowledgement(begun):
    begun.tcp.write(b"confirm this")
    assert await begun.read(12) == b"confirm this"
    assert 0 <= begun.tcp.silence() < 20


async def test_what_cannot_be_watched_is_lost(waiting, monkeypatch):
    """The kernel's limit on what one user's processes watch, for example."""

    def refuse(number, interest, handler):
        if interest:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(waiting.tcp._poller, "watch", refuse)
    waiting.begin()
    assert (await waiting.lost()).errno == 28


async def test_a_handler_that_fails_leaves_the_others_their_turn(caplog):
    poller = make_poller(asyncio.get_running_loop())
    pairs = [socket.socketpair() for _ in range(2)]
    called = [asyncio.Event(), asyncio.Event()]

    def fail_after(event):
        def handler(ready):
            event.set()
            raise RuntimeError("broken")

        return handler

    for (ours, theirs), event in zip(pairs, called, strict=True):
        poller.watch(ours.fileno(), READ, fail_after(event))
        theirs.send(b"x")
    async with asyncio.timeout(20):
        await asyncio.gather(*(event.wait() for event in called))
    assert "could not be handled" in caplog.text
    poller.close_when_idle()
    for ours, theirs in pairs:
        poller.watch(ours.fileno(), 0, print)
        ours.close()
        theirs.close()
    assert poller._epoll.closed
