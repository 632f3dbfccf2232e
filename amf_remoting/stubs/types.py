"""Annotations as types that other languages have, too."""

import collections.abc
import enum
import types
import typing
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from django.db.models import QuerySet

from ..amf import (
    XML,
    ArrayCollection,
    ArrayList,
    DoubleVector,
    IntVector,
    UIntVector,
    UndefinedType,
    XMLDocument,
)

Basic: TypeAlias = Literal[
    "any", "null", "boolean", "number", "text", "date", "bytes", "xml", "vector", "collection"
]


@dataclass(frozen=True, slots=True)
class Plain:
    """A type without parts."""

    name: Basic


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list, as long as it likes."""

    item: "Type"


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object that is used as a dict with texts as keys."""

    value: "Type"


@dataclass(frozen=True, slots=True)
class OneOf:
    """Any of several; a type that may be null is one of two."""

    options: tuple["Type", ...]


@dataclass(frozen=True, slots=True)
class Constants:
    """One of these values."""

    values: tuple[str | int | bool, ...]


@dataclass(frozen=True, slots=True)
class ClassOf:
    """A class with named members."""

    source: type


Type: TypeAlias = Plain | ListOf | MapOf | OneOf | Constants | ClassOf

ANY, NULL = Plain("any"), Plain("null")
_BASIC: dict[Any, Type] = {
    Any: ANY,
    object: ANY,
    None: NULL,
    types.NoneType: NULL,
    UndefinedType: NULL,
    bool: Plain("boolean"),
    int: Plain("number"),
    float: Plain("number"),
    str: Plain("text"),
    Decimal: Plain("text"),
    uuid.UUID: Plain("text"),
    datetime: Plain("date"),
    date: Plain("date"),
    bytes: Plain("bytes"),
    bytearray: Plain("bytes"),
    XML: Plain("xml"),
    XMLDocument: Plain("xml"),
    ArrayCollection: Plain("collection"),
    ArrayList: Plain("collection"),
    IntVector: Plain("vector"),
    UIntVector: Plain("vector"),
    DoubleVector: Plain("vector"),
}
_LISTS = (
    *(list, tuple, set, frozenset, QuerySet),
    *(collections.abc.Iterable, collections.abc.Iterator, collections.abc.Generator),
    *(collections.abc.Collection, collections.abc.Sequence, collections.abc.Set),
)
_MAPS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


def type_of(hint: Any, *, is_class: Callable[[type], bool]) -> Type:
    """The type of an annotation; ANY where nothing fits.

    ``is_class`` says which classes are written with their members.
    """
    hint = getattr(hint, "__supertype__", hint)
    if hint in _BASIC:
        return _BASIC[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _one_of([type_of(one, is_class=is_class) for one in arguments])
    if origin is Literal:
        return _constants(arguments)
    if (origin or hint) in _LISTS:
        items = {type_of(one, is_class=is_class) for one in arguments if one is not ...}
        return ListOf(_one_of(list(items)) if items else ANY)
    if (origin or hint) in _MAPS:
        return MapOf(type_of(arguments[1], is_class=is_class) if len(arguments) > 1 else ANY)
    if isinstance(hint, type):
        if issubclass(hint, enum.Enum):
            return _constants(tuple(member.value for member in hint))
        return ClassOf(hint) if is_class(hint) else ANY
    return ANY


def _one_of(options: list[Type]) -> Type:
    flat: dict[Type, None] = {}
    for option in options:
        flat.update(dict.fromkeys(option.options if isinstance(option, OneOf) else (option,)))
    if ANY in flat:
        return ANY
    return next(iter(flat)) if len(flat) == 1 else OneOf(tuple(flat))


def _constants(values: tuple[Any, ...]) -> Type:
    if values and all(isinstance(value, str | int) for value in values):
        return Constants(values)
    return ANY
