import asyncio
import logging
from contextlib import suppress

import pytest

from rtmp_channels import relay as relay_module
from rtmp_channels.relay import Relay, group_name, relay_message
from tests.rooms.layers import FakeLayer


class Inbox:
    def __init__(self):
        self.messages = []
        self.arrived = asyncio.Event()

    def __call__(self, group, body):
        self.messages.append((group, body))
        self.arrived.set()

    async def wait(self):
        async with asyncio.timeout(5):
            await self.arrived.wait()
        self.arrived.clear()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(relay_module, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(relay_module, "LONGEST_PAUSE", 0.005)


@pytest.fixture
def layer():
    return FakeLayer()


@pytest.fixture
async def relays(layer):
    made = []

    def make():
        inbox = Inbox()
        made.append(Relay(layer, inbox))
        return made[-1], inbox

    yield make
    for relay in made:
        await relay.close()


@pytest.mark.parametrize("name", ["lobby/room1", "", "ü" * 300, "\ud800"])
def test_group_name_fits_every_layer(name):
    kind, digest = group_name("room", name).split(".")
    assert kind == "room"
    assert len(digest) == 32
    assert set(digest) <= set("0123456789abcdef")


async def test_what_one_sends_the_others_get_and_its_echo_is_ignored(layer, relays):
    (one, own), (other, theirs) = relays(), relays()
    await one.follow("room.a")
    await other.follow("room.a")
    await one.send("room.a", b"first")
    await theirs.wait()
    await other.send("room.a", b"second")
    await own.wait()
    assert theirs.messages == [("room.a", b"first")]
    assert own.messages == [("room.a", b"second")]


async def test_message_is_small_and_documented(layer, relays):
    one, _ = relays()
    await one.send("room.a", b"\0body")
    expected = {
        "type": "rtmp.relay",
        "group": "room.a",
        "origin": one.origin,
        "body": b"\0body",
    }
    assert layer.sent == [("room.a", expected)]
    assert relay_message("room.a", b"\0body", origin=one.origin) == expected


async def test_one_channel_serves_all_groups(layer, relays):
    one, _ = relays()
    for group in "abc":
        await one.follow(group)
    assert layer.groups == {group: {"rtmp.0"} for group in "abc"}


async def test_unfollow_leaves_the_group(layer, relays):
    one, _ = relays()
    await one.follow("a")
    one.unfollow("a")
    await layer.until(lambda: layer.groups == {"a": set()})


async def test_a_group_left_and_followed_at_once_stays(layer, relays):
    one, _ = relays()
    await one.follow("a")
    one.unfollow("a")
    await one.follow("a")
    await one.follow("b")
    assert layer.groups == {"a": {"rtmp.0"}, "b": {"rtmp.0"}}


async def test_a_failing_layer_is_logged_once_and_membership_restored(layer, relays, caplog):
    caplog.set_level(logging.INFO, relay_module.__name__)
    layer.failing = {"group_add", "group_send"}
    one, _ = relays()
    await one.follow("a")  # returns although the layer fails
    await one.send("a", b"lost")
    await one.send("a", b"lost too")
    layer.failing = set()
    await layer.until(lambda: layer.groups.get("a"))
    await one.follow("b")
    texts = [record.getMessage() for record in caplog.records]
    assert len(texts) == 2
    assert "fails (join: group_add fails)" in texts[0]
    assert texts[1] == "The channel layer answers again"


async def test_receiving_survives_errors_with_a_new_channel(layer, relays):
    one, inbox = relays()
    await one.follow("a")
    layer.channels["rtmp.0"].put_nowait(ConnectionError("connection lost"))
    await layer.until(lambda: layer.groups["a"] == {"rtmp.1"})
    await layer.group_send("a", relay_message("a", b"after", origin="another"))
    await inbox.wait()
    assert inbox.messages == [("a", b"after")]


async def test_no_channel_at_first(layer, relays):
    layer.failing = {"new_channel"}
    one, _ = relays()
    await one.follow("a")  # returns after the failed attempt
    assert layer.groups == {}
    layer.failing = set()
    await layer.until(lambda: layer.groups.get("a"))


@pytest.mark.parametrize("silent", ["new_channel", "group_add"])
async def test_nobody_waits_for_long_for_a_layer_that_says_nothing(
    layer, relays, monkeypatch, caplog, silent
):
    monkeypatch.setattr(relay_module, "ATTEMPT_TIMEOUT", 0.01)
    speaks, answer = asyncio.Event(), getattr(layer, silent)

    async def hang(*arguments):
        await speaks.wait()
        return await answer(*arguments)

    monkeypatch.setattr(layer, silent, hang)
    caplog.set_level(logging.INFO, relay_module.__name__)
    one, _ = relays()
    async with asyncio.timeout(5):
        await one.follow("a")
        while not caplog.records:
            await asyncio.sleep(0.01)
        await one.follow("b")  # it is known to fail: at once
        one.unfollow("b")
        assert not one._waiters
        speaks.set()
        await layer.until(lambda: layer.groups.get("a"))
    await one.follow("c")
    texts = [record.getMessage() for record in caplog.records]
    assert len(texts) == 2
    assert "fails" in texts[0]
    assert texts[1] == "The channel layer answers again"


async def test_nothing_to_do_is_no_sign_of_life(layer, relays, caplog):
    caplog.set_level(logging.INFO, relay_module.__name__)
    one, _ = relays()
    await one.follow("a")
    layer.failing = {"group_send"}
    await one.send("a", b"lost")
    one._changed.set()
    await asyncio.sleep(0.01)
    assert len(caplog.records) == 1, "the layer was not asked"


async def test_a_foreign_or_broken_message_is_survived(layer, relays, caplog):
    one, inbox = relays()
    await one.follow("a")
    await layer.group_send("a", {"type": "chat.message"})
    await layer.group_send("a", {"type": "rtmp.relay", "origin": "x"})
    await layer.group_send("a", relay_message("a", b"good", origin="another"))
    await inbox.wait()
    assert inbox.messages == [("a", b"good")]
    assert "could not be delivered" in caplog.text


async def test_groups_are_joined_again_from_time_to_time(layer, relays, monkeypatch):
    monkeypatch.setattr(relay_module, "RENEWAL", 0.01)
    one, _ = relays()
    await one.follow("a")
    layer.groups.clear()  # as a layer does that expires memberships
    await layer.until(lambda: layer.groups.get("a"))


async def test_close_leaves_all_groups_and_may_be_repeated(layer, relays):
    one, _ = relays()
    await one.follow("a")
    await one.close()
    await one.close()
    assert layer.groups == {"a": set()}


async def test_close_right_after_unfollow(layer, relays):
    one, _ = relays()
    await one.follow("a")
    one.unfollow("a")
    async with asyncio.timeout(5):
        await one.close()


async def test_close_does_not_wait_for_a_layer_that_hangs(relays, layer, monkeypatch):
    monkeypatch.setattr(relay_module, "ATTEMPT_TIMEOUT", 0.01)
    one, _ = relays()
    await one.follow("a")

    async def hang(*_):
        await asyncio.Event().wait()

    monkeypatch.setattr(layer, "group_discard", hang)
    async with asyncio.timeout(5):
        await one.close()


async def test_close_ends_although_the_layer_swallows_a_cancellation(layer, relays):
    relay, _ = relays()
    await relay.follow("room.a")
    joining, join = asyncio.Event(), layer.group_add

    async def swallow(group, channel):
        joining.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await join(group, channel)

    layer.group_add = swallow
    follower = asyncio.create_task(relay.follow("room.b"))
    await joining.wait()
    async with asyncio.timeout(1):
        await relay.close()
        await follower
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("rtmp relay")]
