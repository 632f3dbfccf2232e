"""Which attributes of a registered class travel, with their annotations and defaults."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Callable, Iterable
from typing import Any

from amf_remoting.amf.coercion import Coercion, Memo, coercion_of
from amf_remoting.amf.member import Member

_BASIC_TYPES: frozenset[type] = frozenset({str, int, float, bool, list, dict, bytes, type(None)})


def camel_case(attribute: str) -> str:
    head, *tail = attribute.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in tail)


def public_attributes(cls: type) -> tuple[str, ...]:
    """A dataclass's fields; else annotated attributes and parameters of `__init__`, base first."""
    if dataclasses.is_dataclass(cls):
        names = [field.name for field in dataclasses.fields(cls)]
    else:
        names = [name for base in reversed(cls.__mro__) for name in _annotations(base)]
        names += _parameters(cls)
    return tuple(name for name in dict.fromkeys(names) if not name.startswith("_"))


def members_of(cls: type, attributes: Iterable[str]) -> Iterable[Member]:
    hints = _hints(cls)
    defaults = _dataclass_defaults(cls)
    for name in attributes:
        default = defaults.get(name) or _class_default(cls, name)
        coercion = coercion_of(hints.get(name, Any)) or _ANYTHING
        yield Member(name, coercion.accepted, coercion, default)


def _annotations(cls: type) -> dict[str, object]:
    found = inspect.get_annotations(cls)
    return {name: hint for name, hint in found.items() if "ClassVar" not in str(hint)}


def _parameters(cls: type) -> list[str]:
    """Names of `__init__`'s parameters, if the class wrote it itself."""
    if dataclasses.is_dataclass(cls) or "__init__" not in vars(cls):
        return []
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = list(inspect.signature(vars(cls)["__init__"]).parameters.values())
    return [parameter.name for parameter in parameters[1:] if parameter.kind in named]


def _hints(cls: type) -> dict[str, object]:
    """Annotations as objects. One that cannot be resolved here (a name imported for type checkers
    only, say) counts as none, without harm to the others."""
    hints: dict[str, object] = {}
    if _parameters(cls):
        hints.update(_resolved(inspect.get_annotations(vars(cls)["__init__"]), cls))
    for base in reversed(cls.__mro__):
        hints.update(_resolved(_annotations(base), base))
    return hints


def _resolved(annotations: dict[str, object], cls: type) -> dict[str, object]:
    scope = vars(sys.modules[cls.__module__]) if cls.__module__ in sys.modules else {}
    resolved: dict[str, object] = {}
    for name, hint in annotations.items():
        if not isinstance(hint, str):
            resolved[name] = hint
            continue
        try:
            resolved[name] = eval(hint, scope, dict(vars(cls)))  # noqa: S307 - the site's own source
        except Exception:
            resolved[name] = Any
    return resolved


def _dataclass_defaults(cls: type) -> dict[str, Callable[[], object]]:
    defaults: dict[str, Callable[[], object]] = {}
    for field in dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ():
        if field.default_factory is not dataclasses.MISSING:
            defaults[field.name] = field.default_factory
        elif field.default is not dataclasses.MISSING:
            defaults[field.name] = _always(field.default)
    return defaults


def _class_default(cls: type, name: str) -> Callable[[], object]:
    default = inspect.getattr_static(cls, name, None)
    return _always(None if inspect.isdatadescriptor(default) else default)


def _as_it_came(value: object, memo: Memo) -> object:
    return value


_ANYTHING = Coercion(_BASIC_TYPES, _as_it_came)


def _always(value: object) -> Callable[[], object]:
    return lambda: value
