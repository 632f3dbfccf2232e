"""How connections that come to a port become sessions."""

import asyncio
import errno
import socket
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from rtmp_channels.server import acceptor
from rtmp_channels.server.acceptor import ACCEPTED_PER_TURN, Acceptor

PATIENCE = 20


class Session:
    """Answers what it is sent."""

    def __init__(self, transport, peer):
        self.transport, self.peer = transport, peer
        self.lost = asyncio.Event()

    def data_received(self, data):
        self.transport.write(b"heard " + data)

    def connection_lost(self, error):
        self.lost.set()


class Listener:
    """Opens sessions until it is told to refuse."""

    scheme = "rtmp"
    settings = SimpleNamespace(write_high_water=1_000)

    def __init__(self):
        self.sessions, self.refuses = [], False
        self.asked = 0

    def open_session(self, transport, peer):
        self.asked += 1
        if self.refuses:
            return None
        self.sessions.append(Session(transport, peer))
        return self.sessions[-1]


class Exhausted:
    """A listening socket for whose connections there are no files for a while."""

    def __init__(self, sock, failures):
        self._sock, self._failures = sock, failures

    def __getattr__(self, name):
        return getattr(self._sock, name)

    def _accept(self):
        if self._failures:
            raise OSError(self._failures.pop(), "no")
        return self._sock._accept()


@pytest.fixture
async def serve():
    """Serves a listener on a free port, with a socket that may be one's own making."""
    with ExitStack() as stack:
        acceptors = []

        def start(listener, make=lambda sock: sock, host="127.0.0.1"):
            sock = stack.enter_context(socket.create_server((host, 0), backlog=100))
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            acceptors.append(Acceptor(make(sock), listener, loop=loop))
            return acceptors[-1], sock.getsockname()[1]

        listeners = []
        yield (
            lambda listener, *rest, **more: (
                listeners.append(listener) or start(listener, *rest, **more)
            )
        )
        for each in acceptors:
            each.close()
        for listener in listeners:
            for session in listener.sessions:
                session.transport.abort()
        await asyncio.sleep(0)


@pytest.fixture
def connect():
    with ExitStack() as stack:

        def connect(port):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            sock.setblocking(False)
            return sock

        yield connect


async def receive(sock):
    async with asyncio.timeout(PATIENCE):
        return await asyncio.get_running_loop().sock_recv(sock, 100)


async def test_more_than_one_turn_takes(serve, connect):
    listener = Listener()
    _, port = serve(listener)
    clients = [connect(port) for _ in range(2 * ACCEPTED_PER_TURN + 1)]
    for number, client in enumerate(clients):
        client.send(b"%d" % number)
    for number, client in enumerate(clients):
        assert await receive(client) == b"heard %d" % number
    peers = {str(session.peer) for session in listener.sessions}
    assert peers == {f"rtmp 127.0.0.1:{client.getsockname()[1]}" for client in clients}
    assert {session.peer.server for session in listener.sessions} == {("127.0.0.1", port)}


async def test_on_all_addresses_each_connection_knows_its_own(serve, connect):
    listener = Listener()
    _, port = serve(listener, host="0.0.0.0")
    client = connect(port)
    client.send(b"x")
    await receive(client)
    assert listener.sessions[0].peer.server == ("127.0.0.1", port)


async def test_who_is_refused_is_closed_and_the_next_is_served(serve, connect):
    listener = Listener()
    listener.refuses = True
    _, port = serve(listener)
    assert await receive(connect(port)) == b""
    listener.refuses = False
    client = connect(port)
    client.send(b"me")
    assert await receive(client) == b"heard me"


async def test_without_files_all_wait_and_one_line_says_so(serve, connect, monkeypatch, caplog):
    monkeypatch.setattr(acceptor, "REST_SECONDS", 0.01)
    failures = [errno.EMFILE, errno.ENFILE, errno.ENOBUFS]
    _, port = serve(Listener(), lambda sock: Exhausted(sock, failures))
    client = connect(port)
    client.send(b"patient")
    assert await receive(client) == b"heard patient"
    assert failures == []
    [line] = caplog.messages
    assert "rtmp: nobody can be accepted for now" in line


async def test_a_client_gone_before_it_is_accepted_is_no_news(serve, connect, caplog):
    failures = [errno.ECONNABORTED, errno.EPROTO]
    _, port = serve(Listener(), lambda sock: Exhausted(sock, failures))
    client = connect(port)
    client.send(b"me")
    assert await receive(client) == b"heard me"
    assert caplog.messages == []


async def test_closed_while_it_rests(serve, connect, caplog):
    listener = Listener()
    closing, port = serve(listener, lambda sock: Exhausted(sock, [errno.EMFILE]))
    client = connect(port)
    while not caplog.messages:
        await asyncio.sleep(0.001)
    closing.close()
    with pytest.raises(ConnectionResetError):
        await receive(client)
    assert listener.asked == 0


async def test_connections_go_on_when_no_more_are_taken(serve, connect):
    listener = Listener()
    closing, port = serve(listener)
    client = connect(port)
    client.send(b"one")
    assert await receive(client) == b"heard one"
    closing.close()
    closing.close()
    with pytest.raises(ConnectionRefusedError):
        connect(port)
    client.send(b"two")
    assert await receive(client) == b"heard two"
    client.close()
    async with asyncio.timeout(PATIENCE):
        await listener.sessions[0].lost.wait()
