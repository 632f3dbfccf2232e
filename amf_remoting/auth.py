"""Users, also where django.contrib.auth is not installed."""

from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from typing import Any

from django.apps import apps
from django.contrib import auth
from django.db import DataError
from django.http import HttpRequest
from django.utils.functional import LazyObject, empty

from .exceptions import Fault, FaultCode
from .pool import run_in_pool
from .throttling import address_of, check_login, count_failed_login


class Anonymous:
    """Nobody, on a site without django.contrib.auth."""

    is_authenticated = False
    is_anonymous = True
    is_active = False

    def get_username(self) -> str:
        """Empty, as AnonymousUser's."""
        return ""

    def has_perms(self, permissions: Iterable[str]) -> bool:
        """Nobody has none."""
        return not list(permissions)

    def __str__(self) -> str:
        return "AnonymousUser"


def anonymous_user() -> Any:
    """An AnonymousUser, or its stand-in."""
    return _anonymous_class()()


def user_of(request: HttpRequest) -> Any:
    """The request's user, lazy where the authentication middleware made it so."""
    user = getattr(request, "user", None)
    return anonymous_user() if user is None else user


async def auser_of(request: HttpRequest) -> Any:
    """The request's user, loaded, so that async methods may look at it."""
    auser = getattr(request, "auser", None)
    if auser is not None:
        return await auser()
    user = getattr(request, "user", None)
    if user is None:
        return _anonymous_class()()
    if isinstance(user, LazyObject):
        await aloaded(user)
    return user


async def aloaded(user: Any) -> None:
    """Has a lazy user, which some middleware left, read where that may be done."""
    if isinstance(user, LazyObject) and user.__dict__.get("_wrapped") is empty:
        await run_in_pool(lambda: user.is_authenticated, "auth")


def name_of(user: Any) -> str:
    """For logs: the user's name, cut; empty for nobody, and for one who cannot be read now."""
    try:
        return str(user.get_username())[:150] if user is not None and user.is_authenticated else ""
    except Exception:
        # A lazy user asks the database; what only writes a log must not fail by that.
        return ""


def log_in(request: HttpRequest, username: str, password: str) -> Any:
    """Makes the session the user's; without sessions the user holds for this request.

    Reads the database. Fault "Client.Authentication" that does not say what was wrong.
    """
    user = authenticated(request, username, password)
    if hasattr(request, "session"):
        auth.login(request, user)
    return user


def log_out(request: HttpRequest) -> Any:
    """Ends the session's login; gives the anonymous user."""
    if hasattr(request, "session"):
        auth.logout(request)
    return anonymous_user()


def authenticated(request: HttpRequest, username: str, password: str) -> Any:
    """The user of these credentials, by the site's authentication backends; or the Fault.

    Wrong credentials count: beyond LOGIN_THROTTLE an address is answered "Client.Throttled".
    """
    address = address_of(request)
    check_login(address)
    user = None
    if _has_auth():
        # A database refuses some names, as PostgreSQL those with NUL: they are nobody's.
        with suppress(ValueError, DataError):
            user = auth.authenticate(request, username=username, password=password)
    if user is None:
        count_failed_login(address)
        raise Fault(FaultCode.AUTHENTICATION, "wrong user or password")
    return user


def _has_auth() -> bool:
    return apps.is_installed("django.contrib.auth")


@cache
def _anonymous_class() -> type[Any]:
    # Asked for every call; installed apps do not change while a site runs.
    if not _has_auth():
        return Anonymous
    from django.contrib.auth.models import AnonymousUser

    return AnonymousUser
