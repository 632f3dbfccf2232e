"""Server code reads and changes shared objects as a mapping."""

import pytest

from amf_remoting import amf
from rtmp_channels.protocol.shared_object import Change, Clear, Remove, SendMessage, Success
from rtmp_channels.shared_objects.access import (
    ATTEMPTS,
    ChangeRefused,
    NotShared,
    ObjectChanged,
    shared_object,
    update_shared_object,
)
from rtmp_channels.shared_objects.current import shared_object_hubs
from rtmp_channels.shared_objects.refusals import SharedObjectRefused
from tests.shared_objects.clients import Client, settle


@pytest.fixture
async def hub():
    yield shared_object_hubs.get()
    await shared_object_hubs.close()


def scope_of(client, path="/lobby/room1/"):
    return {"type": "rtmp", "path": path, "rtmp": {"connection_id": client.id}}


@pytest.fixture
async def ann(hub):
    ann = Client(hub, "ann")
    await ann.use()
    ann.set("ann", 1)
    ann.events()
    yield ann
    ann.port.close()


async def test_changes_are_one_batch_at_the_end(ann):
    version = ann.version
    async with shared_object("scores", scope_of(ann)) as scores:
        assert scores["ann"] == 1
        scores["ann"] += 2
        scores["bob"] = {"points": 5}
        assert dict(scores) == {"ann": 3, "bob": {"points": 5}}
        assert ann.events() == []
    assert ann.events() == [Change((("ann", 3),)), Change((("bob", {"points": 5}),))]
    assert ann.version == version + 1
    assert len(ann.messages[-1].events) == 2


async def test_reading_changes_nothing(ann):
    version = ann.version
    async with shared_object("scores", scope_of(ann)) as scores:
        assert scores.version == version
        assert ("ann" in scores, "bob" in scores, 1 in scores) == (True, False, False)
        assert list(scores.items()) == [("ann", 1)]
        with pytest.raises(KeyError):
            scores["bob"]
    assert ann.events() == []


async def test_removing(ann):
    async with shared_object("scores", scope_of(ann)) as scores:
        del scores["ann"]
        assert len(scores) == 0
        with pytest.raises(KeyError):
            del scores["ann"]
        scores["bob"] = 1
        scores["bob"] = None
        assert "bob" not in scores
    assert ann.events() == [Remove("ann")]


async def test_clear_and_send_come_around_the_changes(ann):
    async with shared_object("scores", scope_of(ann)) as scores:
        scores["lost"] = 1
        scores.send("onRound", 2)
        scores.clear()
        assert list(scores) == []
        scores["ann"] = 5
        assert dict(scores) == {"ann": 5}
    assert ann.events() == [Clear(), Change((("ann", 5),)), SendMessage("onRound", (2,))]


async def test_an_exception_changes_nothing(ann):
    async def change():
        async with shared_object("scores", scope_of(ann)) as scores:
            scores["ann"] = 9
            raise LookupError

    with pytest.raises(LookupError):
        await change()
    assert ann.events() == []


async def test_what_amf_cannot_hold_is_refused_at_once(ann):
    with pytest.raises(amf.EncodeError):
        async with shared_object("scores", scope_of(ann)) as scores:
            scores["ann"] = object()


async def test_limits_are_errors(ann):
    async def change():
        async with shared_object("scores", scope_of(ann)) as scores:
            scores["x" * 300] = 1
            scores["bob"] = 1

    with pytest.raises(ChangeRefused, match="a slot's name of 300 bytes"):
        await change()
    assert ann.events() == [Change((("bob", 1),))]


async def test_an_object_lives_as_long_as_the_connection_that_made_it(hub):
    ann, bob = Client(hub, "ann"), Client(hub, "bob")
    async with shared_object("scores", scope_of(ann)) as scores:
        scores["round"] = 1
    await bob.use()
    assert bob.data == {"round": 1}
    bob.release()
    await bob.use(version=0)
    assert bob.data == {"round": 1}
    bob.release()
    ann.port.close()
    await bob.use(version=0)
    assert bob.data == {}


async def test_after_the_end_of_its_connection_it_still_reaches_others(ann, hub):
    gone = Client(hub, "gone")
    gone.port.close()
    async with shared_object("scores", scope_of(gone)) as scores:
        scores["gone"] = True
    await settle()
    assert ann.events() == [Change((("gone", True),))]


async def test_a_client_that_has_not_seen_it_loses_to_it(ann):
    version = ann.version
    async with shared_object("scores", scope_of(ann)) as scores:
        scores["ann"] = 5
    ann.events()
    ann.set("ann", 6, version=version)
    assert ann.events() == [Change((("ann", 5),))]
    ann.set("ann", 7)
    assert Success("ann") in ann.events()


async def test_persistence_must_fit(ann):
    with pytest.raises(SharedObjectRefused, match="BadPersistence"):
        async with shared_object("scores", scope_of(ann), persistent=True):
            pass


@pytest.mark.parametrize("scope", [{"type": "http", "path": "/lobby/room1"}, {"path": "/"}])
async def test_code_outside_of_a_connection_is_told(ann, scope):
    with pytest.raises(NotShared, match="in-memory sequencer"):
        async with shared_object("scores", scope):
            pass


async def test_another_event_loop_is_told():
    assert shared_object_hubs.peek() is None
    try:
        with pytest.raises(NotShared):
            async with shared_object("scores", {"path": "/a", "rtmp": {"connection_id": "x"}}):
                pass
    finally:
        await shared_object_hubs.close()


async def test_repr(ann):
    async with shared_object("scores", scope_of(ann)) as scores:
        assert repr(scores) == "<SharedObjectView {'ann': 1}>"


async def test_a_lock_that_was_broken_changes_nothing(ann):
    async def change():
        async with shared_object("scores", scope_of(ann), lock=True) as scores:
            ann.set("ann", 7)
            scores["ann"] = scores["ann"] + 1

    with pytest.raises(ObjectChanged):
        await change()
    assert ann.data == {"ann": 7}


async def test_update_tries_again(ann):
    seen = []

    def update(scores):
        seen.append(scores["ann"])
        if len(seen) < 3:
            ann.set("ann", 10 * len(seen))
        scores["ann"] += 1
        return "done"

    assert await update_shared_object("scores", scope_of(ann), update) == "done"
    assert seen == [1, 10, 20]
    assert ann.data == {"ann": 21}


async def test_update_gives_up(ann):
    def update(scores):
        ann.set("ann", scores["ann"] + 1)
        scores["ann"] = 0

    with pytest.raises(ObjectChanged):
        await update_shared_object("scores", scope_of(ann), update)
    assert ann.data == {"ann": 1 + ATTEMPTS}
