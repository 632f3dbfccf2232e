"""Credentials in a connection's scope, and passwords held against the site's users."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qs
from weakref import WeakValueDictionary

from django.contrib.auth import authenticate
from django.db import DataError

from amf_remoting.exceptions import Fault, FaultCode
from amf_remoting.pool import run_in_pool
from amf_remoting.throttling import check_login, count_failed_login
from rtmp_channels.conf import session_cookie_name
from rtmp_channels.counters import Limit, counters

logger = logging.getLogger(__name__)

LONGEST = 1_000
"""Letters of a user's name or a password; longer ones are wrong."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client says to prove who it is; "" where it says nothing."""

    token: str = field(default="", repr=False)
    session_key: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)


def credentials_of(scope: dict[str, Any], *, positional: bool) -> tuple[Credentials, list[Any]]:
    """The credentials, and connect's arguments without them.

    `positional`: whether the first two arguments are a user's name and password.
    """
    found: dict[str, str] = {}
    arguments = []
    for argument in scope["rtmp"]["arguments"]:
        mine = _of_object(argument)
        found |= mine
        rest = {k: v for k, v in argument.items() if k not in mine} if mine else argument
        arguments.append(rest)
    match arguments:
        case [str(user), str(password), *rest] if positional:
            found |= {"user": user, "password": password}
            arguments = rest
    query = parse_qs(scope["query_string"].decode("utf-8", "replace"))
    found |= {name: query[name][0] for name in ("token", session_cookie_name()) if name in query}
    return (
        Credentials(
            token=found.get("token", ""),
            session_key=found.get(session_cookie_name(), ""),
            username=found.get("user", ""),
            password=found.get("password", ""),
        ),
        arguments,
    )


def _of_object(argument: Any) -> dict[str, str]:
    """The credentials in one argument: a user's name is one only beside a password."""
    if not isinstance(argument, dict):
        return {}
    texts = {name: value for name, value in argument.items() if isinstance(value, str)}
    wanted = {"token", session_cookie_name()}
    if {"user", "password"} <= texts.keys():
        wanted |= {"user", "password"}
    return {name: value for name, value in texts.items() if name in wanted}


class PasswordLogins:
    """Checks passwords, one at a time for each address, so that none outruns the count."""

    def __init__(self) -> None:
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def user(self, given: Credentials, *, address: str) -> Any:
        """The user. Fault "Client.Authentication" or "Client.Throttled"."""
        turn = self._turns.setdefault(address, asyncio.Lock())
        async with turn:
            try:
                check_login(address)
            except Fault:
                counters.count(Limit.LOGINS)
                logger.warning("%s: rejected: too many wrong passwords", address)
                raise
            user = await run_in_pool(partial(_authenticated, given), "auth")
            if user is None:
                count_failed_login(address)
                logger.info("%s: rejected: wrong user or password", address)
                raise Fault(FaultCode.AUTHENTICATION, "Wrong user or password.")
            return user


def _authenticated(given: Credentials) -> Any:
    if max(len(given.username), len(given.password)) > LONGEST:
        return None
    try:
        return authenticate(None, username=given.username, password=given.password)
    except (ValueError, DataError):  # a database that refuses what the name contains
        return None
