"""Objects from Django code that is no consumer: views, tasks, commands, shells; sync or async."""

import asyncio

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.http import JsonResponse
from django.test import RequestFactory

from rtmp_channels.shared_objects.access import (
    NotShared,
    ObjectChanged,
    shared_object,
    update_shared_object,
)
from rtmp_channels.shared_objects.current import shared_object_hubs
from tests.shared_objects.clients import Client, settle, until

ROOM = {"path": "/lobby/room1"}


@pytest.fixture
def over_redis(settings, redis_url):
    settings.RTMP_CHANNELS = {"SEQUENCER": "redis", "REDIS_URL": redis_url}


def score(request):
    with shared_object("scores", ROOM) as scores:
        scores["ann"] = scores.get("ann", 0) + 1
        return JsonResponse(dict(scores))


async def ascore(request):
    async with shared_object("scores", ROOM) as scores:
        scores["ann"] = scores.get("ann", 0) + 1
        return JsonResponse(dict(scores))


@pytest.mark.redis
def test_a_sync_view_under_wsgi_and_a_shell(over_redis):
    """No loop runs in this thread; the block has one of its own."""
    request = RequestFactory().get("/")
    with shared_object("scores", ROOM) as scores:  # keeps the object alive
        assert dict(scores) == {}
        assert [score(request).content for _ in range(2)] == [b'{"ann": 1}', b'{"ann": 2}']

    def point(scores):
        scores["bob"] = 1
        return dict(scores)

    assert async_to_sync(update_shared_object)("scores", ROOM, point) == {"bob": 1}


@pytest.mark.redis
async def test_views_in_a_server_use_its_hub(over_redis):
    request = RequestFactory().get("/")
    hub = shared_object_hubs.get()
    try:
        ann = Client(hub, "ann")
        ann.say_use()
        await until(lambda: ann.messages)
        await sync_to_async(score)(request)
        await ascore(request)
        await sync_to_async(score, thread_sensitive=False)(request)
        await until(lambda: ann.data == {"ann": 3})
        assert list(hub._objects)  # ann's own use
        ann.port.close()
        await settle()
        assert not hub._objects
    finally:
        await shared_object_hubs.close()


@pytest.mark.redis
async def test_an_exception_in_a_sync_block_changes_nothing(over_redis):
    def fail():
        with shared_object("scores", ROOM) as scores:
            scores["a"] = 1
            raise LookupError

    def work():
        with shared_object("scores", ROOM) as kept:
            with pytest.raises(LookupError):
                fail()
            with shared_object("scores", ROOM) as scores:
                return dict(kept), dict(scores)

    assert await asyncio.to_thread(work) == ({}, {})


@pytest.mark.redis
def test_a_lock_in_sync_code(over_redis):
    def change():
        with shared_object("scores", ROOM, lock=True) as scores:
            with shared_object("scores", ROOM) as others:
                others["a"] = 1
            scores["a"] = 2

    with shared_object("scores", ROOM) as kept:
        assert len(kept) == 0
        with pytest.raises(ObjectChanged):
            change()
        with shared_object("scores", ROOM) as scores:
            assert dict(scores) == {"a": 1}


async def test_a_sync_handler_of_a_connection_reaches_objects_in_memory():
    """As a sync consumer or service does, in its thread: on the loop that the connection is on."""
    hub = shared_object_hubs.get()
    try:
        ann = Client(hub, "ann")
        await ann.use()
        scope = {**ROOM, "rtmp": {"connection_id": ann.id}}

        def handler():
            with shared_object("scores", scope) as scores:
                scores["ann"] = 3

        await sync_to_async(handler, thread_sensitive=False)()
        assert ann.data == {"ann": 3}
        ann.port.close()
    finally:
        await shared_object_hubs.close()


def test_sync_code_without_redis_is_told():
    with pytest.raises(NotShared, match="in-memory sequencer"), shared_object("scores", ROOM):
        pass


async def test_async_code_that_forgets_to_await_is_told():
    with pytest.raises(RuntimeError, match="async event loop"), shared_object("scores", ROOM):
        pass
