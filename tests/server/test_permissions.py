"""Who may connect, call, publish, play and use shared objects; and users that change meanwhile."""

import asyncio
import logging

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Permission

from rtmp_channels.auth import RtmpAuthMiddleware, make_token
from rtmp_channels.consumers import AsyncRtmpConsumer, remote
from rtmp_channels.exceptions import CallFailed
from rtmp_channels.fresh_users import FreshUsers, fresh_users
from rtmp_channels.permissions import ANYONE, NOBODY, USERS
from rtmp_channels.protocol.events import StatusReceived
from rtmp_channels.testing import LiveRtmpServer
from tests.server.patient import PatientCommunicator
from tests.support.rtmp_client import RtmpClient

PUBLISH = "rtmp_channels.publish_stream"


class FakeUser:
    is_authenticated = True
    pk = 1

    def __init__(self, *permissions):
        self.permissions = permissions

    async def ahas_perm(self, permission):
        return permission in self.permissions


ANONYMOUS, USER, PUBLISHER = AnonymousUser(), FakeUser(), FakeUser(PUBLISH)


async def as_user(user, application):
    """A communicator of a connection whose user a middleware has found."""

    async def middleware(scope, receive, send):
        await application({**scope, "user": user}, receive, send)

    return PatientCommunicator(middleware, "/app")


async def test_by_default_nobody_may_connect(caplog):
    class Plain(AsyncRtmpConsumer):
        pass

    for user in (ANONYMOUS, PUBLISHER):
        client = await as_user(user, Plain.as_asgi())
        assert await client.connect() == (False, "NetConnection.Connect.Rejected")
        await client.disconnect()
    said = [record.message for record in caplog.records if "may_connect" in record.message]
    assert len(said) == 1
    assert said[0].endswith("Plain lets nobody connect: its may_connect is NOBODY, the default")


async def test_nobody_is_told_of_a_door_that_is_open_to_others(caplog):
    client = await as_user(ANONYMOUS, AsyncRtmpConsumer.as_asgi(may_connect=USERS))
    assert not (await client.connect())[0]
    await client.disconnect()
    assert "may_connect" not in caplog.text


async def test_by_default_who_may_connect_may_do_nothing():
    class Entered(AsyncRtmpConsumer):
        may_connect = ANYONE

        @remote
        async def ping(self):
            return "pong"

    client = await as_user(PUBLISHER, Entered.as_asgi())
    assert (await client.connect())[0]
    for method in ("ping", "echo.echo"):
        with pytest.raises(CallFailed, match=r"Client\.Authorization"):
            await client.call(method)
    assert not await client.publish("any")
    assert not await client.play("any")
    assert await client.use_shared_object("any") is None
    await client.disconnect()


CASES = [
    (NOBODY, (False, False, False)),
    (ANYONE, (True, True, True)),
    (USERS, (False, True, True)),
    (PUBLISH, (False, False, True)),
]


@pytest.mark.parametrize(("who", "allowed"), CASES, ids=[who for who, _ in CASES])
async def test_each_door(who, allowed):
    class Doors(AsyncRtmpConsumer):
        may_connect = ANYONE
        may_call = may_publish = may_play = may_use_shared_objects = who

        @remote
        async def ping(self):
            return "pong"

    for user, expected in zip((ANONYMOUS, USER, PUBLISHER), allowed, strict=True):
        client = await as_user(user, Doors.as_asgi())
        assert (await client.connect())[0]
        assert await client.publish("any") is expected
        assert await client.play("any") is expected
        assert (await client.use_shared_object("any") is not None) is expected
        if expected:
            assert await client.call("ping") == "pong"
        else:
            needs = "Authentication" if user is ANONYMOUS and who != NOBODY else "Authorization"
            for method in ("ping", "echo.echo", "unknown"):
                with pytest.raises(CallFailed, match=rf"Client\.{needs}"):
                    await client.call(method)
        await client.disconnect()


@pytest.mark.parametrize(("who", "allowed"), CASES, ids=[who for who, _ in CASES])
async def test_connecting(who, allowed):
    for user, expected in zip((ANONYMOUS, USER, PUBLISHER), allowed, strict=True):
        client = await as_user(user, AsyncRtmpConsumer.as_asgi(may_connect=who))
        accepted, information = await client.connect()
        assert accepted is expected
        assert expected or information == "NetConnection.Connect.Rejected"
        await client.disconnect()


class Known(AsyncRtmpConsumer):
    may_connect = may_call = ANYONE
    may_publish = PUBLISH

    @remote
    async def who(self):
        return str(self.user)


@pytest.fixture
def ada(transactional_db):
    return get_user_model().objects.create_user("ada", password="analytical")


@pytest.fixture
async def client(ada):
    application = RtmpAuthMiddleware(Known.as_asgi())
    communicator = PatientCommunicator(application, f"/app?token={make_token(ada)}")
    assert (await communicator.connect(10))[0]
    yield communicator
    if not communicator.future.done():
        await communicator.disconnect()
    assert fresh_users.get()._task is None
    await fresh_users.close()


async def test_what_a_user_may_follows_within_the_interval(client, ada):
    assert not await client.publish("any")
    await ada.user_permissions.aadd(await Permission.objects.aget(codename="publish_stream"))
    ada.username = "countess"
    await ada.asave()
    await fresh_users.get().read()
    assert await client.publish("any")
    assert await client.call("who") == "countess"


async def deactivated(user):
    user.is_active = False
    await user.asave()


async def deleted(user):
    await user.adelete()


async def given_another_password(user):
    user.set_password("difference")
    await user.asave()


@pytest.mark.parametrize("gone", [deactivated, deleted, given_another_password])
async def test_who_is_gone_is_disconnected(client, ada, gone):
    await gone(ada)
    await fresh_users.get().read()
    message = await client.receive_output()
    assert (message["type"], message["code"]) == ("rtmp.close", "NetConnection.Connect.Rejected")
    assert await client.call("who") == "AnonymousUser"


async def test_it_happens_by_itself(ada, settings, caplog):
    settings.RTMP_CHANNELS = {"USER_RELOAD_INTERVAL": 0.05}
    application = RtmpAuthMiddleware(Known.as_asgi())
    communicator = PatientCommunicator(application, f"/app?token={make_token(ada)}")
    assert (await communicator.connect(10))[0]
    await deactivated(ada)
    assert (await communicator.receive_output(10))["type"] == "rtmp.close"
    await communicator.disconnect()
    await fresh_users.close()


def test_over_a_socket(ada, settings):
    settings.RTMP_CHANNELS = {"USER_RELOAD_INTERVAL": 0.05}
    with (
        LiveRtmpServer(RtmpAuthMiddleware(Known.as_asgi())) as server,
        RtmpClient(server.port, f"app?token={make_token(ada)}") as client,
    ):
        assert client.call("who") == "ada"
        get_user_model().objects.update(is_active=False)
        status = client.wait_for(lambda event: isinstance(event, StatusReceived))
        assert status.information["description"] == "Your login does not hold any more."
        with pytest.raises(ConnectionError):
            client.wait_for(lambda event: False)


async def test_one_query_for_all_connections(client, ada, monkeypatch):
    asked, read = [], []

    def users_of(keys):
        asked.append(set(keys))
        return {ada.pk: ada}

    class Watching:
        user = ada

        def user_read(self, user):
            read.append(user)

    monkeypatch.setattr("rtmp_channels.fresh_users._users", users_of)
    users, watching = fresh_users.get(), [Watching() for _ in range(3)]
    for one in watching:
        users.watch(one)
    await users.read()
    assert (asked, read) == ([{ada.pk}], [ada] * 3)
    for one in watching:
        users.forget(one)


async def test_a_database_that_fails_leaves_users_as_they_were(monkeypatch, caplog):
    reads = 0

    def fail(keys):
        nonlocal reads
        reads += 1
        raise OSError("no database")

    monkeypatch.setattr("rtmp_channels.fresh_users._users", fail)
    caplog.set_level(logging.WARNING, "rtmp_channels")

    class Watching:
        user = get_user_model()(pk=1)

        def user_read(self, user):
            pytest.fail("nothing was read")

    users, watching = FreshUsers(0.001), Watching()
    users.watch(watching)
    task = users._task
    while reads < 3:
        await asyncio.sleep(0.001)
    users.forget(watching)
    assert task.cancelling()
    assert len([one for one in caplog.records if "cannot be read again" in one.message]) == 1


async def test_a_consumer_that_fails_holds_up_no_other(monkeypatch, caplog):
    told = []

    class Watching:
        def __init__(self, fails):
            self.user = get_user_model()(pk=1)
            self.fails = fails

        async def user_gone(self):
            if self.fails:
                raise RuntimeError("a bug")
            told.append(self.user.pk)

    users = FreshUsers(30)
    monkeypatch.setattr("rtmp_channels.fresh_users._users", lambda keys: {})
    for fails in (True, False):
        users.watch(Watching(fails))
    await users.read()
    async with asyncio.timeout(10):
        while users._telling:
            await asyncio.sleep(0)
    assert told == [1]
    assert "A consumer could not be told that its user is gone" in caplog.text


async def test_who_takes_its_time_to_end_is_cancelled_with_the_server(monkeypatch):
    began, ended = asyncio.Event(), asyncio.Event()

    class Slow:
        user = get_user_model()(pk=1)

        async def user_gone(self):
            began.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

    users = FreshUsers(0.001)
    monkeypatch.setattr("rtmp_channels.fresh_users._users", lambda keys: {})
    users.watch(Slow())
    await began.wait()
    assert users._task is None, "nobody is left to be watched, and that cancels nothing"
    await users.close()
    assert ended.is_set()


@pytest.mark.parametrize("user", [USER, ANONYMOUS, None])
async def test_only_the_databases_users_are_read(user):
    class Watching:
        pass

    watching = Watching()
    watching.user = user
    users = FreshUsers(30)
    users.watch(watching)
    assert users._task is None


async def test_an_interval_of_0_reads_none():
    class Watching:
        user = get_user_model()(pk=1)

    users = FreshUsers(0)
    users.watch(Watching())
    assert users._task is None
    await users.close()
