"""Limits of a connection: each refused clearly, none forgotten."""

import asyncio
import logging

import pytest

from rtmp_channels.protocol.shared_object import (
    Change,
    Clear,
    Remove,
    RequestChange,
    SendMessage,
    Status,
    Success,
    Use,
    UseSuccess,
)
from rtmp_channels.shared_objects.allowance import Allowance
from rtmp_channels.shared_objects.grants import Grant
from rtmp_channels.shared_objects.port import LOGGED_REFUSALS, TooMuchWaiting
from tests.shared_objects.clients import Client, make_hub, settle

NO_WRITE = Status("SharedObject.NoWriteAccess", "error")
FAILED = Status("SharedObject.ObjectCreationFailed", "error")


async def make_client(**rules):
    client = Client(make_hub(**rules))
    await client.use()
    client.events()
    return client


async def test_objects_per_connection(caplog):
    caplog.set_level(logging.INFO)
    client = await make_client(objects_per_connection=2)
    await client.use(name="second")
    client.events()
    await client.use(name="third")
    assert client.events() == [FAILED]
    assert "more than 2 objects on one connection" in caplog.text
    client.release(name="second")
    await client.use(name="third")
    assert client.events() == [UseSuccess(), Clear()]


async def test_a_flood_of_refusals_does_not_fill_the_log(caplog):
    caplog.set_level(logging.INFO)
    client = await make_client(objects_per_connection=1, key_bytes=3)
    for number in range(100):
        await client.use(name=f"object{number}")
        client.set("long key", number)
    assert [event for event in client.events() if event == FAILED] == [FAILED] * 100
    assert len(caplog.records) == LOGGED_REFUSALS


async def test_name_bytes():
    client = Client(make_hub(name_bytes=3))
    await client.use(name="üü")
    assert client.events() == [FAILED]
    await client.use(name="ü1")
    assert client.events() == [UseSuccess(), Clear()]


@pytest.mark.parametrize(
    ("rules", "key", "value"),
    [
        ({"key_bytes": 3}, "üü", 1),
        ({"value_bytes": 8}, "k", 1),
        ({"slots": 0}, "k", 1),
        ({"object_bytes": 9}, "k", 1),
    ],
)
async def test_slots(rules, key, value, caplog):
    caplog.set_level(logging.INFO)
    client = await make_client(**rules)
    client.set(key, value)
    assert client.events() == [NO_WRITE, Remove(key)]
    assert "a change was refused" in caplog.text


async def test_send_bytes():
    client = await make_client(send_bytes=8)
    client.send("handler")
    assert client.events() == [NO_WRITE]
    client.send("hand")
    assert client.events() == [SendMessage("hand", ())]


async def test_operations_per_message():
    client = await make_client(operations_per_message=2)
    client.say(RequestChange((("a", 1), ("b", 1), ("c", 1))))
    assert client.events() == [NO_WRITE, Remove("a"), Remove("b"), Remove("c")]
    client.say(RequestChange((("d", 1), ("e", 1))))
    assert client.events() == [Success("d"), Success("e")]


async def test_operations_per_second():
    client = await make_client(operations_per_second=3)
    for number in range(4):
        client.set("a", number)
    assert client.events() == [
        Success("a"),
        Success("a"),
        Success("a"),
        NO_WRITE,
        Change((("a", 2),)),
    ]


def test_an_allowance_grows_again():
    allowance = Allowance(10)
    assert [allowance.take(10, now=5), allowance.take(1, now=5)] == [True, False]
    assert [allowance.take(5, now=5.5), allowance.take(1, now=5.5)] == [True, False]
    assert [allowance.take(11, now=60), allowance.take(10, now=60)] == [False, True]


class TestWaiting:
    """A flood into an application that does not answer."""

    def make_client(self, **rules):
        self.room = []
        hub = make_hub(**rules)
        client = Client(hub)
        client.port = hub.connect(
            client,
            instance="lobby/room1",
            authorise=client.authorise,
            on_room=lambda: self.room.append(True),
        )
        client.grants["scores"] = asyncio.get_running_loop().create_future()
        client.say(Use())
        return client

    async def test_half_full_is_congested_until_there_is_room(self):
        client = self.make_client(waiting_messages=4)
        client.set("a", 1)
        client.set("a", 2)
        assert not client.port.is_congested
        client.set("a", 3)
        assert client.port.is_congested
        assert self.room == []
        client.grants["scores"].set_result(Grant())
        await settle()
        assert self.room == [True]
        assert not client.port.is_congested
        late = Client(client.port.hub, "late")
        await late.use()
        assert late.data == {"a": 3}
        client.port.close()

    async def test_too_many_messages(self):
        client = self.make_client(waiting_messages=4)
        for _ in range(4):
            client.set("a", 1)
        with pytest.raises(TooMuchWaiting, match="5 shared-object messages"):
            client.set("a", 1)
        client.port.close()

    async def test_too_many_bytes(self):
        client = self.make_client(waiting_bytes=1000)
        with pytest.raises(TooMuchWaiting, match="wait"):
            client.set("a", "x" * 1000)
        client.port.close()

    async def test_close_forgets_what_waits(self):
        client = self.make_client(waiting_messages=4)
        client.set("a", 1)
        client.port.close()
        await settle()
        assert client.events() == []


async def test_a_late_comer_gets_a_state_of_a_megabyte():
    client = await make_client()
    for number in range(16):
        client.set(f"key {number}", "x" * 60_000)
    late = Client(client.port.hub, "late")
    await late.use()
    assert len(late.data) == 16
    assert [type(event) for event in late.events()] == [UseSuccess, Clear] + [Change] * 16
