"""Arguments made what annotations say."""

import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal
from uuid import UUID

import pytest

from amf_remoting import amf
from amf_remoting.exceptions import Fault
from amf_remoting.signature import Signature

MAX_VALUES = 1_000_000


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: float
    y: float = 0.0
    label: str | None = None


@dataclass
class Shape:
    name: str
    points: list[Point] = field(default_factory=list)


def bound(hint: Any, value: Any, default: Any = ...) -> Any:
    """The value as a method with one parameter of that annotation gets it."""

    def method(value): ...  # type: ignore[no-untyped-def]

    method.__annotations__ = {"value": hint}
    if default is not ...:
        method.__defaults__ = (default,)
    return Signature.of(method, bound=False).bind([value], {}, max_values=MAX_VALUES)[0][0]


MOMENT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hint", "value", "wanted"),
    [
        (int, 3.0, 3), (int, 3, 3), (float, 3, 3.0), (str, "a", "a"), (bool, True, True),
        (object, None, None), (Any, amf.Undefined, amf.Undefined),
        (int | None, None, None), (str | None, amf.Undefined, None), (str | None, "a", "a"),
        (datetime, MOMENT, MOMENT), (datetime, "2026-01-02T03:04:00Z", MOMENT),
        (datetime, "2026-01-02T03:04", MOMENT), (date, MOMENT, date(2026, 1, 2)),
        (date, "2026-01-02", date(2026, 1, 2)), (datetime | None, "2026-01-02T03:04Z", MOMENT),
        (Colour, "red", Colour.RED), (Literal["a", "b"], "b", "b"),
        (Decimal, "1.50", Decimal("1.50")), (int | str, "a", "a"), (int | str, 1, 1),
        (int | str, 2.0, 2), (date | int, "2026-01-02", date(2026, 1, 2)),
        (UUID, "00000000-0000-0000-0000-000000000001", UUID(int=1)),
        (list, amf.ArrayCollection([1]), [1]), (list[int], [1.0, 2], [1, 2]),
        (dict, {"a": 1}, {"a": 1}), (dict, amf.MixedArray([], {"a": 1}), {"a": 1}),
        (Point, Point(1.0), Point(1.0)), (Point, {"x": 1}, Point(1.0)),
        (Point, amf.TypedObject("demo.Point", {"x": 1, "label": None}), Point(1.0)),
        (Point, amf.MixedArray([], {"x": 1, "y": 2}), Point(1.0, 2.0)),
        (Shape, {"name": "s", "points": [{"x": 1}, Point(2.0)]},
         Shape("s", [Point(1.0), Point(2.0)])),
        (list[Point], [{"x": 1}], [Point(1.0)]), (Point | None, None, None),
        (Sequence[Point], [{"x": 1}], [Point(1.0)]),
        (tuple[Point, ...], [{"x": 1}], (Point(1.0),)),
        (dict[str, Point], {"a": {"x": 1}}, {"a": Point(1.0)}),
        (dict[str, int], amf.MixedArray([], {"a": 1.0}), {"a": 1}),
        (typing.Dict, {"a": 1}, {"a": 1}), (typing.Sequence, [1], [1]),  # noqa: UP006
        (Mapping[str, list[date]], {"a": ["2026-01-02"]}, {"a": [date(2026, 1, 2)]}),
    ],
    ids=repr,
)  # fmt: skip
def test_values_that_fit(hint: Any, value: Any, wanted: Any) -> None:
    got = bound(hint, value)
    assert got == wanted
    assert type(got) is type(wanted)


@pytest.mark.parametrize(
    ("hint", "value", "reason"),
    [
        (int, "3", "int expected, got str"), (int, True, "int expected, got bool"),
        (int, 1.5, "int expected, got float"), (int, None, "int expected, got null"),
        (str, amf.Undefined, "str expected, got null"), (str, 5, "str expected, got int"),
        (datetime, "yesterday", "datetime expected, got str"),
        (Colour, "blue", "Colour expected, got str"),
        (list[int], [1, "a"], "item 1: int expected, got str"),
        (Point, {"x": "a"}, "x: float expected, got str"),
        (Point, {"x": 1, "z": 2}, "Point has no 'z'"), (Point, {}, "Point lacks 'x'"),
        (Point, [], "Point expected, got list"),
        (Point, amf.MixedArray([1], {"x": 1}), "Point expected, got MixedArray"),
        (Point, None, "Point expected, got null"),
        (Shape, {"name": "s", "points": [{"x": 1}, {}]}, "points: item 1: Point lacks 'x'"),
        (tuple[int, ...], [1, None], "item 1: int expected, got null"),
        (dict[str, Point], {"a": {"x": 1}, "b": {"y": 1}}, "b: Point lacks 'x'"),
        (dict[str, int], [1], "dict[str, int] expected, got list"),
        (int | str, [], "int | str expected, got list"),
        (int | None, "a", "int | None expected, got str"),
    ],
    ids=repr,
)  # fmt: skip
def test_values_that_do_not_fit_are_named(hint: Any, value: Any, reason: str) -> None:
    with pytest.raises(Fault) as caught:
        bound(hint, value)
    assert caught.value.description == f"argument 'value': {reason}"
    assert caught.value.details == {"argument": "value"}


def test_a_default_of_none_takes_null() -> None:
    assert bound(str, None, default=None) is None


def test_any_number_of_arguments_and_names() -> None:
    def method(first: int, *rest: float, key: date | None = None) -> None: ...

    signature = Signature.of(method, bound=False)
    assert signature.bind([1.0, 2, 3], {"key": "2026-01-02"}, max_values=MAX_VALUES) == (
        [1, 2.0, 3.0],
        {"key": date(2026, 1, 2)},
    )
    with pytest.raises(Fault, match="argument 'rest': float expected, got str"):
        signature.bind([1, 2, "x"], {}, max_values=MAX_VALUES)
    with pytest.raises(Fault, match=r"argument .key.: datetime\.date \| None expected, got int"):
        signature.bind([1], {"key": 5}, max_values=MAX_VALUES)


def test_annotations_that_cannot_be_resolved_do_not_matter() -> None:
    assert bound("NoSuchThing", 5) == 5


@dataclass
class Node:
    left: "Node | None" = None
    right: "Node | None" = None


def bind(hint: Any, value: Any) -> Any:
    def method(value: Any) -> None: ...

    method.__annotations__["value"] = hint
    return Signature.of(method, bound=False).bind([value], {}, max_values=MAX_VALUES)


def test_references_are_counted_as_often_as_they_are_converted() -> None:
    shared: Any = None
    for _ in range(60):
        shared = {"left": shared, "right": shared}
    with pytest.raises(Fault, match="argument 'value': more than 1000000 values"):
        bind(Node, shared)
    row = [1.0] * 2000
    for rows in ([row] * 2000, amf.ArrayCollection([row] * 2000)):
        with pytest.raises(Fault, match="references written out"):
            bind(list[list[int]], rows)
    columns = amf.MixedArray([], {str(n): ("9" * 6400,) * 100 for n in range(200)})
    with pytest.raises(Fault, match="references written out"):
        bind(dict[str, list[Decimal]], columns)
    with pytest.raises(Fault, match="references written out"):
        bind(list[list[float]], [amf.DoubleVector([0.5] * 2000)] * 2000)


def test_what_is_inside_of_itself_fits_no_deep_annotation() -> None:
    endless = amf.TypedObject("a.Node", {})
    endless.values["left"] = endless
    with pytest.raises(Fault, match="argument 'value': nested too deeply, or inside of itself"):
        bind(Node, endless)
    inside: list[Any] = []
    inside.append(inside)
    (bound,), _ = bind(list[object], inside)
    assert bound[0] is inside


def test_the_injected_call_cannot_be_named() -> None:
    def method(call: Any, **names: object) -> None: ...

    del method.__annotations__["call"]
    with pytest.raises(Fault, match="there is no argument 'call'"):
        Signature.of(method, bound=False).bind([], {"call": 1}, max_values=MAX_VALUES)
