"""How large a value is once every reference in it is written out.

A few references to references make a small packet a tree without end; whoever walks it as a tree
(fitting it to a deep annotation, say) must know before.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from .amf import MixedArray, TypedObject
from .amf.vectors import NumberVector, ObjectVector
from .flex.collections import Wrapper

_TEXT_PER_VALUE = 64
"""Letters or bytes whose conversion costs about as much as a value's."""


def unfolded_size(value: Any) -> int:
    """Values in ``value``, one that is referred to twice counted twice; long texts count more.

    What is inside of itself is not followed there. RecursionError if it is nested too deeply.
    """
    return _size(value, {})


def _size(value: Any, known: dict[int, int]) -> int:
    if isinstance(value, str | bytes):
        return 1 + len(value) // _TEXT_PER_VALUE
    if isinstance(value, NumberVector):
        return 1 + len(value)
    size = known.get(id(value))
    if size is None:
        members = _members(value)
        if members is None:
            return 1
        known[id(value)] = 1
        size = known[id(value)] = 1 + sum(_size(member, known) for member in members)
    return size


def _members(value: Any) -> Iterable[Any] | None:
    """None where nothing is looked into."""
    match value:
        case list() | tuple():
            return value
        case Mapping():
            return value.values()
        case TypedObject():
            return value.values.values()
        case MixedArray():
            return (*value.dense, *value.named.values())
        case ObjectVector():
            return value.items
        case Wrapper():
            return (value.source,)
    return None
