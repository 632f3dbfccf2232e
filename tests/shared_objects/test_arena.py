"""The how-to's multi-player room, as it is printed, through whole sessions."""

import re
import sys
import types
from pathlib import Path

import pytest

from rtmp_channels.protocol.events import ConnectAccepted, ResultReceived, SharedObjectReceived
from rtmp_channels.protocol.shared_object import (
    Change,
    RequestChange,
    SharedObjectMessage,
    Status,
    Success,
    Use,
    UseSuccess,
)
from rtmp_channels.rooms.current import room_hubs
from rtmp_channels.shared_objects.current import shared_object_hubs
from tests.server.wire import Wire
from tests.shared_objects.clients import until

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "build-a-multiplayer-room.md"


@pytest.fixture
def arena(monkeypatch):
    code = re.search(r"```python\n(# arena/applications.py\n.*?)```", HOW_TO.read_text(), re.DOTALL)
    module = types.ModuleType("arena_of_the_how_to")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(code.group(1), str(HOW_TO), "exec"), module.__dict__)
    assert len(code.group(1).splitlines()) <= 50
    return module.Arena


class Player:
    def __init__(self, arena):
        self.wire = Wire(arena.as_asgi())
        self.heard = []

    async def connect(self):
        answers = [await self.wire.connect("arena/one")]

        def accepted():  # perhaps later: a consumer looks after old database connections first
            answers.extend(self.wire.deliver())
            return any(isinstance(answer, ConnectAccepted) for answer in answers)

        await until(accepted)

    def say(self, name, *events, version=0):
        self.wire.client.send_shared_object(SharedObjectMessage(name, version, 0, events))

    def poll(self):
        kinds = (ResultReceived, SharedObjectReceived)
        self.heard += [event for event in self.wire.deliver() if isinstance(event, kinds)]
        return self.heard

    async def wait(self, kind, count=1):
        """The first `count` events of that kind that were not waited for yet."""
        await until(lambda: sum(isinstance(e, kind) for e in self.poll()) >= count)
        found = [event for event in self.heard if isinstance(event, kind)][:count]
        self.heard = [event for event in self.heard if event not in found]
        return found[0] if count == 1 else found


@pytest.fixture
async def players(arena):
    players = [Player(arena) for _ in range(2)]
    for player in players:
        await player.connect()
    yield players
    for player in players:
        player.wire.session.connection_lost(None)
    await until(lambda: all(p.wire.host.log[-1] == "closed" for p in players))
    await shared_object_hubs.close()
    await room_hubs.close()


@pytest.mark.django_db(transaction=True)  # the connection looks after old connections
async def test_the_room(players):
    ann, bob = players
    for player in players:
        for name in ("positions", "scores"):
            player.say(name, Use())
            message = (await player.wait(SharedObjectReceived)).message
            assert message.events[0] == UseSuccess()
    version = message.version

    ann.say("positions", RequestChange((("guest", {"x": 3, "y": 4}),)), version=version)
    assert (await ann.wait(SharedObjectReceived)).message.events == (Success("guest"),)
    moved = (await bob.wait(SharedObjectReceived)).message
    assert moved.events == (Change((("guest", {"x": 3, "y": 4}),)),)

    ann.say("positions", RequestChange((("someone", {"x": 0, "y": 0}),)), version=version)
    refused = (await ann.wait(SharedObjectReceived)).message.events
    assert refused[0] == Status("SharedObject.NoWriteAccess", "error")

    ann.wire.client.send_call("hit", [], expect_result=True)
    await until(lambda: len(ann.poll()) == 2)
    change, result = ann.heard  # the change is written before the result of the call that made it
    assert change.message.events == (Change((("guest", 1),)),)
    assert result.values == [1]
    assert (await bob.wait(SharedObjectReceived)).message.events == (Change((("guest", 1),)),)
