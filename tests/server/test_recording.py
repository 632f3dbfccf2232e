"""Conversations with a running server, recorded while staff wants it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from amf_remoting.recorder import Entry
from rtmp_channels import recording
from rtmp_channels.client import NetConnection
from rtmp_channels.conf import RtmpSettings
from rtmp_channels.session import Session
from tests.server.wire import PEER, FakeTransport
from tests.support.demo_server import DemoServer

ROWS = (
    "import json; from amf_remoting.models import Recording;"
    "print(json.dumps([[one.form, one.title, one.request_size, one.response_size,"
    " bytes(one.request).hex(), bytes(one.response).hex()]"
    " for one in Recording.objects.order_by('pk')]))"
)


def rows(server: DemoServer) -> list[Any]:
    found: list[Any] = json.loads(server.manage("shell", "--no-imports", "-c", ROWS))
    return found


async def talk(server: DemoServer) -> None:
    async with NetConnection(server.rtmp_url("lobby/room1")) as connection:
        assert await connection.call("math.add", 20, 22) == 42


@pytest.mark.slow
async def test_a_conversation_is_recorded_from_its_first_byte(
    start_demo_server: Callable[..., DemoServer],
) -> None:
    server = start_demo_server(environment={"DJANGO_SETTINGS_MODULE": "project.settings"})
    await talk(server)
    # By another process, and nobody has called the gateway.
    switch = "from amf_remoting.recorder import {0}; {0}()"
    server.manage("shell", "--no-imports", "-c", switch.format("start_recording"))
    await talk(server)
    server.manage("shell", "--no-imports", "-c", switch.format("stop_recording"))
    await talk(server)
    found: list[Any] = []
    while not found:
        found = rows(server)
    ((form, title, heard, said, request, response),) = found
    assert (form, title) == ("rtmp", "lobby/room1: connect, math.add")
    assert len(bytes.fromhex(request)) == heard
    assert len(bytes.fromhex(response)) == said
    assert request.startswith("03")
    assert b"math.add".hex() in request
    assert b"NetConnection.Connect.Success".hex() in response


class Switch:
    """Stands for the recorder: what this process knows, and what the database would say."""

    def __init__(self, *, is_on: bool, is_known: bool = True, says: bool = False) -> None:
        self.is_on, self.is_known, self.says = is_on, is_known, says
        self.asked = asyncio.Event()
        self.kept: list[Entry] = []

    async def ais_on(self) -> bool:
        self.is_on, self.is_known = self.says, True
        self.asked.set()
        return self.says

    def add(self, entry: Entry) -> None:
        self.kept.append(entry)


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    await receive()


def begin(monkeypatch: pytest.MonkeyPatch, switch: Switch) -> Session:
    """A new connection's session, which has received and sent something."""
    monkeypatch.setattr(recording, "recorder", switch)
    transport = FakeTransport()
    session = recording.session_class()(transport, nothing, peer=PEER, settings=RtmpSettings())
    session.data_received(b"\x03" + bytes(1536))
    assert len(transport.writes) == 1
    return session


async def test_nothing_is_kept_of_a_session_that_nobody_wants(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = begin(monkeypatch, Switch(is_on=False))
    assert type(session) is Session
    session.connection_lost(None)


@pytest.mark.parametrize("says", [True, False])
async def test_where_nobody_knows_yet_the_database_decides(
    monkeypatch: pytest.MonkeyPatch, says: bool
) -> None:
    switch = Switch(is_on=False, is_known=False, says=says)
    session = begin(monkeypatch, switch)
    assert recording.RecordedSession.active == 1
    await switch.asked.wait()
    await asyncio.sleep(0)
    assert recording.RecordedSession.active == says
    session.connection_lost(None)
    assert [(one.request_size, one.response_size) for one in switch.kept] == [(1537, 3073)] * says
    assert not any(one.goes_on for one in switch.kept)
    assert recording.RecordedSession.active == 0


async def test_a_session_is_kept_once_and_cut_off(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.AMF_REMOTING = {"RECORDED_PACKET_SIZE": 1000}
    monkeypatch.setattr(recording, "SECONDS", 0)
    switch = Switch(is_on=True)
    session = begin(monkeypatch, switch)
    while not switch.kept:
        await asyncio.sleep(0)
    session.data_received(bytes(1536))
    session.connection_lost(None)
    (entry,) = switch.kept
    assert (entry.form, entry.title, entry.goes_on) == ("rtmp", "", True)
    assert (len(entry.request), entry.request_size) == (1000, 1537)
    assert (len(entry.response), entry.response_size) == (1000, 3073)


async def test_few_sessions_are_recorded_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "AT_MOST", 2)
    sessions = [begin(monkeypatch, Switch(is_on=True)) for _ in range(3)]
    assert [type(session) is Session for session in sessions] == [False, False, True]
    for session in sessions:
        session.connection_lost(None)
    assert recording.RecordedSession.active == 0
