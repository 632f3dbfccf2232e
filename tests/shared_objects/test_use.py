"""Using, sharing and releasing objects, through ports of one hub."""

import asyncio

import pytest

from rtmp_channels.protocol.shared_object import (
    Change,
    Clear,
    Release,
    Remove,
    RequestChange,
    RequestClear,
    Status,
    Success,
    Use,
    UseSuccess,
)
from rtmp_channels.shared_objects.grants import Changed, Grant
from rtmp_channels.shared_objects.refusals import SharedObjectRefused
from tests.shared_objects.clients import Client, make_hub, settle


@pytest.fixture
def hub():
    return make_hub()


async def make_clients(hub, *names, **options):
    clients = [Client(hub, name, **options) for name in names]
    for client in clients:
        await client.use()
        client.events()
    return clients


def status(code):
    return Status(f"SharedObject.{code}", "error")


async def test_three_share_what_one_sets(hub):
    ann, bob, cem = await make_clients(hub, "ann", "bob", "cem")
    ann.set("score", {"points": 3, "tags": ["ä", None]})
    bob.send("hello", 1)
    assert ann.events()[0] == Success("score")
    for client in (bob, cem):
        assert client.data == {"score": {"points": 3, "tags": ["ä", None]}}
    assert [client.sent for client in (ann, bob, cem)] == [[("hello", 1)]] * 3


async def test_a_late_comer_gets_the_state(hub):
    (ann,) = await make_clients(hub, "ann")
    ann.set("a", 1)
    ann.set("b", "two")
    ann.remove("a")
    bob = Client(hub, "bob")
    await bob.use()
    assert bob.events() == [UseSuccess(), Clear(), Change((("b", "two"),))]
    assert bob.version == ann.version


async def test_objects_are_per_instance(hub):
    ann = Client(hub, "ann", instance="lobby/room1")
    bob = Client(hub, "bob", instance="lobby/room2")
    for client in (ann, bob):
        await client.use()
    ann.set("a", 1)
    assert bob.data == {}


async def test_several_objects_on_one_connection_and_names_with_slashes(hub):
    ann, bob = Client(hub, "ann"), Client(hub, "bob")
    for client in (ann, bob):
        for name in ("a", "a/b", "ä/b"):
            await client.use(name=name)
    ann.events(), bob.events()
    for number, name in enumerate(("a", "a/b", "ä/b")):
        ann.set("k", number, name=name)
        assert [message.name for message in bob.messages[-1:]] == [name]
        assert bob.events() == [Change((("k", number),))]


async def test_an_object_dies_with_its_last_user(hub):
    ann, bob = await make_clients(hub, "ann", "bob")
    ann.set("a", 1)
    ann.release()
    cem = Client(hub, "cem")
    await cem.use()
    assert cem.data == {"a": 1}
    bob.port.close()
    cem.release()
    await ann.use()
    assert ann.events() == [Success("a"), UseSuccess(), Clear()]


async def test_release_ends_what_is_heard(hub):
    ann, bob = await make_clients(hub, "ann", "bob")
    bob.release()
    ann.set("a", 1)
    assert bob.events() == []


async def test_every_ending_is_idempotent(hub):
    ann, bob = await make_clients(hub, "ann", "bob")
    ann.release()
    ann.release()
    ann.port.close()
    ann.port.close()
    bob.set("a", 1)
    assert bob.data == {"a": 1}
    ann.say(Use())
    await settle()
    assert ann.events() == []


async def test_use_again_without_release_answers_again(hub):
    (ann,) = await make_clients(hub, "ann")
    ann.set("a", 1)
    ann.events()
    await ann.use(version=0)
    assert ann.events() == [UseSuccess(), Clear(), Change((("a", 1),))]
    ann.set("a", 2)
    assert ann.events() == [Success("a")]


async def test_a_message_may_use_change_and_release(hub):
    (ann,) = await make_clients(hub, "ann")
    bob = Client(hub, "bob")
    bob.say(Use(), RequestChange((("a", 1),)), Release())
    await settle()
    assert bob.events() == [UseSuccess(), Clear(), Success("a")]
    assert ann.data == {"a": 1}
    ann.set("b", 2)
    assert bob.events() == []


async def test_changes_wait_for_the_grant_in_order(hub):
    (bob,) = await make_clients(hub, "bob")
    cem = Client(hub, "cem")
    cem.grants["scores"] = grant = asyncio.get_running_loop().create_future()
    cem.say(Use())
    cem.set("a", 1)
    cem.set("a", 2)
    await settle()
    assert (cem.events(), bob.data) == ([], {})
    grant.set_result(Grant())
    await settle()
    assert cem.events() == [UseSuccess(), Clear(), Success("a"), Success("a")]
    assert bob.data == {"a": 2}


async def test_one_object_waiting_does_not_hold_up_another(hub):
    ann = Client(hub, "ann")
    ann.grants["slow"] = asyncio.get_running_loop().create_future()
    await ann.use(name="slow")
    await ann.use(name="fast")
    assert ann.messages[-1].name == "fast"


async def test_close_while_the_application_thinks(hub):
    ann = Client(hub, "ann")
    ann.grants["scores"] = grant = asyncio.get_running_loop().create_future()
    ann.say(Use())
    await settle()
    ann.port.close()
    await settle()
    assert grant.cancelled()
    assert ann.events() == []


async def test_release_while_the_application_thinks(hub):
    ann = Client(hub, "ann")
    ann.grants["scores"] = grant = asyncio.get_running_loop().create_future()
    ann.say(Use())
    ann.release()
    await settle()
    grant.set_result(Grant())
    await settle()
    bob = Client(hub, "bob")
    await bob.use()
    bob.set("a", 1)
    assert ann.events() == [UseSuccess(), Clear()]


class TestRefusals:
    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            (Grant(read=False), "NoReadAccess"),
            (Grant(create=False), "ObjectCreationFailed"),
            (SharedObjectRefused("SharedObject.BadPersistence", "so"), "BadPersistence"),
            (RuntimeError("a bug"), "NoReadAccess"),
        ],
    )
    async def test_of_a_use(self, hub, answer, code):
        ann = Client(hub, "ann")
        ann.grants["scores"] = answer
        await ann.use()
        assert ann.events() == [status(code)]
        ann.set("a", 1)
        assert ann.events() == [status("NoWriteAccess")]

    async def test_create_is_needed_for_the_first_only(self, hub):
        await make_clients(hub, "ann")
        bob = Client(hub, "bob")
        bob.grants["scores"] = Grant(create=False)
        await bob.use()
        assert bob.events() == [UseSuccess(), Clear()]

    async def test_of_the_other_persistence(self, hub):
        await make_clients(hub, "ann")
        bob = Client(hub, "bob")
        await bob.use(flags=2)
        assert bob.events() == [status("BadPersistence")]

    async def test_of_a_change_that_no_use_preceded(self, hub):
        ann = Client(hub, "ann")
        ann.set("a", 1)
        assert ann.events() == [status("NoWriteAccess")]

    async def test_of_writing_corrects_the_writer(self, hub):
        (ann,) = await make_clients(hub, "ann")
        ann.set("a", 1)
        bob = Client(hub, "bob")
        bob.grants["scores"] = Grant(write=False)
        await bob.use()
        bob.events(), ann.events()
        bob.set("a", 2)
        bob.remove("a")
        bob.set("b", 2)
        assert bob.events() == [
            *(status("NoWriteAccess"), Change((("a", 1),))),
            *(status("NoWriteAccess"), Change((("a", 1),))),
            *(status("NoWriteAccess"), Remove("b")),
        ]
        bob.send("hello")
        assert ann.sent == [("hello",)]

    async def test_of_sending(self, hub):
        ann = Client(hub, "ann")
        ann.grants["scores"] = Grant(send=False)
        await ann.use()
        ann.events()
        ann.send("hello")
        assert ann.events() == [status("NoWriteAccess")]
        ann.set("a", 1)
        assert ann.events() == [Success("a")]


class TestValidator:
    async def grant(self, hub, validate):
        (ann,) = await make_clients(hub, "ann")
        ann.set("a", 1)
        bob = Client(hub, "bob")
        bob.grants["scores"] = Grant(validate=validate)
        await bob.use()
        ann.events(), bob.events()
        return ann, bob

    async def test_sees_decoded_values_and_decides_one_by_one(self, hub):
        seen = []

        def validate(key, value):
            seen.append((key, value))
            return value != 13

        ann, bob = await self.grant(hub, validate)
        bob.say(RequestChange((("b", {"x": 1}), ("a", 13))))
        assert seen == [("b", {"x": 1}), ("a", 13)]
        assert bob.events() == [status("NoWriteAccess"), Success("b"), Change((("a", 1),))]
        assert ann.data == {"a": 1, "b": {"x": 1}}

    async def test_is_asked_for_removals_and_clears(self, hub):
        ann, bob = await self.grant(hub, lambda key, value: value is not None)
        bob.remove("a")
        bob.say(RequestClear())
        assert bob.events() == [
            *(status("NoWriteAccess"), Change((("a", 1),))),
            status("NoWriteAccess"),
        ]
        assert ann.events() == []

    @pytest.mark.parametrize("error", [LookupError, SystemExit])
    async def test_that_fails_refuses_and_is_logged(self, hub, caplog, error):
        def validate(key, value):
            raise error("no such player")

        _, bob = await self.grant(hub, validate)
        bob.set("a", 2)
        assert bob.events() == [status("NoWriteAccess"), Change((("a", 1),))]
        assert "no such player" in caplog.text


async def test_a_broken_connection_does_not_stop_the_others(hub, caplog):
    ann, bob, cem = await make_clients(hub, "ann", "bob", "cem")

    def broken(data):
        raise OSError("gone")

    bob.write_shared = broken
    ann.set("a", 1)
    assert cem.data == {"a": 1}
    assert "could not be written" in caplog.text


async def test_events_are_encoded_once_for_all_readers(hub):
    ann, bob, cem = await make_clients(hub, "ann", "bob", "cem")
    written = []
    bob.write_shared = cem.write_shared = written.append
    ann.set("a", 1)
    assert written[0] is written[1]


async def test_hub_close_lets_go_of_all(hub):
    (ann,) = await make_clients(hub, "ann")
    await hub.close()
    ann.port.close()
    await hub.close()


class TestOnChange:
    async def grant(self, hub, on_change):
        (ann,) = await make_clients(hub, "ann")
        bob = Client(hub, "bob")
        bob.grants["scores"] = Grant(on_change=on_change)
        await bob.use()
        bob.events()
        return ann, bob

    async def test_hears_of_what_this_client_changed(self, hub):
        heard = []
        ann, bob = await self.grant(hub, heard.append)
        ann.set("x", 1)
        bob.say(RequestChange((("a", [1]), ("b", None), ("x", None))))
        bob.say(RequestChange((("a", [1]),)))
        bob.send("hello")
        bob.say(RequestClear())
        assert heard == [
            Changed("scores", {"a": [1], "x": None}),
            Changed("scores", {}, cleared=True),
        ]

    @pytest.mark.parametrize("error", [LookupError, SystemExit])
    async def test_that_fails_is_logged(self, hub, caplog, error):
        def on_change(changed):
            raise error("a bug")

        ann, bob = await self.grant(hub, on_change)
        bob.set("a", 1)
        assert ann.data == {"a": 1}
        assert bob.events() == [Success("a")]
        assert "a bug" in caplog.text
