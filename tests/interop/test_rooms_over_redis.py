"""Rooms over two daphne processes and a real Redis: a broadcast stays in its room, everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from rtmp_channels.protocol.events import CallReceived
from tests.interop import drivers
from tests.interop.conversation import Conversation
from tests.server.client import rtmp_client
from tests.support.demo_server import DemoServer

pytestmark = pytest.mark.redis
ROUNDS = 20
"""A member that joins late misses about one text in five."""


@pytest.fixture
def servers(
    redis_url: str, start_demo_server: Callable[..., DemoServer]
) -> tuple[DemoServer, DemoServer]:
    """Two processes of the demo site on one Redis."""
    environment: Mapping[str, str] = {"REDIS_URL": redis_url}
    return start_demo_server(environment=environment), start_demo_server(environment=environment)


@pytest.fixture
def members(
    servers: tuple[DemoServer, DemoServer], clients: Callable[..., Conversation]
) -> dict[str, Conversation]:
    """Connected clients by room, process and kind."""
    drive = {"librtmp": drivers.librtmp, "node": drivers.rtmp_client}
    started = {
        f"{room} {number} {kind}": clients(driver, server.rtmp_url(f"lobby/{room}"))
        for room in ("red", "blue")
        for number, server in enumerate(servers, start=1)
        for kind, driver in drive.items()
    }
    for client in started.values():
        client.next("connected")
    return started


def say(members: Mapping[str, Conversation], speaker: str, text: str) -> None:
    """One member speaks; all others of its room hear that next, whichever process they are on."""
    room = speaker.split(maxsplit=1)[0]
    listeners = [name for name in members if name.startswith(room) and name != speaker]
    for name in listeners:
        if name.endswith("librtmp"):
            members[name].send(do="listen", method="onSay")
    answer = members[speaker].ask("result", do="call", method="lobby.say", arguments=[text])
    assert answer["value"] is None
    heard = {name: members[name].next("onSay")["arguments"] for name in listeners}
    assert heard == {name: [text] for name in listeners}


@pytest.mark.client("rooms")
def test_a_broadcast_reaches_its_own_room_in_every_process(
    members: Mapping[str, Conversation],
) -> None:
    # Every member hears the texts of its room in order, so a text from elsewhere, or an echo of
    # the member's own, would come before the next expected one.
    for speaker in members:
        say(members, speaker, f"hello from {speaker} 🎈")
    for name in ("red 1 node", "blue 2 node"):
        say(members, name, "last words")
    for name, member in members.items():
        assert member.unread("onSay") == [], name


async def test_a_client_hears_its_room_from_the_answer_to_connect_on(
    servers: tuple[DemoServer, DemoServer],
) -> None:
    here, there = servers
    for number in range(ROUNDS):
        room = f"lobby/fresh{number}"
        async with rtmp_client(here.rtmp_port) as speaker, rtmp_client(there.rtmp_port) as listener:
            await speaker.connect(room)
            await listener.connect(room)
            await speaker.call("lobby.say", room)
            heard = await listener.wait_for(CallReceived)
            assert (heard.name, heard.arguments) == ("onSay", [room])
