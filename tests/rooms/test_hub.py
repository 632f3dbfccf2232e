import pytest

from amf_remoting import amf
from rtmp_channels.protocol.errors import LocalProtocolError
from rtmp_channels.relay import group_name
from rtmp_channels.rooms.hub import RoomHub, encode_broadcast
from rtmp_channels.rooms.limits import RoomLimitExceeded, RoomLimits
from tests.rooms.layers import FakeLayer


class Member:
    """A connection that keeps what it is written."""

    def __init__(self):
        self.written = []

    def write_shared(self, data):
        self.written.append(data)

    @property
    def calls(self):
        """(method, *arguments) of every call; asserts the header that every client can read."""
        return [_call(data) for data in self.written]


def _call(data):
    assert data[:4] == b"\x03\0\0\0", "format 0, chunk stream 3, time 0"
    assert data[7:12] == b"\x14\0\0\0\0", "a command in AMF0, message stream 0"
    assert int.from_bytes(data[4:7], "big") == len(data) - 12
    method, transaction_id, command_object, *arguments = amf.loads_many(data[12:], 0)
    assert (transaction_id, command_object) == (0, None)
    return (method, *arguments)


@pytest.fixture
async def hub():
    hub = RoomHub()
    yield hub
    await hub.close()


async def join(hub, room, count=1):
    members = [Member() for _ in range(count)]
    for member in members:
        await hub.join(room, member)
    return members


async def test_a_broadcast_reaches_its_room_only(hub):
    ann, bob = await join(hub, "lobby/a", 2)
    (cem,) = await join(hub, "lobby/b")
    await hub.broadcast("lobby/a", "onSay", ["hello", 1])
    assert ann.calls == bob.calls == [("onSay", "hello", 1)]
    assert cem.calls == []


async def test_bytes_of_a_broadcast(hub):
    (ann,) = await join(hub, "r")
    await hub.broadcast("r", "on", [True])
    assert ann.written == [
        b"\x03\0\0\0\0\0\x11\x14\0\0\0\0" + b"\x02\0\x02on\0\0\0\0\0\0\0\0\0\x05\x01\x01"
    ]


async def test_encoded_and_chunked_once(hub):
    ann, bob = await join(hub, "r", 2)
    await hub.broadcast("r", "on", ["x" * 100])
    assert ann.written[0] is bob.written[0]


async def test_exclude(hub):
    ann, bob = await join(hub, "r", 2)
    await hub.broadcast("r", "on", exclude=ann)
    assert (ann.calls, bob.calls) == ([], [("on",)])


async def test_joining_twice_is_once_and_leaving_twice_is_harmless(hub):
    (ann,) = await join(hub, "r")
    await hub.join("r", ann)
    await hub.broadcast("r", "on")
    assert ann.calls == [("on",)]
    hub.leave("r", ann)
    hub.leave("r", ann)
    hub.leave("never joined", ann)
    await hub.broadcast("r", "on")
    assert len(ann.calls) == 1
    assert hub.members("r") == ()


async def test_leave_all(hub):
    (ann,) = await join(hub, "a")
    await hub.join("b", ann)
    hub.leave_all(ann)
    hub.leave_all(ann)
    assert hub.members("a") == hub.members("b") == ()


async def test_a_broken_member_does_not_stop_the_others(hub, caplog):
    ann, bob = await join(hub, "r", 2)

    def broken(data):
        raise OSError("gone")

    ann.write_shared = broken
    await hub.broadcast("r", "on")
    assert bob.calls == [("on",)]
    assert "could not be written" in caplog.text


async def test_a_member_that_leaves_while_a_broadcast_is_written(hub):
    ann, bob = await join(hub, "r", 2)
    ann.write_shared = lambda data: hub.leave_all(bob)
    await hub.broadcast("r", "on")
    assert hub.members("r") == (ann,)


class TestLimits:
    async def test_members(self):
        hub = RoomHub(limits=RoomLimits(members=1))
        (ann,) = await join(hub, "r")
        await hub.join("r", ann)
        with pytest.raises(RoomLimitExceeded, match="1 members"):
            await join(hub, "r")
        await join(hub, "other")

    async def test_rooms_per_member(self):
        hub = RoomHub(limits=RoomLimits(rooms_per_member=1))
        (ann,) = await join(hub, "a")
        with pytest.raises(RoomLimitExceeded, match="in 1 rooms"):
            await hub.join("b", ann)
        assert hub.members("b") == ()
        hub.leave("a", ann)
        await hub.join("b", ann)

    async def test_name(self):
        hub = RoomHub(limits=RoomLimits(name_bytes=3))
        with pytest.raises(RoomLimitExceeded, match="3 bytes"):
            await join(hub, "üü")
        await join(hub, "ü1")

    async def test_broadcast(self):
        body = encode_broadcast("on", ["x"], limit=100)
        hub = RoomHub(limits=RoomLimits(broadcast_bytes=len(body)))
        (ann,) = await join(hub, "r")
        await hub.broadcast("r", "on", ["x"])
        with pytest.raises(RoomLimitExceeded, match="a broadcast of"):
            await hub.broadcast("r", "on", ["xx"])
        assert len(ann.calls) == 1

    def test_defaults(self):
        limits = RoomLimits()
        assert (limits.members, limits.rooms_per_member) == (10_000, 64)
        assert (limits.name_bytes, limits.broadcast_bytes) == (255, 262_144)

    async def test_what_amf_cannot_hold(self, hub):
        (ann,) = await join(hub, "r")
        with pytest.raises(LocalProtocolError):
            await hub.broadcast("r", "on", [object()])
        assert ann.calls == []


class TestOverALayer:
    """Two hubs on one layer stand for two processes."""

    @pytest.fixture
    async def hubs(self):
        layer = FakeLayer()
        hubs = RoomHub(layer=layer), RoomHub(layer=layer)
        yield (*hubs, layer)
        for hub in hubs:
            await hub.close()

    async def test_every_process_and_no_echo(self, hubs):
        one, two, layer = hubs
        (ann,), (bob,), (cem,) = await join(one, "a"), await join(two, "a"), await join(two, "b")
        await one.broadcast("a", "on", [1])
        await layer.until(lambda: bob.calls)
        await two.broadcast("a", "on", [2])
        await layer.until(lambda: len(ann.calls) == len(bob.calls) == 2)
        assert ann.calls == bob.calls == [("on", 1), ("on", 2)]
        assert cem.calls == []

    async def test_exclude_holds_here_and_reaches_all_there(self, hubs):
        one, two, layer = hubs
        (ann,), (bob,) = await join(one, "a"), await join(two, "a")
        await one.broadcast("a", "on", exclude=ann)
        await layer.until(lambda: bob.calls)
        assert ann.calls == []

    async def test_a_process_without_members_may_broadcast(self, hubs):
        one, two, layer = hubs
        (bob,) = await join(two, "a")
        await one.broadcast("a", "on")
        await layer.until(lambda: bob.calls)

    async def test_the_last_member_leaves_the_group(self, hubs):
        one, _, layer = hubs
        ann, bob = await join(one, "a", 2)
        group = group_name("room", "a")
        assert len(layer.groups[group]) == 1
        one.leave("a", ann)
        one.leave_all(bob)
        await layer.until(lambda: not layer.groups[group])

    async def test_a_layer_that_fails_leaves_this_process_whole(self, hubs):
        one, _, layer = hubs
        layer.failing = {"new_channel", "group_add", "group_send"}
        ann, bob = await join(one, "a", 2)
        await one.broadcast("a", "on", exclude=ann)
        assert bob.calls == [("on",)]
