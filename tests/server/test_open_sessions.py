"""How many connections a process takes, and how it ends them."""

import asyncio
import logging
from dataclasses import replace

import pytest

from rtmp_channels.conf import RtmpSettings
from rtmp_channels.open_sessions import OpenSessions, open_sessions
from rtmp_channels.server.listener import Listener
from rtmp_channels.transport import Peer
from tests.server.wire import FakeTransport


class FakeServer:
    def __init__(self, application=None):
        self.application = application
        self.connections = {}

    def protocol_connected(self, protocol):
        self.connections[protocol] = {"connected": 0.0}

    def protocol_disconnected(self, protocol):
        self.connections[protocol].setdefault("disconnected", 0.0)


@pytest.fixture(autouse=True)
def sessions(monkeypatch):
    """No sessions yet, and none left for the next test."""
    sessions = OpenSessions()
    monkeypatch.setattr(open_sessions, "get", lambda: sessions)
    return sessions


def make_listener(scheme="rtmp", **settings):
    settings = replace(RtmpSettings(), **settings)
    return Listener(FakeServer(), scheme=scheme, settings=settings)


def peer(number, port=50_000):
    return Peer("rtmp", (f"192.0.2.{number}", port), ("127.0.0.1", 1935))


def lose(*sessions):
    for session in sessions:
        session.connection_lost(None)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"max_connections": 2}, "2 connections are open"),
        (
            {"max_connections_per_address": 2},
            "2 connections from that address are open",
        ),
    ],
    ids=["total", "per address"],
)
async def test_connections_beyond_a_limit_are_refused_with_one_line(caplog, settings, reason):
    listener = make_listener(**settings)
    one, two = (listener.open_session(FakeTransport(), peer(1)) for _ in range(2))
    for _ in range(3):
        assert listener.open_session(FakeTransport(), peer(1)) is None
    [record] = caplog.records
    assert record.getMessage() == f"rtmp 192.0.2.1:50000: refused: {reason}"
    lose(one)
    three = listener.open_session(FakeTransport(), peer(1))
    assert three is not None
    lose(two, three)


async def test_other_addresses_are_not_affected():
    listener = make_listener(max_connections_per_address=1)
    one = listener.open_session(FakeTransport(), peer(1))
    two = listener.open_session(FakeTransport(), peer(2))
    assert two is not None
    lose(one, two)


async def test_the_limits_are_the_processs_not_the_endpoints(sessions):
    plain, secure = (make_listener(scheme, max_connections=1) for scheme in ("rtmp", "rtmps"))
    one = plain.open_session(FakeTransport(), peer(1))
    assert secure.open_session(FakeTransport(), peer(2)) is None
    assert list(sessions) == [one]
    lose(one)
    assert len(sessions) == 0


async def test_nothing_is_opened_once_the_server_stops(sessions):
    listener = make_listener()
    one = listener.open_session(FakeTransport(), peer(1))
    sessions.end_all()
    assert listener.open_session(FakeTransport(), peer(2)) is None
    lose(one)
    await sessions.all_closed(60)


async def test_sockets_that_do_not_close_are_not_waited_for(sessions, caplog):
    transport = FakeTransport()
    make_listener().open_session(transport, peer(1))
    sessions.end_all()
    with caplog.at_level(logging.INFO):
        await asyncio.wait_for(sessions.all_closed(0.05), 2)
    assert "1 RTMP connections did not end in time: cut" in caplog.text
    assert transport.state == "aborted"
