"""Users, also where django.contrib.auth is not installed."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.http import HttpRequest


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
    if not apps.is_installed("django.contrib.auth"):
        return Anonymous()
    from django.contrib.auth.models import AnonymousUser

    return AnonymousUser()


def user_of(request: HttpRequest) -> Any:
    """The request's user, lazy where the authentication middleware made it so."""
    user = getattr(request, "user", None)
    return anonymous_user() if user is None else user


async def auser_of(request: HttpRequest) -> Any:
    """The request's user, loaded, so that async methods may look at it."""
    auser = getattr(request, "auser", None)
    return user_of(request) if auser is None else await auser()
