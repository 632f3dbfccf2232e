"""The exposed services as the browser's pages show them."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from ..describe import Description, describe_method, docstring
from ..exceptions import Fault
from ..overview import is_named
from ..policy import policy
from ..registry import registry
from ..remote import RemoteMethod, Service
from ..rules import Rule
from .skeleton import skeleton


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A method on a page."""

    description: Description
    rule: Rule
    """What code and admin demand together."""
    by_name: bool
    """Some argument must be given by name, which AMF cannot."""
    connection: bool
    """Answers over RTMP and WebSocket only, so no form can call it."""
    skeleton: str
    """The arguments to begin with, as JSON."""
    json_url: str
    """The JSON door's address; empty where the site has none."""


@dataclass(frozen=True, slots=True)
class Section:
    """A service on a page."""

    name: str
    text: str
    entries: list[Entry]


def sections(query: str = "") -> list[Section]:
    """The exposed services, and of each the methods whose name has ``query`` in it."""
    found = [_section(service, query) for service in registry]
    return [one for one in found if one.entries or not query]


def entry_of(method: RemoteMethod) -> Entry:
    """One method. Fault "Server.Unavailable" if the policy cannot be read."""
    return Entry(
        description=describe_method(method),
        rule=policy.current().rule_for(method),
        by_name=not method.signature.plain,
        connection=method.connection,
        skeleton=skeleton(method),
        json_url=_json_url(method),
    )


def policy_failure() -> str:
    """Why the policy cannot be read; empty if it can."""
    try:
        policy.current()
    except Fault as fault:
        return fault.description
    return ""


def _section(service: Service, query: str) -> Section:
    methods = [service.methods[name] for name in sorted(service.methods)]
    entries = [entry_of(one) for one in methods if is_named(query, one.target)]
    return Section(service.name, docstring(service.source), entries)


def _json_url(method: RemoteMethod) -> str:
    try:
        if not method.name:
            return reverse("amf_remoting:json_function", args=[method.service])
        return reverse("amf_remoting:json", args=[method.service, method.name])
    except NoReverseMatch:
        return ""
