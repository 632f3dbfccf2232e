"""Two hubs on one Redis stand for two processes: one order, whatever is lost on the way."""

import asyncio
import logging

import pytest
from redis.asyncio import Redis

from rtmp_channels.protocol.shared_object import Change, Clear, Remove, Status
from rtmp_channels.shared_objects import lookout as lookout_module
from rtmp_channels.shared_objects.access import shared_object
from rtmp_channels.shared_objects.current import shared_object_hubs
from rtmp_channels.shared_objects.refusals import SequencerUnavailable
from tests.shared_objects.clients import Client, until
from tests.support.process import find_program
from tests.support.redis_server import run_redis_server

pytestmark = pytest.mark.redis


async def make_clients(*hubs):
    clients = [Client(hub, f"client {number}") for number, hub in enumerate(hubs)]
    for client in clients:
        client.say_use()
        await until(lambda client=client: client.messages)
        client.events()
    return clients


async def test_changes_and_sends_reach_the_other_process(make_redis_hub, layers):
    one, two = (make_redis_hub(layer=layer) for layer in layers)
    ann, bob, cem = await make_clients(one, two, two)
    ann.set("a", 1)
    bob.set("b", [2])
    cem.send("hello", "you")
    await until(lambda: all(c.data == {"a": 1, "b": [2]} and c.sent for c in (ann, bob, cem)))
    ann.remove("a")
    await until(lambda: all(c.data == {"b": [2]} for c in (ann, bob, cem)))
    assert ann.version == bob.version == cem.version
    late = Client(one, "late")
    late.say_use()
    await until(lambda: late.data == {"b": [2]})


async def test_a_hint_that_was_lost_is_made_up_for_within_a_second(make_redis_hub, monkeypatch):
    monkeypatch.setattr(lookout_module, "WATCH_INTERVAL", 0.05)
    hubs = make_redis_hub(), make_redis_hub()  # without a layer every hint is lost
    ann, bob = await make_clients(*hubs)
    ann.send("last words")
    await until(lambda: bob.sent == [("last words",)])
    ann.set("a", 1)
    await until(lambda: bob.data == {"a": 1})


async def test_the_order_is_the_same_everywhere(make_redis_hub, layers):
    hubs = [make_redis_hub(layer=layer) for layer in layers]
    clients = await make_clients(*hubs, *hubs)
    for number in range(40):
        for client in clients:
            client.send("count", client.id, number)
    await until(lambda: all(len(client.sent) == 160 for client in clients))
    assert clients[0].sent == clients[1].sent == clients[2].sent == clients[3].sent
    for client in clients:
        own = [number for _, name, number in client.sent if name == client.id]
        assert own == list(range(40))


async def test_a_process_that_missed_more_than_the_log_starts_anew(make_redis_hub, caplog):
    ann, bob = await make_clients(make_redis_hub(log_length=3), make_redis_hub(log_length=3))
    for number in range(6):
        ann.set("a", number)
        await until(ann.events)
    bob.set("b", 1)
    await until(lambda: bob.data == {"a": 5, "b": 1})
    assert bob.events()[:2] == [Clear(), Change((("a", 5),))]
    assert "events were lost" in caplog.text


async def test_a_temporary_object_outlives_a_process_but_not_the_last(make_redis_hub, redis_url):
    one, two = make_redis_hub(), make_redis_hub()
    ann, bob = await make_clients(one, two)
    ann.set("a", 1)
    await until(ann.events)
    ann.port.close()
    await one.close()
    late = Client(two, "late")
    late.say_use()
    await until(lambda: late.data == {"a": 1})
    late.port.close()
    bob.port.close()
    await two.close()
    redis = Redis.from_url(redis_url)
    assert await redis.keys("*") == []
    await redis.aclose()


async def test_redis_goes_and_comes_back_empty(make_redis_hub, monkeypatch, tmp_path, caplog):
    """Read-only meanwhile; then one replica brings the state back, and nobody forks."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(lookout_module, "WATCH_INTERVAL", 0.05)
    program = find_program("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    with run_redis_server(program, tmp_path) as url:
        ann, bob = await make_clients(make_redis_hub(url=url), make_redis_hub(url=url))
        ann.set("a", 1)
        await until(lambda: bob.data == {"a": 1})
        port = int(url.rpartition(":")[2].partition("/")[0])
    ann.events()
    ann.set("a", 2)
    await until(
        lambda: (
            ann.events() == [Status("SharedObject.NoWriteAccess", "error"), Change((("a", 1),))]
            or ann.data == {"a": 1}
        )
    )
    await until(lambda: caplog.text.count("until the sequencer answers") == 2)
    monkeypatch.setattr("tests.support.redis_server.free_port", lambda: port)
    with run_redis_server(program, tmp_path) as again:
        assert again == url
        await until(lambda: caplog.text.count("answers again") == 2)
        bob.set("b", 3)
        await until(lambda: ann.data == bob.data == {"a": 1, "b": 3})
        bob.send("still there")
        await until(lambda: ann.sent == bob.sent == [("still there",)])
        for client in (ann, bob):
            client.port.close()
            await client.port.hub.close()


async def test_removals_are_told_after_a_return(make_redis_hub):
    ann, bob = await make_clients(make_redis_hub(), make_redis_hub())
    ann.set("a", 1)
    ann.set("b", 2)
    await until(lambda: len(ann.messages) == 3)
    bob.set("x", 1)
    await until(lambda: bob.data == {"a": 1, "b": 2, "x": 1})
    bob.release()
    ann.remove("a")
    await until(lambda: ann.data == {"b": 2, "x": 1})
    bob.events()
    bob.say_use()
    await until(lambda: bob.data == {"b": 2, "x": 1})
    assert bob.events()[1:] == [Remove("a")]


async def test_code_outside_of_the_server_takes_part(make_redis_hub, layers, redis_url, settings):
    """A management command, a task: another loop, its own hub, gone after the block."""
    settings.RTMP_CHANNELS = {"SEQUENCER": "redis", "REDIS_URL": redis_url}
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [redis_url]},
        }
    }
    (ann,) = await make_clients(make_redis_hub(layer=layers[0]))
    ann.set("a", 1)
    await until(ann.events)

    async def command():
        async with shared_object("scores", {"path": "/lobby/room1"}) as scores:
            scores["a"] += 1
            scores.send("bell")

    await asyncio.to_thread(asyncio.run, command())
    await until(lambda: ann.data == {"a": 2} and ann.sent == [("bell",)])


async def test_a_connection_reads_what_others_have_written(make_redis_hub, redis_url, settings):
    settings.RTMP_CHANNELS = {"SEQUENCER": "redis", "REDIS_URL": redis_url}
    try:
        ann, bob = await make_clients(shared_object_hubs.get(), make_redis_hub())
        scope = {"path": "/lobby/room1", "rtmp": {"connection_id": ann.id}}
        for number in range(3):
            bob.set("a", number)
            await until(bob.events)
            async with shared_object("scores", scope) as scores:  # no hint has come
                assert scores["a"] == number
        ann.port.close()
    finally:
        await shared_object_hubs.close()


async def test_an_answer_that_was_lost_leaves_no_copy_behind(make_redis_hub):
    """Redis has decided, but we do not hear it: the writer is refused, then told what holds."""
    hub = make_redis_hub()
    ann, bob = await make_clients(hub, hub)
    decide = hub.sequencer.exchange

    async def lose_the_answer(*arguments):
        await decide(*arguments)
        raise SequencerUnavailable("timeout")

    hub.sequencer.exchange = lose_the_answer
    ann.set("a", 1)
    ann.send("once")
    await until(lambda: len(ann.messages) == 3)
    assert ann.data == bob.data == {}
    hub.sequencer.exchange = decide
    bob.set("b", 1)
    await until(lambda: ann.data == bob.data == {"a": 1, "b": 1})
    assert ann.sent == bob.sent == [("once",)]


async def test_a_sequencer_that_breaks_refuses_and_is_logged(make_redis_hub, caplog):
    hub = make_redis_hub()
    ann, bob = await make_clients(hub, hub)
    decide = hub.sequencer.exchange

    async def fail(*arguments):
        raise LookupError("a bug")

    hub.sequencer.exchange = fail
    ann.set("a", 1)
    await until(lambda: ann.data == {})
    assert "a bug" in caplog.text
    hub.sequencer.exchange = decide
    ann.set("a", 2)
    await until(lambda: bob.data == {"a": 2})


async def test_server_code_is_told_when_nothing_was_changed(make_redis_hub, settings, redis_url):
    settings.RTMP_CHANNELS = {"SEQUENCER": "redis", "REDIS_URL": redis_url}
    hub = shared_object_hubs.get()
    try:
        (ann,) = await make_clients(hub)

        async def fail(*arguments):
            raise SequencerUnavailable("down")

        async def change():
            scope = {"path": "/lobby/room1", "rtmp": {"connection_id": ann.id}}
            async with shared_object("scores", scope) as scores:
                hub.sequencer.exchange = fail
                scores["a"] = 1

        with pytest.raises(SequencerUnavailable, match="nothing was changed"):
            await change()
        ann.port.close()
    finally:
        await shared_object_hubs.close()
