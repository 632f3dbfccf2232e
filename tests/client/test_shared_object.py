"""The client's shared objects: against a hub without a network, then the demo site."""

import asyncio

import pytest

from rtmp_channels.client import (
    ConnectionClosed,
    NetConnection,
    SharedObject,
    SharedObjectFailed,
    Sync,
)
from rtmp_channels.protocol.shared_object import (
    Change,
    SharedObjectMessage,
    Success,
    Use,
    UseSuccess,
)
from rtmp_channels.shared_objects.grants import Grant
from tests.shared_objects.chunks import parse_chunks
from tests.shared_objects.clients import end_turn, make_hub, settle

NAME = "scores"


class HubConnection:
    """What a `SharedObject` needs of its connection, ending in a hub of this process."""

    timeout = 10

    def __init__(self, hub, name="ann", *, grant=None, **options):
        self.hub = hub
        self.id = name
        self.grant = grant or Grant()
        self.is_connected = True
        self.shared = SharedObject(self, NAME, **options)
        self.said = []
        self.is_slow = False
        self.connect()

    def connect(self):
        self.port = self.hub.connect(self, instance="a/b", authorise=self.authorise)

    async def authorise(self, request):
        return self.grant

    def send_shared_object(self, message):
        self.said.append(message)
        if not self.is_slow:
            self.let_out(message)

    def let_out(self, message):
        payload = message.serialize()
        self.port.receive(
            SharedObjectMessage.parse(payload, object_encoding=message.object_encoding)
        )
        end_turn(self.hub)

    def write_shared(self, data):
        for message in parse_chunks(data):
            self.shared.receive(message)

    write_joined = write_shared


async def make_objects(hub, *names, **options):
    objects = []
    for name in names:
        shared = HubConnection(hub, name, **options).shared
        await shared.use()
        objects.append(shared)
    return objects


@pytest.fixture
def hub():
    return make_hub()


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("object_encoding", [0, 3])
async def test_two_copies_are_kept_equal(hub, echo, object_encoding):
    ann, bob = await make_objects(hub, "ann", "bob", echo=echo, object_encoding=object_encoding)
    assert (ann.in_use, dict(ann), len(ann)) == (True, {}, 0)
    ann.set("ann", {"points": [1, "é"]})
    bob.update({"bob": 2, "x": None})
    assert ann == bob == {"ann": {"points": [1, "é"]}, "bob": 2}
    assert ann.version == bob.version
    bob.remove("ann")
    assert ann == bob == {"bob": 2}
    ann.set("bob", None)
    assert ann == bob == {}
    ann.set("a", 1)
    bob.clear()
    assert ann == bob == {}
    assert repr(ann) == "<SharedObject 'scores' {}>"


async def test_sends_reach_everyone_once(hub):
    ann, bob = await make_objects(hub, "ann", "bob")
    heard = []
    for shared in (ann, bob):
        shared.method("hello")(lambda *values, shared=shared: heard.append((shared, *values)))
    ann.send("hello", 1, "two")
    ann.send("nobody listens")
    assert sorted((shared is ann, *values) for shared, *values in heard) == [
        (False, 1, "two"),
        (True, 1, "two"),
    ]


@pytest.mark.parametrize("echo", [True, False])
async def test_sync_says_what_happened(hub, echo):
    ann, bob = await make_objects(hub, "ann", "bob", echo=echo)
    by_ann, by_bob = [], []
    ann.on_sync, bob.on_sync = by_ann.extend, by_bob.extend
    for shared in (ann, bob):
        shared._connection.is_slow = True
        shared.set("a", shared._connection.id)
        shared._connection.is_slow = False
    for shared in (ann, bob):  # bob wrote before he heard of ann's
        shared._connection.let_out(shared._connection.said[-1])
    ann.remove("a")
    ann.clear()
    shown = {"ann": None, "bob": None} if echo else {"ann": "ann", "bob": "bob"}
    assert by_ann == [
        Sync("success", "a", shown["ann"]),
        Sync("delete", "a", "ann"),
        Sync("clear"),
    ]
    assert by_bob == [
        Sync("change", "a", shown["bob"]),
        Sync("reject", "a", "ann"),
        Sync("delete", "a", "ann"),
        Sync("clear"),
    ]


async def test_a_change_that_is_told_again_is_no_rejection():
    """Event 5, then the value: what was shown of it has been undone on the way."""
    (ann,) = await make_objects(make_hub(), "ann", echo=False)
    heard = []
    ann.on_sync = heard.extend
    ann.receive(SharedObjectMessage(NAME, ann.version + 1, 0, (Success("a"), Change((("a", 1),)))))
    assert heard == [Sync("success", "a"), Sync("change", "a")]


async def test_who_comes_back_asks_for_what_changed(hub):
    ann, bob = await make_objects(hub, "ann", "bob")
    ann.update({"a": 1, "b": 1, "c": 1})
    connection = bob._connection
    connection.port.close()
    bob.end(ConnectionClosed("gone"))
    assert not bob.in_use
    ann.set("a", 2)
    ann.remove("b")
    heard = []
    bob.on_sync = heard.extend
    connection.connect()
    await bob.use()
    assert heard == [Sync("change", "a", 1), Sync("delete", "b", 1)]
    assert ann == bob == {"a": 2, "c": 1}


async def test_flash_mode_comes_back_with_nothing(hub):
    """What it shows of its own may never have been decided."""
    (ann,) = await make_objects(hub, "ann", echo=False)
    ann.set("a", 1)
    ann._slots["a"] = "never arrived"
    await ann.use()
    assert ann == {"a": 1}


async def test_flags_of_the_use(hub):
    connections = [
        HubConnection(hub, "ann"),
        HubConnection(hub, "bob", echo=False, persistent=True),
    ]
    for connection in connections:
        connection.shared._say(Use())
    assert [connection.said[0].flags for connection in connections] == [16, 2]
    await settle()


class TestRefusals:
    async def test_of_a_use(self, hub):
        connection = HubConnection(hub, grant=Grant(read=False))
        with pytest.raises(SharedObjectFailed, match="NoReadAccess") as failure:
            await connection.shared.use()
        assert failure.value.code == "SharedObject.NoReadAccess"
        assert not connection.shared.in_use

    async def test_of_a_change(self, hub):
        (ann,) = await make_objects(hub, "ann")
        ann.set("a", 1)
        bob = HubConnection(hub, "bob", grant=Grant(write=False)).shared
        await bob.use()
        told, synced = [], []
        bob.on_status = lambda *status: told.append(status)
        bob.on_sync = synced.extend
        bob.set("a", 2)
        assert told == [("SharedObject.NoWriteAccess", "error")]
        assert synced == [Sync("reject", "a", 1)]
        assert bob == {"a": 1}

    async def test_a_server_that_does_not_answer(self, hub):
        connection = HubConnection(hub)
        connection.timeout = 0.01
        connection.send_shared_object = lambda message: None
        with pytest.raises(TimeoutError):
            await connection.shared.use()

    async def test_the_end_of_the_connection_meanwhile(self, hub):
        connection = HubConnection(hub)
        connection.send_shared_object = lambda message: None
        tasks = [
            asyncio.create_task(connection.shared.use()),
            asyncio.create_task(connection.shared.until(len)),
        ]
        await settle()
        connection.shared.end(ConnectionClosed("gone"))
        for task in tasks:
            with pytest.raises(ConnectionClosed):
                await task


async def test_until(hub):
    ann, bob = await make_objects(hub, "ann", "bob")
    ann.set("a", 1)
    await bob.until(lambda slots: slots["a"] == 1)  # so already
    waiting = asyncio.create_task(bob.until(lambda slots: slots.get("a") == 3))
    await settle()
    ann.set("a", 2)
    await settle()
    assert not waiting.done()
    ann.set("a", 3)
    await waiting
    ann._connection.timeout = 0.01
    with pytest.raises(TimeoutError):
        await ann.until(lambda slots: False)


async def test_a_handler_that_fails_is_logged(hub, caplog):
    ann, bob = await make_objects(hub, "ann", "bob")

    def fail(*arguments):
        raise LookupError("a bug")

    bob.on_sync = fail
    bob.method("hello")(fail)
    ann.set("a", 1)
    ann.send("hello")
    assert bob == {"a": 1}
    assert caplog.text.count("LookupError: a bug") == 2


async def test_release_ends_what_is_heard(hub):
    ann, bob = await make_objects(hub, "ann", "bob")
    bob.release()
    bob.release()
    ann.set("a", 1)
    assert bob == {}


async def test_messages_go_to_the_object_of_that_name(server):
    """The loopback server sends back what it gets."""
    raw = []
    async with NetConnection(server.url()) as connection:
        connection.on_shared_object = raw.append
        scores, others = connection.shared_object(NAME), connection.shared_object("others")
        message = SharedObjectMessage(NAME, 5, 0, (UseSuccess(), Change((("a", 1),))))
        connection.send_shared_object(message)
        await scores.until(lambda slots: slots.get("a") == 1)
        assert (raw[0].name, scores.version, dict(others)) == (NAME, 5, {})
    assert not scores.in_use
    with pytest.raises(ConnectionClosed):
        scores.set("a", 2)


async def test_the_demo_site(demo_server):
    """Two clients, names with a slash, both message types; one goes and comes back."""
    url = demo_server.rtmp_url("lobby/client-objects")
    ann, bob = NetConnection(url), NetConnection(url, object_encoding=3)
    async with (
        ann,
        bob,
        ann.shared_object("room/board") as board,
        bob.shared_object("room/board", object_encoding=3) as copy,
        ann.shared_object("other") as other,
    ):
        board.set("a", [1, "é"])
        copy.set("b", True)
        other.set("c", 3)
        for shared in (board, copy):
            await shared.until(lambda slots: slots == {"a": [1, "é"], "b": True})
        await other.until(len)
        await bob.close()
        assert not copy.in_use
        board.remove("a")
        await board.until(lambda slots: "a" not in slots)
        await bob.connect()
        synced = []
        copy.on_sync = synced.extend
        await copy.use()
        assert synced == [Sync("delete", "a", [1, "é"])]
        assert copy == board == {"b": True}
        assert other == {"c": 3}
