"""The arguments that a form begins with."""

import enum
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import pytest

from amf_remoting.browser.skeleton import skeleton
from amf_remoting.remote import describe_source


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Place:
    name: str
    at: datetime
    tags: list[str] = field(default_factory=list)


@dataclass
class Node:
    next: "Node"


def nothing() -> None: ...
def numbers(a: int, b: float, c: bool) -> None: ...
def unknown(a, b: object, c: Any) -> None: ...  # type: ignore[no-untyped-def]
def defaults(a: int = 5, b: str = "x", c: object = object) -> None: ...
def choices(a: Colour, b: Literal["up", "down"], c: int | None, d: int | str) -> None: ...
def containers(a: list[int], b: dict[str, int], c: datetime) -> None: ...
def place(a: Place) -> None: ...
def rest(a: int, *args: int, **kwargs: int) -> None: ...
def named(a: int, *, b: str) -> None: ...
def may_be_named(a: int, *, b: str = "x") -> None: ...


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (nothing, []),
        (numbers, [0, 0, False]),
        (unknown, [None, None, None]),
        (defaults, [5, "x", None]),
        (choices, ["red", "up", None, 0]),
        (containers, [[], {}, "2000-01-01T00:00:00Z"]),
        (place, [{"name": "", "at": "2000-01-01T00:00:00Z", "tags": []}]),
        (rest, [0]),
        (named, {"a": 0, "b": ""}),
        (may_be_named, [0]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_skeleton(function: Callable[..., object], expected: object) -> None:
    method = describe_source("s", function).methods[""]
    assert json.loads(skeleton(method)) == expected


def test_a_class_within_itself_ends() -> None:
    def node(a: Node) -> None: ...

    assert skeleton(describe_source("s", node).methods[""]).count("next") == 4
