"""Arguments to begin with, made of a signature: what a form shows before anybody typed."""

import dataclasses
import enum
import inspect
import json
import types
import typing
import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ..coerce import hints_of
from ..remote import RemoteMethod

_DEEPEST = 4
"""Levels of dataclasses within dataclasses that are spelled out."""
_BEGINNINGS: dict[Any, object] = {
    int: 0,
    float: 0,
    str: "",
    bool: False,
    datetime: "2000-01-01T00:00:00Z",
    date: "2000-01-01",
    Decimal: "0",
    uuid.UUID: "00000000-0000-0000-0000-000000000000",
    list: [],
    tuple: [],
    dict: {},
}


def skeleton(method: RemoteMethod) -> str:
    """JSON: an array, or an object where some argument must be given, and by name only."""
    hints = hints_of(method.function)
    by_position = method.signature.plain
    named = {
        one.name: _value(one, hints)
        for one in method.signature.parameters
        if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        and not (by_position and one.kind == one.KEYWORD_ONLY)
    }
    return _text(list(named.values()) if by_position else named)


def _text(value: object) -> str:
    short = json.dumps(value, ensure_ascii=False)
    return short if len(short) <= 60 else json.dumps(value, ensure_ascii=False, indent=2)


def _value(parameter: inspect.Parameter, hints: dict[str, Any]) -> object:
    if parameter.default is parameter.empty:
        return _beginning(hints.get(parameter.name), 0)
    try:
        json.dumps(parameter.default, allow_nan=False)
    except (TypeError, ValueError):
        return _beginning(hints.get(parameter.name), 0)
    return parameter.default


def _beginning(hint: Any, depth: int) -> object:
    """A value that fits the annotation; null where anything would."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return None if types.NoneType in arguments else _beginning(arguments[0], depth)
    if origin is typing.Literal:
        return arguments[0] if isinstance(arguments[0], str | int) else None
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        first = next(iter(hint), None)
        return first.value if first is not None and isinstance(first.value, str | int) else None
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _members(hint, depth)
    return _BEGINNINGS.get(origin or hint)


def _members(cls: Any, depth: int) -> object:
    if depth == _DEEPEST:
        return None
    hints = hints_of(cls)
    return {
        field.name: _beginning(hints.get(field.name), depth + 1)
        for field in dataclasses.fields(cls)
        if field.init
    }
