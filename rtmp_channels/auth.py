"""Who is at the other end: middlewares that work without cookies or headers.

RTMP clients send none; what they can carry is the query of the application's name
(`rtmp://host/lobby/room1?token=…`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from channels.auth import get_user
from channels.security.websocket import OriginValidator
from channels.sessions import InstanceSessionWrapper
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core import signing

from rtmp_channels.application import ASGIApplication
from rtmp_channels.conf import rtmp_settings, session_cookie_name
from rtmp_channels.goodbye import REJECTED
from rtmp_channels.routing import reject

_SALT = "rtmp_channels.token"


def make_token(user: Any) -> str:
    """A signed token for `?token=`: names the user, and dies with their password.

    Valid for TOKEN_MAX_AGE seconds. Give it to a page that the user has logged in to.
    """
    return signing.dumps([str(user.pk), _fingerprint(user)], salt=_SALT)


class RtmpAuthMiddleware:
    """Fills `scope["user"]`: from `?token=`, else from `?sessionid=` (a Django session's key).

    Whoever has neither, or a wrong one, is an AnonymousUser: applications decide what that means.
    """

    def __init__(self, inner: ASGIApplication) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        query = parse_qs(scope["query_string"].decode("utf-8", "replace"))
        user = await _user_of_token(query.get("token", [""])[0])
        if user is None:
            user = await _user_of_session(query.get(session_cookie_name(), [""])[0], scope, send)
        await self.inner({**scope, "user": user}, receive, send)


class RtmpOriginValidator(OriginValidator):  # type: ignore[misc]
    """Rejects players in pages of other sites, by the pageUrl that Flash players send.

    `allowed_origins` as in Channels' validator. Programs that are no web pages send no pageUrl;
    they are let in unless `require_origin`. Proves nothing about a client that lies.
    """

    def __init__(
        self,
        application: ASGIApplication,
        allowed_origins: Sequence[str],
        *,
        require_origin: bool = False,
    ) -> None:
        super().__init__(application, allowed_origins)
        self._require_origin = require_origin

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if self._is_allowed(scope):
            await self.application(scope, receive, send)
        else:
            await reject(receive, send, code=REJECTED, description="Origin not allowed.")

    def _is_allowed(self, scope: dict[str, Any]) -> bool:
        try:
            origin = _origin(scope)
            return (origin is None and not self._require_origin) or self.valid_origin(origin)
        except ValueError:  # what the client sent is no URL
            return False


def _origin(scope: dict[str, Any]) -> SplitResult | None:
    for name, value in scope["headers"]:
        if name == b"origin":
            origin: str = value.decode("latin-1").lower()
            return urlsplit(origin)
    return None


def _fingerprint(user: Any) -> str:
    return str(user.get_session_auth_hash())[:16]


async def _user_of_token(token: str) -> Any:
    if not token:
        return None
    try:
        key, fingerprint = signing.loads(token, salt=_SALT, max_age=rtmp_settings().token_max_age)
        user = await get_user_model()._default_manager.aget(pk=key, is_active=True)
    except (signing.BadSignature, get_user_model().DoesNotExist, ValueError, TypeError):
        return None
    return user if fingerprint == _fingerprint(user) else None


async def _user_of_session(key: str, scope: dict[str, Any], send: Any) -> Any:
    if not key:
        return AnonymousUser()
    wrapper = InstanceSessionWrapper({**scope, "cookies": {session_cookie_name(): key}}, send)
    await wrapper.resolve_session()
    return await get_user(wrapper.scope)
