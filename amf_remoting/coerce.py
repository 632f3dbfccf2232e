"""Arguments made what a method's type hints say.

The codec's own coercion fits values of AMF to annotations; here are added what doors without
dates and classes need (ISO 8601 text, objects for dataclasses) and strictness about null.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from .amf import MixedArray, TypedObject, Undefined
from .amf.coercion import coercion_of

Convert = Callable[[Any], Any]
"""Raises TypeError or ValueError, with a text for the caller, if the value does not fit."""


def converter_of(hint: Any, *, optional: bool = False) -> Convert | None:
    """How values are fitted to an annotation; None if it fits everything.

    ``optional`` lets null pass where the annotation forgot to say so (a default of None).
    """
    convert = _converter_of(hint)
    if convert is None:
        return None
    return partial(_converted, convert, hint, optional or _takes_none(hint))


def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The resolved annotations; none if they name what exists for type checkers only."""
    try:
        return typing.get_type_hints(function)
    except RecursionError:
        raise
    except Exception:
        # Whatever evaluating somebody's annotations can raise: the method works without them.
        return {}


def _converted(convert: Convert, hint: Any, takes_none: bool, value: Any) -> Any:
    if value is None or value is Undefined:
        if takes_none:
            return None
        raise TypeError(f"{_name(hint)} expected, got null")
    try:
        return convert(value)
    except _Misfit:
        raise
    except (TypeError, ValueError, ArithmeticError):
        raise TypeError(f"{_name(hint)} expected, got {type(value).__name__}") from None


class _Misfit(TypeError):
    """A misfit that says where inside of a value it is."""


def _converter_of(hint: Any) -> Convert | None:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return partial(_dataclass_of, hint)
    if hint in (datetime, date):
        return partial(_date_of, hint)
    arguments = typing.get_args(hint)
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _union_of([one for one in arguments if one is not types.NoneType])
    if origin in (list, Sequence, Iterable) and arguments and (item := converter_of(arguments[0])):
        return partial(_list_of, coercion_of(list) or list, item)
    if origin is tuple and arguments[1:] == (...,) and (item := converter_of(arguments[0])):
        return partial(_tuple_of, coercion_of(list) or list, item)
    if origin in (dict, Mapping) and arguments and (item := converter_of(arguments[1])):
        return partial(_dict_of, coercion_of(dict) or dict, item)
    return coercion_of(hint)


def _union_of(hints: list[Any]) -> Convert | None:
    converters = [_converter_of(hint) for hint in hints]
    found = [one for one in converters if one is not None]
    if len(found) < len(converters):
        return None
    if len(found) == 1:
        return found[0]
    # What fits as it is comes before what could be converted.
    exact = tuple(hint for hint in hints if isinstance(hint, type))

    def convert(value: Any) -> Any:
        if type(value) in exact:
            return value
        for one in found:
            try:
                return one(value)
            except (TypeError, ValueError, ArithmeticError):
                continue
        raise TypeError

    return convert


def _date_of(cls: Any, value: Any) -> Any:
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        value = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    convert = coercion_of(cls)
    return convert(value) if convert else value


def _list_of(as_list: Convert, item: Convert, value: Any) -> list[Any]:
    items = []
    for index, one in enumerate(as_list(value)):
        try:
            items.append(item(one))
        except TypeError as error:
            raise _Misfit(f"item {index}: {error}") from None
    return items


def _tuple_of(as_list: Convert, item: Convert, value: Any) -> tuple[Any, ...]:
    return tuple(_list_of(as_list, item, value))


def _dict_of(as_dict: Convert, item: Convert, value: Any) -> dict[Any, Any]:
    items = {}
    for key, one in as_dict(value).items():
        try:
            items[key] = item(one)
        except TypeError as error:
            # Of other keys the text could be endless.
            name = key[:100] if isinstance(key, str) else f"({type(key).__name__})"
            raise _Misfit(f"{name}: {error}") from None
    return items


def _dataclass_of(cls: Any, value: Any) -> Any:
    """An instance passes; an object becomes one by its members, each fitted to its field."""
    if isinstance(value, cls):
        return value
    members = _members_of(value)
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    if unknown := members.keys() - fields.keys():
        raise _Misfit(f"{cls.__name__} has no {min(map(str, unknown))[:100]!r}")
    hints = hints_of(cls)
    arguments: dict[str, Any] = {}
    for name, member in members.items():
        convert = converter_of(hints.get(name, Any), optional=fields[name].default is None)
        try:
            arguments[name] = member if convert is None else convert(member)
        except TypeError as error:
            raise _Misfit(f"{name}: {error}") from None
    _require(cls, fields, arguments)
    return cls(**arguments)


def _require(cls: Any, fields: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    for name, field in fields.items():
        no_default = field.default is field.default_factory is dataclasses.MISSING
        if no_default and name not in arguments:
            raise _Misfit(f"{cls.__name__} lacks {name!r}")


def _members_of(value: Any) -> Mapping[str, Any]:
    if isinstance(value, TypedObject):
        return value.values
    if isinstance(value, MixedArray) and not value.dense:
        return value.named
    if isinstance(value, dict):
        return value
    raise TypeError


def _takes_none(hint: Any) -> bool:
    return hint is None or hint is types.NoneType or types.NoneType in typing.get_args(hint)


def _name(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)
