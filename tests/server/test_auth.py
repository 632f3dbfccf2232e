"""Who is at the other end."""

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore

from rtmp_channels.auth import RtmpAuthMiddleware, RtmpOriginValidator, make_token
from rtmp_channels.testing import RtmpCommunicator


async def tell_user(scope, receive, send):
    await receive()
    await send({"type": "rtmp.accept", "information": {"user": str(scope["user"])}})


async def accept(scope, receive, send):
    await receive()
    await send({"type": "rtmp.accept"})


async def user_of(query):
    communicator = RtmpCommunicator(RtmpAuthMiddleware(tell_user), f"/lobby/room1?{query}")
    accepted, information = await communicator.connect()
    await communicator.wait()
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


@pytest.mark.parametrize("query", ["", "token=", "token=forged", "token=%00", "sessionid=nobody"])
async def test_everyone_else_is_anonymous(transactional_db, query):
    assert await user_of(query) == "AnonymousUser"


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
        (None, {}, True),
        (None, {"require_origin": True}, False),
    ],
)
async def test_origins(origin, options, accepted):
    headers = [(b"origin", origin)] if origin else []
    validator = RtmpOriginValidator(accept, ORIGINS, **options)
    communicator = RtmpCommunicator(validator, "/lobby", headers=headers)
    assert (await communicator.connect())[0] is accepted
    await communicator.wait()
