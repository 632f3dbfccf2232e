"""Python's own types that have no AMF form: each is turned into one that has."""

import dataclasses
import functools
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence, Set, ValuesView
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from itertools import islice
from typing import TypeVar
from uuid import UUID

from amf_remoting.amf.errors import EncodeError
from amf_remoting.amf.limits import DEFAULT_LIMITS, Policy

T = TypeVar("T")
Adapter = Callable[[T], object]

ITERATOR_LIMIT = DEFAULT_LIMITS.values
"""Items taken from an iterator, whose end nobody knows."""


@functools.singledispatch
def _adapt(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise EncodeError(f"no AMF form for {type(value).__name__} (see register_adapter)")


def adapt(value: object, policy: Policy) -> object:
    """Something the encoders know, one level deep: members are adapted when their turn comes."""
    if isinstance(value, Decimal) and policy.decimals == "number":
        return float(value)
    try:
        return _adapt(value)
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:
        # A generator may call sys.exit(): what is being encoded ends no server.
        raise RuntimeError(f"{type(error).__name__} in {type(value).__name__}") from error


def register_adapter(cls: type[T], adapter: Adapter[T]) -> None:
    """From now on send instances of `cls`, and of its subclasses, as what `adapter` returns."""
    _adapt.register(cls, adapter)


def finite_list(values: Iterator[object]) -> list[object]:
    """The items of an iterator. Raises EncodeError for more than ITERATOR_LIMIT."""
    items = list(islice(values, ITERATOR_LIMIT + 1))
    if len(items) > ITERATOR_LIMIT:
        raise EncodeError(f"an iterator of more than {ITERATOR_LIMIT} items")
    return items


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _enum_value(member: Enum) -> object:
    return member.value


register_adapter(Enum, _enum_value)
register_adapter(UUID, str)
register_adapter(Decimal, str)
register_adapter(date, _midnight)
register_adapter(time, time.isoformat)
register_adapter(Iterator, finite_list)  # type: ignore[type-abstract]
register_adapter(Set, list)  # type: ignore[type-abstract]
register_adapter(Sequence, list)  # type: ignore[type-abstract]
register_adapter(ValuesView, list)
register_adapter(deque, list)
register_adapter(array, list)
register_adapter(Mapping, dict)  # type: ignore[type-abstract]
