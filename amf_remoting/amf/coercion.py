"""What arrives for an annotated attribute, made what the annotation says.

AMF knows one kind of date, two of numbers and no enumerations; Python's annotations know better.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin
from uuid import UUID

from amf_remoting.amf.values import XML, MixedArray, XMLDocument
from amf_remoting.amf.vectors import NumberVector, ObjectVector

Memo = dict[tuple[int, int], tuple[object, object]]
"""What was converted already, by the ids of Coercion and value. Many objects may share one long
array, or text: converting it for each would take its length times their number."""
Convert = Callable[[Any, Memo], object]
NoneType = type(None)
_CHEAP = (int, float, bool)


@dataclass(frozen=True, slots=True)
class Coercion:
    """How values are fitted to one annotation."""

    accepted: frozenset[type]
    """Exact types that need no conversion; empty if every value passes through `convert`."""
    convert: Convert
    """Raises TypeError or ValueError if the value does not fit."""

    def __call__(self, value: object, memo: Memo | None = None) -> object:
        """Raises TypeError or ValueError. `memo` is for values that may be shared."""
        kind = type(value)
        if kind in self.accepted:
            return value
        if memo is None or kind in _CHEAP:
            return self.convert(value, {} if memo is None else memo)
        key = (id(self), id(value))
        known = memo.get(key)
        if known is None:
            known = memo[key] = (value, self.convert(value, memo))
        return known[1]


def _plain(convert: Callable[[Any], object]) -> Convert:
    """A conversion of what has no items."""
    return lambda value, memo: convert(value)


def coercion_of(hint: object) -> Coercion | None:
    """None if the annotation fits everything. None as a value fits every annotation."""
    if isinstance(hint, NewType):
        return coercion_of(hint.__supertype__)
    if isinstance(hint, type) and hint in _BASIC:
        return _BASIC[hint]
    origin = get_origin(hint)
    if origin is Annotated:
        return coercion_of(get_args(hint)[0])
    if origin in (Union, types.UnionType):
        return _union(get_args(hint))
    if origin is Literal:
        return _literal(get_args(hint))
    if origin is not None:
        return _generic(origin, get_args(hint))
    if hint is Any or hint is object or isinstance(hint, TypeVar) or not isinstance(hint, type):
        return None
    if issubclass(hint, Enum):
        return Coercion(frozenset({hint, NoneType}), _plain(hint))
    return _instance_of(hint)


def _refuse(value: object) -> object:
    raise TypeError(f"a {type(value).__name__} does not fit")


def _integer(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else _refuse(value)


def _float(value: object) -> object:
    return _refuse(value) if isinstance(value, bool) or not isinstance(value, int) else float(value)


def _text(value: object) -> object:
    return value.text if isinstance(value, XML | XMLDocument) else _refuse(value)


def _day(value: object) -> object:
    return value.date() if isinstance(value, datetime) else _refuse(value)


def _time(value: object) -> object:
    return time.fromisoformat(value) if isinstance(value, str) else _refuse(value)


def _decimal(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return _refuse(value)
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return _refuse(value)


def _uuid(value: object) -> object:
    if isinstance(value, bytes):
        return UUID(bytes=value)
    return UUID(value) if isinstance(value, str) else _refuse(value)


def _items(value: object) -> Iterable[object]:
    """The items of everything that is a list on the other side."""
    source = getattr(value, "source", value)
    if isinstance(source, list | tuple | NumberVector | ObjectVector):
        return source
    raise TypeError(f"a {type(value).__name__} is no array")


def _mapping(value: object) -> dict[object, object]:
    source = getattr(value, "source", value)
    if isinstance(source, MixedArray):
        dense: dict[object, object] = {str(i): item for i, item in enumerate(source.dense)}
        return dense | dict(source.named)
    if isinstance(source, Mapping):
        return source if isinstance(source, dict) else dict(source)
    raise TypeError(f"a {type(value).__name__} is no object")


def _basic(*accepted: type, convert: Callable[[Any], object] = _refuse) -> Coercion:
    return Coercion(frozenset({*accepted, NoneType}), _plain(convert))


_BASIC: dict[type, Coercion] = {
    int: _basic(int, convert=_integer),
    float: _basic(float, convert=_float),
    complex: _basic(),
    str: _basic(str, convert=_text),
    bool: _basic(bool),
    bytes: _basic(bytes),
    bytearray: _basic(bytearray, convert=bytearray),
    datetime: _basic(datetime),
    date: _basic(date, convert=_day),
    time: _basic(time, convert=_time),
    Decimal: _basic(Decimal, convert=_decimal),
    UUID: _basic(UUID, convert=_uuid),
    list: _basic(list, convert=lambda value: list(_items(value))),
    tuple: _basic(tuple, convert=lambda value: tuple(_items(value))),
    set: _basic(set, convert=lambda value: set(_items(value))),
    frozenset: _basic(frozenset, convert=lambda value: frozenset(_items(value))),
    dict: _basic(dict, convert=_mapping),
    NoneType: _basic(),
}


def _instance_of(cls: type) -> Coercion | None:
    def check(value: object) -> object:
        return value if isinstance(value, cls) else _refuse(value)

    try:
        isinstance(None, cls)
    except TypeError:  # a protocol that cannot be checked, a TypedDict
        return None
    return Coercion(frozenset({cls, NoneType}), _plain(check))


def _literal(choices: tuple[object, ...]) -> Coercion:
    def check(value: object) -> object:
        matches = [choice for choice in choices if choice == value]
        return matches[0] if matches else _refuse(value)

    return Coercion(frozenset({NoneType}), _plain(check))


def _union(hints: tuple[object, ...]) -> Coercion | None:
    """The first alternative that takes the value as it is, else the first that converts it."""
    found = [coercion_of(hint) for hint in hints]
    arms = [arm for arm in found if arm is not None]
    if len(arms) < len(found):
        return None

    def convert(value: object, memo: Memo) -> object:
        for arm in arms:
            try:
                return arm.convert(value, memo)
            except (TypeError, ValueError):
                continue
        return _refuse(value)

    return Coercion(frozenset[type]().union(*(arm.accepted for arm in arms)), convert)


def _generic(origin: object, arguments: tuple[object, ...]) -> Coercion | None:
    """list[T], tuple[T, ...], set[T], dict[str, T] and their abstract relatives."""
    if not isinstance(origin, type):
        return None
    if issubclass(origin, Mapping):
        return _mapping_of(arguments)
    if not issubclass(origin, Iterable):
        return _instance_of(origin)
    container = next((c for c in (tuple, set, frozenset) if issubclass(origin, c)), list)
    item = coercion_of(arguments[0]) if len(set(arguments) - {...}) == 1 else None

    def convert(value: object, memo: Memo) -> object:
        items = _items(value)
        return container(items if item is None else [item(each, memo) for each in items])

    return Coercion(frozenset({NoneType}), convert)


def _mapping_of(arguments: tuple[object, ...]) -> Coercion:
    item = coercion_of(arguments[1]) if len(arguments) == 2 else None

    def convert(value: object, memo: Memo) -> object:
        mapping = _mapping(value)
        if item is None:
            return mapping
        return {key: item(each, memo) for key, each in mapping.items()}

    return Coercion(frozenset({NoneType}), convert)
