"""Settings: one dict per app, read lazily into one frozen dataclass.

``settings.AMF_REMOTING = {"MAX_REQUEST_SIZE": 65536}`` becomes
``remoting_settings().max_request_size``. What is wrong in the dict is never fatal: the default
holds, the log says so once, and a system check names the key.
"""

import difflib
import logging
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.signals import setting_changed

from .amf.limits import DEPTH_MAX, Limits

logger = logging.getLogger(__name__)


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


SettingsType = TypeVar("SettingsType", bound=_Dataclass)


@dataclass(frozen=True, slots=True)
class Problem:
    """One key of a settings dict that is not as it should be."""

    key: str
    message: str
    hint: str


class LazySettings(Generic[SettingsType]):
    """Calling it gives the dataclass; read on first use, again after ``setting_changed``."""

    def __init__(self, settings_class: type[SettingsType], name: str) -> None:
        self.settings_class = settings_class
        self.name = name
        setting_changed.connect(self._on_setting_changed, dispatch_uid=("LazySettings", name))

    def __call__(self) -> SettingsType:
        return self.current

    @cached_property
    def current(self) -> SettingsType:
        """The same a little faster: for what asks at every call."""
        value, problems = _read(self.settings_class, getattr(settings, self.name, {}))
        for problem in problems:
            logger.error("%s: %s %s", self.name, problem.message, problem.hint)
        return value

    def problems(self) -> list[Problem]:
        """What the dict holds that it should not: unknown keys, values of the wrong type."""
        return _read(self.settings_class, getattr(settings, self.name, {}))[1]

    def check(self, check_id: str) -> list[CheckMessage]:
        """The problems as check errors with the id ``check_id`` ("rtmp_channels.E001")."""
        return [
            Error(f"{self.name}: {problem.message}", hint=problem.hint, id=check_id)
            for problem in self.problems()
        ]

    def _on_setting_changed(self, *, setting: str, **_: object) -> None:
        if setting == self.name:
            self.__dict__.pop("current", None)


def load_settings(settings_class: type[SettingsType], name: str) -> LazySettings[SettingsType]:
    """Ties the frozen dataclass to ``settings.<name>``, a dict of its fields in upper case."""
    return LazySettings(settings_class, name)


def _read(settings_class: type[SettingsType], raw: object) -> tuple[SettingsType, list[Problem]]:
    if not isinstance(raw, Mapping):
        problem = Problem("", f"a dict expected, got {type(raw).__name__}.", "Write {…}.")
        return settings_class(), [problem]
    hints = typing.get_type_hints(settings_class)
    known = {spec.name.upper(): spec.name for spec in fields(settings_class)}
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in raw.items():
        if key not in known:
            problems.append(_unknown(str(key), list(known)))
        elif is_dataclass(hints[known[key]]) and isinstance(value, Mapping):
            values[known[key]], inner = _read(hints[known[key]], value)
            problems += [replace(one, message=f"{key}: {one.message}") for one in inner]
        elif not _fits(value, hints[known[key]]):
            problems.append(_misfit(key, value, hints[known[key]]))
        else:
            values[known[key]] = tuple(value) if isinstance(value, list) else value
    return settings_class(**values), problems


def _unknown(key: str, known: list[str]) -> Problem:
    close = difflib.get_close_matches(key.upper(), known, n=1)
    hint = f"Did you mean {close[0]!r}?" if close else f"Known keys: {', '.join(sorted(known))}."
    return Problem(key, f"unknown key {key!r}.", hint)


def _misfit(key: str, value: object, hint: Any) -> Problem:
    wanted = hint.__name__ if isinstance(hint, type) else str(hint)
    return Problem(
        key,
        f"{key} cannot be {value!r}.",
        f"{wanted} expected; numbers are not negative. The default holds until this is mended.",
    )


def _fits(value: object, hint: Any) -> bool:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, choice) for choice in typing.get_args(hint))
    if origin is typing.Literal:
        return value in typing.get_args(hint)
    if origin is tuple:
        item = typing.get_args(hint)[0]
        return isinstance(value, list | tuple) and all(_fits(one, item) for one in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping)
    if hint in (int, float):
        number = (int, float) if hint is float else int
        return isinstance(value, number) and not isinstance(value, bool) and value >= 0
    return not isinstance(hint, type) or isinstance(value, hint)


def debug() -> bool:
    """Whether faults may tell a traceback: Django's DEBUG."""
    return bool(settings.DEBUG)


def session_cookie_name() -> str:
    """The cookie that makes a request a user's."""
    return str(settings.SESSION_COOKIE_NAME)


def trusted_origins() -> list[str]:
    """Sites that Django itself takes for this one (CSRF_TRUSTED_ORIGINS)."""
    return list(settings.CSRF_TRUSTED_ORIGINS)


@dataclass(frozen=True)
class RemotingSettings:
    """The keys of ``AMF_REMOTING``, there in upper case."""

    services: Mapping[str, object] = field(default_factory=dict)
    """What is public: name → dotted path (or the object itself) of a class, a module, a function
    or an object with remote methods; or the bare name of a service declared by ``@service``."""

    threads: int = 8
    """Threads of the one pool in which sync methods run when an async door calls them."""

    auth_threads: int = 4
    """Threads that log in and read permissions for async doors, apart from those of the methods."""

    max_waiting_calls: int = 1000
    """Calls that may wait for a thread; the next one is answered "Server.Busy"."""

    max_request_size: int = 4 * 1024 * 1024
    """Bytes of a request's body; a larger one is refused (413) without being read."""

    policy_from_database: bool = True
    """Whether the admin's switches and restrictions hold. False for sites without a database."""

    policy_refresh_seconds: float = 0.9
    """How old a process's copy of the policy may be before a call checks its version. With the
    query itself, a change is then obeyed everywhere within a second."""

    allowed_origins: tuple[str, ...] = ()
    """Sites ("https://games.example") whose pages may call from a browser, as Ruffle does; "*"
    is any. Empty: only this site's own."""

    allow_credentials: bool = False
    """Whether pages of the sites that ALLOWED_ORIGINS names may act with the user's session."""

    crossdomain_domains: tuple[str, ...] = ()
    """Domains ("*.games.example") that crossdomain.xml admits: for Flash Player and AIR."""

    login_throttle: str = "20/min"
    """How often one address may try wrong credentials; empty: as often as it likes."""

    understood_headers: tuple[str, ...] = ()
    """Names of AMF headers that this site's services understand (``call.headers``); any other
    that must be understood is refused."""

    describe_services: bool = False
    """Whether the header DescribeService tells callers the signatures of exposed services."""

    call_log: bool = False
    """Whether calls are logged in the database: service, method, user, duration, outcome."""

    call_log_arguments: bool = False
    """Whether the log holds arguments too. Those named like a password, a key or a token are left
    out; others may be secret."""

    call_log_argument_size: int = 1000
    """Letters of the arguments that are kept."""

    call_log_days: int = 7
    """Age at which logged calls are deleted."""

    call_log_seconds: float = 2.0
    """How long calls wait to be written together."""

    call_log_waiting: int = 10_000
    """Calls that may wait in a process; further ones are counted and not logged."""

    recorded_packets: int = 100
    """Requests, each with its response, that are kept when staff has packets recorded; 0: none
    can be."""

    recorded_packet_size: int = 65_536
    """Bytes of a request, and of a response, that are kept."""

    recorded_hours: int = 24
    """Age at which recorded packets are deleted."""

    recording_minutes: int = 10
    """How long recording goes on once it is switched on."""

    max_messages: int = 1000
    """Calls in one packet; a packet of more is refused (413)."""

    max_depth: int = 256
    """Levels of nesting in a packet, both ways; 1,000 at most."""

    max_values: int = 1_000_000
    """Values in one packet."""

    max_response_size: int = 64 * 1024 * 1024
    """Bytes of a response."""

    @property
    def depth(self) -> int:
        """MAX_DEPTH within what the codec bears."""
        return min(max(self.max_depth, 1), DEPTH_MAX)

    @cached_property
    def decode_limits(self) -> Limits:
        """The budget of a request."""
        return Limits(depth=self.depth, values=self.max_values, input_bytes=self.max_request_size)

    @cached_property
    def encode_limits(self) -> Limits:
        """The budget of a response."""
        return Limits(depth=self.depth, output_bytes=self.max_response_size)


remoting_settings = load_settings(RemotingSettings, "AMF_REMOTING")
