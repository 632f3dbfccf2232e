"""A call's arguments as a short text for the log: no deeper than is shown, and without secrets."""

import dataclasses
from itertools import islice
from reprlib import Repr
from typing import Any

from .amf import Dictionary
from .amf.vectors import NumberVector, ObjectVector
from .call import Call
from .exceptions import Fault
from .flex.collections import Wrapper
from .redaction import is_telling
from .registry import registry


def argument_text(call: Call) -> str:
    """As Python writes them, shortened; what is named like a secret (redaction.SECRET_NAMES) is
    ``***``, be it a parameter or a member of a value."""
    text = _SHORT.repr(_positional(call))
    return f"{text} {_SHORT.repr(call.keywords)}" if call.keywords else text


class _Secret:
    def __repr__(self) -> str:
        return "***"


_SECRET = _Secret()


class _Short(Repr):
    """Looks into instances no deeper than into dicts: the repr() of a few references to
    references is endless."""

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        """Called for dicts, and for the members of instances."""
        return super().repr_dict({name: _kept(name, x[name]) for name in x}, level)

    def repr_instance(self, x: Any, level: int) -> str:
        """Called for everything that is no list, dict, text, …"""
        if isinstance(x, type):
            return super().repr_instance(x, level)
        members = _members(x)
        if members is None:
            return super().repr_instance(x, level)
        return f"{type(x).__name__}({self.repr1(members, level - 1) if level > 0 else '...'})"


def _positional(call: Call) -> list[Any]:
    """The first ones are enough: no more are shown."""
    arguments = list(call.arguments[: _SHORT.maxlist + 1])
    try:
        signature = registry.find(call.target).signature
    except Fault:
        return arguments
    names = [name for name, _ in signature.positions]
    names += [signature.rest[0]] * (len(arguments) - len(names))
    return [_kept(name, value) for name, value in zip(names, arguments, strict=False)] + arguments[
        len(names) :
    ]


def _kept(name: Any, value: Any) -> Any:
    return _SECRET if is_telling([name]) else value


def _members(value: Any) -> Any:
    match value:
        case Wrapper():
            return value.source
        case Dictionary():
            pairs = islice(value.items(), _SHORT.maxdict + 1)
            return [(name, _kept(name, member)) for name, member in pairs]
        case NumberVector() | ObjectVector():
            return value.items[: _SHORT.maxlist + 1]
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return {field.name: getattr(value, field.name, None) for field in fields}
    return None


_SHORT = _Short()
_SHORT.maxlevel = 4
_SHORT.maxstring = _SHORT.maxother = 200
_SHORT.maxlist = _SHORT.maxdict = 20
