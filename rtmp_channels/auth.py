"""Who is at the other end: middlewares that work without cookies or headers.

RTMP clients send none; what they can carry is the query of the application's name
(`rtmp://host/lobby/room1?token=…`), and arguments of `connect`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from channels.auth import get_user
from channels.security.websocket import OriginValidator
from channels.sessions import InstanceSessionWrapper
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core import signing

from amf_remoting.exceptions import Fault
from rtmp_channels.application import ASGIApplication
from rtmp_channels.conf import rtmp_settings, session_cookie_name
from rtmp_channels.goodbye import REJECTED
from rtmp_channels.logins import PasswordLogins, credentials_of
from rtmp_channels.routing import reject

_SALT = "rtmp_channels.token"


def make_token(user: Any) -> str:
    """A signed token for `?token=`: names the user, and dies with their password.

    Valid for TOKEN_MAX_AGE seconds. Give it to a page that the user has logged in to.
    """
    return signing.dumps([str(user.pk), _short(user.get_session_auth_hash())], salt=_SALT)


class RtmpAuthMiddleware:
    """Fills `scope["user"]` from what `connect` carries.

    - the query, `rtmp://host/lobby/room1?token=…`: `token`, or `sessionid`, a Django session's key;
    - an object among connect's arguments: the same, or `user` and `password`;
    - with `login_by_arguments`, connect's first two arguments: user and password.

    Whoever has none of these, or a token or session that is not valid, is an AnonymousUser:
    applications decide what that means. A wrong password is rejected, and counts for the address:
    beyond AMF_REMOTING's LOGIN_THROTTLE it may not try again for a while. The application finds
    the arguments without what was read here.
    """

    def __init__(self, inner: ASGIApplication, *, login_by_arguments: bool = False) -> None:
        self.inner = inner
        self._login_by_arguments = login_by_arguments
        self._logins = PasswordLogins()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if not (scope["query_string"] or scope["rtmp"]["arguments"]):
            await self.inner({**scope, "user": AnonymousUser()}, receive, send)
            return
        given, arguments = credentials_of(scope, positional=self._login_by_arguments)
        user = await _user_of_token(given.token)
        if user is None and given.session_key:
            user = await _user_of_session(given.session_key, scope, send)
        if user is None and given.username:
            try:
                user = await self._logins.user(given, address=_address(scope))
            except Fault as fault:
                await reject(receive, send, code=REJECTED, description=fault.description)
                return
        rtmp = {**scope["rtmp"], "arguments": arguments}
        await self.inner({**scope, "rtmp": rtmp, "user": user or AnonymousUser()}, receive, send)


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


def _short(fingerprint: str) -> str:
    return str(fingerprint)[:16]


def _fingerprints(user: Any) -> list[str]:
    """Of the password, by the site's key and by those that are still good for a while."""
    now, before = user.get_session_auth_hash(), user.get_session_auth_fallback_hash()
    return [_short(fingerprint) for fingerprint in (now, *before)]


async def _user_of_token(token: str) -> Any:
    if not token:
        return None
    try:
        key, fingerprint = signing.loads(token, salt=_SALT, max_age=rtmp_settings().token_max_age)
        user = await get_user_model()._default_manager.aget(pk=key)
    except (signing.BadSignature, get_user_model().DoesNotExist, ValueError, TypeError):
        return None
    return user if user.is_active and fingerprint in _fingerprints(user) else None


async def _user_of_session(key: str, scope: dict[str, Any], send: Any) -> Any:
    wrapper = InstanceSessionWrapper({**scope, "cookies": {session_cookie_name(): key}}, send)
    await wrapper.resolve_session()
    try:
        return await get_user(wrapper.scope)
    except ValueError:  # a store that refuses what the key contains
        return None


def _address(scope: dict[str, Any]) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
