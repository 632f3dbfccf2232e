"""Python's own types on the wire."""

from array import array
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from itertools import count
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

import pytest

from amf_remoting import amf
from amf_remoting.amf import EncodeError, Policy

VERSIONS = pytest.mark.parametrize("version", [0, 3])


class Suit(Enum):
    HEARTS = "h"


class Level(IntEnum):
    HIGH = 3


class Colour(StrEnum):
    RED = "red"


class Point(NamedTuple):
    x: int
    y: int


@dataclass
class Node:
    name: str
    next: "Node | None" = None
    hidden: list[int] = field(default_factory=list)


def numbers() -> Iterator[int]:
    yield from (1, 2, 3)


@VERSIONS
@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (Suit.HEARTS, "h"),
        (Level.HIGH, 3),
        (Colour.RED, "red"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Decimal("1.10"), "1.10"),
        (date(2020, 1, 2), datetime(2020, 1, 2, tzinfo=UTC)),
        (time(1, 2, 3), "01:02:03"),
        (datetime(2020, 1, 2), datetime(2020, 1, 2, tzinfo=UTC)),
        (
            datetime(2020, 1, 2, tzinfo=timezone(timedelta(hours=2))),
            datetime(2020, 1, 1, 22, tzinfo=UTC),
        ),
        (numbers(), [1, 2, 3]),
        (range(3), [0, 1, 2]),
        ((1, 2), [1, 2]),
        (Point(1, 2), [1, 2]),
        ({7}, [7]),
        (frozenset({7}), [7]),
        (deque([1]), [1]),
        (array("d", [1.5]), [1.5]),
        ({"a": 1}.keys(), ["a"]),
        ({"a": 1}.values(), [1]),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (OrderedDict(a=1), {"a": 1}),
        ({1: "a"}, {"1": "a"}),
        (Node("x"), {"name": "x", "next": None, "hidden": []}),
        (bytearray(b"x"), b"x"),
        (memoryview(b"x"), b"x"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values(value: object, sent: object, version: int) -> None:
    if isinstance(value, Iterator):
        value = numbers()
    assert amf.loads(amf.dumps(value, version), version) == sent


@VERSIONS
def test_decimals_as_numbers(version: int) -> None:
    encoded = amf.dumps(Decimal("1.10"), version, policy=Policy(decimals="number"))
    assert amf.loads(encoded, version) == 1.1


@VERSIONS
def test_a_cycle_of_dataclasses_is_a_cycle(version: int) -> None:
    node = Node("x")
    node.next = node
    decoded = amf.loads(amf.dumps(node, version), version)
    assert decoded["next"] is decoded


@pytest.mark.parametrize(
    "endless", [count(), (number for number in count())], ids=["iterator", "generator"]
)
def test_iterators_are_read_up_to_a_limit(endless: Iterator[int]) -> None:
    with pytest.raises(EncodeError, match="of more than 1000000 items"):
        amf.dumps(endless)


def test_iterators_are_arrays() -> None:
    assert amf.loads(amf.dumps(map(str, [1, 2]))) == ["1", "2"]


def test_a_generator_that_was_read_before_is_refused() -> None:
    spent = numbers()
    assert list(spent) == [1, 2, 3]
    with pytest.raises(EncodeError, match="read before"):
        amf.dumps(spent)


@VERSIONS
def test_the_same_tuple_is_the_same_array(version: int) -> None:
    shared = (1, 2)
    first, second = amf.loads(amf.dumps([shared, shared], version), version)
    assert first is second


@VERSIONS
def test_ids_of_short_lived_values_are_not_mixed_up(version: int) -> None:
    """Objects made while encoding may get the address of one that is gone."""
    encoded = amf.dumps(([number] for number in range(1000)), version)
    assert amf.loads(encoded, version) == [[number] for number in range(1000)]


@VERSIONS
@pytest.mark.parametrize("value", [object(), Node, len, timedelta(1), 1j, ...])
def test_what_has_no_form_is_refused(value: object, version: int) -> None:
    with pytest.raises(EncodeError, match="no AMF form"):
        amf.dumps(value, version)


@VERSIONS
@pytest.mark.parametrize("name", [1.5, None, True, (1,)])
def test_member_names_are_text(name: object, version: int) -> None:
    with pytest.raises(EncodeError, match="a member name must be text"):
        amf.dumps({name: 1}, version)


@pytest.mark.parametrize("version", [0, 3])
def test_a_generator_that_exits_ends_no_server(version: int) -> None:
    def exiting() -> Iterator[int]:
        yield 1
        raise SystemExit(2)

    with pytest.raises(RuntimeError, match=r"^SystemExit in generator$"):
        amf.dumps({"numbers": exiting()}, version)


def test_register_adapter() -> None:
    class Celsius:
        degrees = 20.5

    class Kelvin(Celsius):
        pass

    amf.register_adapter(Celsius, lambda value: value.degrees)
    assert amf.loads(amf.dumps([Celsius(), Kelvin()])) == [20.5, 20.5]


def test_values_compare_and_print() -> None:
    assert repr(amf.Undefined) == "Undefined"
    assert repr(amf.Dictionary([(1, 2)])) == "Dictionary([(1, 2)])"
    assert repr(amf.IntVector([1])) == "IntVector([1], fixed=False)"
    assert "sealed" in repr(amf.Traits("A", ("a",), False, False))
    assert amf.Dictionary() != {}
    assert amf.IntVector([1]) != amf.UIntVector([1])
    assert amf.TypedObject("A") != {}
    dictionary = amf.Dictionary([(1, 2)])
    del dictionary[1]
    with pytest.raises(KeyError):
        dictionary[1]
    assert (list(amf.IntVector([1, 2])), len(amf.IntVector([1])), amf.IntVector([5])[0]) == (
        [1, 2],
        1,
        5,
    )
    objects = amf.ObjectVector([1, None])
    assert (list(objects), len(objects), objects[0]) == ([1, None], 2, 1)


def test_undefined_is_one_object_everywhere() -> None:
    import copy
    import pickle

    assert copy.deepcopy(amf.Undefined) is amf.Undefined
    assert pickle.loads(pickle.dumps(amf.Undefined)) is amf.Undefined
    assert amf.UndefinedType() is amf.Undefined
