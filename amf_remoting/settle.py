"""Results that ask the database while they are encoded, made such that do not.

A loop must not wait for a database. There, whatever encodes a result (AMF, JSON, RTMP) meets
SynchronousOnlyOperation at a queryset, a relation of a model or an iterator; then the result is
settled in a thread, and encoded after all.
"""

import copy
import dataclasses
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Any
from uuid import UUID

from .amf import EncodeError
from .amf.adapters import adapt
from .amf.aliases import registry
from .amf.limits import DEFAULT_POLICY
from .flex.collections import Wrapper
from .pool import run_in_pool

_LEAVES = (str, bytes, bytearray, int, float, Decimal, UUID, date, time, timedelta, Enum)


async def asettled(value: Any) -> Any:
    """``settled`` in a thread of the methods' pool."""
    return await run_in_pool(partial(settled, value))


def settled(value: Any) -> Any:
    """The value, with all that is read lazily read. For threads.

    What holds other values is copied, cycles and all; tuples become lists. RecursionError if it
    is nested too deeply.
    """
    return _settled(value, {})


def _settled(value: Any, known: dict[int, tuple[Any, Any]]) -> Any:
    if value is None or isinstance(value, _LEAVES):
        return value
    if id(value) in known:
        return known[id(value)][1]
    if isinstance(value, list | tuple):
        items: list[Any] = []
        known[id(value)] = value, items
        items.extend(_settled(item, known) for item in value)
        return items
    if isinstance(value, dict):
        members: dict[Any, Any] = {}
        known[id(value)] = value, members
        members.update((key, _settled(member, known)) for key, member in value.items())
        return members
    return _settled_object(value, known)


def _settled_object(value: Any, known: dict[int, tuple[Any, Any]]) -> Any:
    attributes = _attributes(value)
    if attributes:
        twin = copy.copy(value)
        known[id(value)] = value, twin
        for name in attributes:
            if hasattr(value, name):
                object.__setattr__(twin, name, _settled(getattr(value, name), known))
        return twin
    try:
        adapted = adapt(value, DEFAULT_POLICY)
    except EncodeError:
        # Not ours to judge: JSON may have a form for it.
        return value
    plain = _settled(adapted, known)
    known[id(value)] = value, plain
    return plain


def _attributes(value: Any) -> tuple[str, ...]:
    """Where an object that is sent as one keeps its members."""
    alias = registry.by_class.get(type(value))
    if isinstance(value, Wrapper):
        return ("source",)
    if alias is not None and not alias.externalizable:
        return alias.attributes
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return tuple(field.name for field in dataclasses.fields(value))
    return ()
