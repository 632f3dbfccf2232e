"""Who is at the other end."""

import asyncio
import logging
import subprocess

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.core import signing
from django.db import DataError

from amf_remoting.throttle import buckets
from rtmp_channels.auth import RtmpAuthMiddleware, RtmpOriginValidator, make_token
from rtmp_channels.consumers import AsyncRtmpConsumer
from rtmp_channels.counters import Limit, counters
from rtmp_channels.permissions import ANYONE, USERS
from rtmp_channels.testing import LiveRtmpServer
from tests.server.patient import PatientCommunicator
from tests.support.process import find_program
from tests.support.rtmp_client import RtmpClient, RtmpRefusal


async def tell_user(scope, receive, send):
    await receive()
    await send({"type": "rtmp.accept", "information": {"user": str(scope["user"])}})


async def accept(scope, receive, send):
    await receive()
    await send({"type": "rtmp.accept"})


async def connected(query="", *arguments, application=None, **options):
    """(accepted, information) of a connection with this query and these arguments."""
    application = application or RtmpAuthMiddleware(tell_user, **options)
    communicator = PatientCommunicator(application, f"/lobby/room1?{query}", arguments=arguments)
    answer = await communicator.connect(10)
    await communicator.wait(10)
    return answer


async def user_of(query="", *arguments, **options):
    accepted, information = await connected(query, *arguments, **options)
    assert accepted
    return information["user"]


@pytest.fixture
def ada(transactional_db):
    return get_user_model().objects.create_user("ada", password="analytical")


@pytest.fixture
def session_key(ada):
    session = SessionStore()
    session[SESSION_KEY] = str(ada.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = ada.get_session_auth_hash()
    session.save()
    return session.session_key


async def test_a_token_names_its_user(ada):
    assert await user_of(f"token={make_token(ada)}") == "ada"


async def test_a_token_dies_with_the_password(ada):
    token = make_token(ada)
    ada.set_password("difference")
    await ada.asave()
    assert await user_of(f"token={token}") == "AnonymousUser"


async def test_a_token_outlives_the_sites_key_as_long_as_that_is_a_fallback(ada, settings):
    token = make_token(ada)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    assert await user_of(f"token={token}") == "ada"
    settings.SECRET_KEY_FALLBACKS = []
    assert await user_of(f"token={token}") == "AnonymousUser"


@pytest.mark.parametrize(
    "content",
    [{"a": 1}, [], [None, None], [[1], {}], ["9" * 400, "x"], ["1\0", "x"], ["1", ""], "text", 7],
    ids=str,
)
async def test_what_the_site_signed_for_other_ends_is_no_token(ada, content):
    for salt in ("rtmp_channels.token", "another"):
        assert await user_of(f"token={signing.dumps(content, salt=salt)}") == "AnonymousUser"


async def test_a_token_with_another_users_signature(ada):
    eve = await get_user_model().objects.acreate_user("eve", password="listening")
    mine, theirs = make_token(eve), make_token(ada)
    content, signature = theirs.partition(":")[0], mine.partition(":")[2]
    for token in (f"{content}:{signature}", theirs[:-1], f"{theirs}x", f"x{theirs}"):
        assert await user_of(f"token={token}") == "AnonymousUser"


async def test_the_session_of_a_user_who_logged_out_or_of_long_ago(ada, session_key):
    session = SessionStore(session_key)
    for seconds, user in ((-10, "AnonymousUser"), (60, "ada")):
        await session.aset_expiry(seconds)
        await session.asave()
        assert await user_of(f"sessionid={session_key}") == user
    await session.aflush()
    assert await user_of(f"sessionid={session_key}") == "AnonymousUser"


async def test_a_token_of_someone_inactive_or_gone(ada):
    token = make_token(ada)
    ada.is_active = False
    await ada.asave()
    assert await user_of(f"token={token}") == "AnonymousUser"
    await ada.adelete()
    assert await user_of(f"token={token}") == "AnonymousUser"


async def test_an_old_token(ada, settings):
    token = make_token(ada)
    settings.RTMP_CHANNELS = {"TOKEN_MAX_AGE": 0}
    assert await user_of(f"token={token}") == "AnonymousUser"


async def test_a_session_names_its_user(session_key):
    assert await user_of(f"sessionid={session_key}") == "ada"


@pytest.mark.parametrize(
    "query", ["", "token=", "token=forged", "token=%00", "sessionid=nobody", "sessionid=%00nobody"]
)
async def test_everyone_else_is_anonymous(transactional_db, query):
    assert await user_of(query) == "AnonymousUser"


async def test_a_session_key_that_no_store_takes(transactional_db):
    """SQLite refuses what is no UTF-8, PostgreSQL also what contains NUL."""
    assert await user_of("", {"sessionid": "\ud800" * 10}) == "AnonymousUser"


async def test_connect_arguments_do_as_well(ada, session_key):
    for argument in ({"token": make_token(ada)}, {"sessionid": session_key}):
        assert await user_of("", "first", argument) == "ada"
    assert await user_of("", {"user": "ada", "password": "analytical"}) == "ada"
    assert await user_of("", "ada", "analytical", login_by_arguments=True) == "ada"


@pytest.mark.parametrize(
    "arguments",
    [
        ("ada", "analytical"),
        ({"user": "ada"},),
        ({"password": "analytical"},),
        ({"user": "ada", "password": 7},),
        ({"user": "", "password": ""},),
        ({"token": None},),
        (7, None, [1, 2]),
    ],
    ids=str,
)
async def test_other_arguments_are_no_credentials(ada, arguments):
    assert await user_of("", *arguments) == "AnonymousUser"


async def test_the_application_finds_its_arguments_without_the_credentials(ada):
    seen = []

    async def application(scope, receive, send):
        seen.append(scope["rtmp"]["arguments"])
        await tell_user(scope, receive, send)

    secrets = {"token": "t", "user": "ada", "password": "analytical", "color": "red"}
    await connected("", 1, secrets, application=RtmpAuthMiddleware(application))
    positional = RtmpAuthMiddleware(application, login_by_arguments=True)
    await connected("", "ada", "analytical", "red", application=positional)
    assert seen == [[1, {"color": "red"}], ["red"]]


WRONG = [
    {"user": "ada", "password": "wrong"},
    {"user": "nobody", "password": "analytical"},
    {"user": "ada\0", "password": "analytical"},
    {"user": "ada", "password": "x" * 1_001},
]


@pytest.fixture
def _no_attempts_yet():
    buckets.clear()
    yield
    buckets.clear()


@pytest.mark.usefixtures("_no_attempts_yet")
@pytest.mark.parametrize("argument", WRONG, ids=["password", "user", "nul", "long"])
async def test_a_wrong_password_is_rejected(ada, argument):
    assert await connected("", argument) == (False, "NetConnection.Connect.Rejected")


@pytest.mark.usefixtures("_no_attempts_yet")
@pytest.mark.parametrize("error", [ValueError, DataError], ids=["psycopg2", "psycopg"])
async def test_what_the_database_refuses_is_wrong(ada, monkeypatch, error):
    def refuse(request, **credentials):
        raise error("A string literal cannot contain NUL (0x00) characters.")

    monkeypatch.setattr("rtmp_channels.logins.authenticate", refuse)
    assert not (await connected("", {"user": "ada", "password": "analytical"}))[0]


@pytest.mark.usefixtures("_no_attempts_yet")
async def test_attempts_are_throttled_also_those_made_at_once(ada, settings, caplog):
    settings.AMF_REMOTING = {**settings.AMF_REMOTING, "LOGIN_THROTTLE": "3/min"}
    caplog.set_level(logging.INFO, "rtmp_channels")
    before = counters[Limit.LOGINS]
    application = RtmpAuthMiddleware(tell_user)
    attempts = [
        connected("", {"user": "ada", "password": f"guess {number}"}, application=application)
        for number in range(6)
    ]
    assert {accepted for accepted, _ in await asyncio.gather(*attempts)} == {False}
    right = {"user": "ada", "password": "analytical"}
    assert not (await connected("", right, application=application))[0]
    assert [record.getMessage() for record in caplog.records] == [
        *["127.0.0.1: rejected: wrong user or password"] * 3,
        *["127.0.0.1: rejected: too many wrong passwords"] * 4,
    ]
    assert counters[Limit.LOGINS] - before == 4
    # What needs no password is not affected.
    assert await user_of(f"token={make_token(ada)}") == "ada"


class Studio(AsyncRtmpConsumer):
    may_connect = may_call = ANYONE
    may_publish = USERS


@pytest.mark.interop
@pytest.mark.usefixtures("_no_attempts_yet")
def test_ffmpeg_logs_in_by_its_connect_arguments(ada):
    program = find_program("ffmpeg")
    if program is None:
        pytest.skip("ffmpeg is not installed")

    def publish(password):
        login = f"O:1 NS:user:ada NS:password:{password} O:0"
        source = ["-f", "lavfi", "-i", "testsrc=size=160x120:rate=25", "-t", "0.5"]
        codec = ["-c:v", "flv", "-f", "flv", "-rtmp_conn", login, server.url("studio/show")]
        command = [program, "-v", "error", *source, *codec]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    with LiveRtmpServer(RtmpAuthMiddleware(Studio.as_asgi())) as server:
        assert publish("analytical").returncode == 0
        refused = publish("wrong")
        assert refused.returncode != 0
        assert "Wrong user or password." in refused.stderr


@pytest.mark.usefixtures("_no_attempts_yet")
def test_no_secret_is_logged(ada, session_key, caplog):
    caplog.set_level(logging.DEBUG)
    secrets = [make_token(ada), session_key, "analytical", "a wrong one"]
    token, key, password, wrong = secrets
    application = RtmpAuthMiddleware(AsyncRtmpConsumer.as_asgi(may_connect=ANYONE))
    with LiveRtmpServer(application) as server:
        for query, arguments in [
            (f"?token={token}", []),
            (f"?token={token}x", []),
            (f"?sessionid={key}", []),
            ("", [{"user": "ada", "password": password}]),
            ("", [{"user": "ada", "password": wrong}]),
        ]:
            try:
                with RtmpClient(server.port, f"lobby/a{query}", arguments=arguments) as client:
                    with pytest.raises(RtmpRefusal):
                        client.call("no.such.method")
                    client.socket.sendall(b"\xff" * 100)  # and what breaks the protocol
                    with pytest.raises(ConnectionError):
                        client.call("again")
            except RtmpRefusal:
                assert wrong in str(arguments)
    assert "protocol error" in caplog.text
    assert "wrong user or password" in caplog.text
    assert [secret for secret in secrets if secret in caplog.text] == []


ORIGINS = ["http://example.org", ".example.net"]


@pytest.mark.parametrize(
    ("origin", "options", "accepted"),
    [
        (b"http://example.org/game.html", {}, True),
        (b"HTTP://EXAMPLE.ORG/game.html", {}, True),
        (b"http://games.example.net/", {}, True),
        (b"http://example.com/", {}, False),
        (b"http://example.org.evil.test/", {}, False),
        (b"http://[broken", {}, False),
        (b"https://example.org/", {}, False),
        (b"http://example.org:8080/", {}, False),
        (b"http://user@example.org@example.com/", {}, False),
        (b"null", {}, False),
        (b"file:///home/game.html", {}, False),
        (b"example.org", {}, False),
        (None, {}, True),
        (None, {"require_origin": True}, False),
    ],
)
async def test_origins(origin, options, accepted):
    headers = [(b"origin", origin)] if origin else []
    validator = RtmpOriginValidator(accept, ORIGINS, **options)
    communicator = PatientCommunicator(validator, "/lobby", headers=headers)
    assert (await communicator.connect())[0] is accepted
    await communicator.wait()
