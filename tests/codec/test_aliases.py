"""The registry of class aliases, and what annotations make of what arrives."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Final,
    Literal,
    NewType,
    Protocol,
    TypeVar,
)
from uuid import UUID

import pytest

from amf_remoting import amf
from amf_remoting.amf import DecodeError, TypedObject, Undefined
from amf_remoting.amf.coercion import coercion_of

if TYPE_CHECKING:
    from somewhere import Unknown  # type: ignore[import-not-found]

VERSIONS = pytest.mark.parametrize("version", [0, 3])


@dataclass
class Person:
    name: str = ""
    age: int = 0
    born: date | None = None
    tags: list[str] = field(default_factory=list)
    kind: ClassVar[str] = "human"
    _secret: str = "kept"


class Plain:
    title: str
    counter: "int"
    mystery: "Unknown"
    shared = "class"

    def __init__(self, title: str, extra: float = 1.0, *args: object, **more: object) -> None:
        self.title = title
        self.extra = extra


class Slotted:
    __slots__ = ("x",)
    x: int


@dataclass(frozen=True, slots=True)
class Frozen:
    name: str
    parent: "Frozen | None" = None


@pytest.fixture(autouse=True)
def _classes() -> Iterator[None]:
    amf.alias("test.Person")(Person)
    amf.alias("test.Plain")(Plain)
    amf.alias("test.Slotted")(Slotted)
    amf.alias("test.Frozen", camel_case=True)(Frozen)
    yield
    for name in ("Person", "Plain", "Slotted", "Frozen"):
        amf.registry.discard(f"test.{name}")


def received(alias: str, version: int = 3, **members: object) -> Any:
    return amf.loads(amf.dumps(TypedObject(alias, members), version), version)


@VERSIONS
def test_a_dataclass_there_and_back(version: int) -> None:
    person = Person("Zoë", 42, date(1990, 1, 2), ["a"])
    decoded = amf.loads(amf.dumps([person, person], version), version)
    assert decoded == [person, person]
    assert decoded[0] is decoded[1]


@VERSIONS
def test_missing_members_get_their_defaults(version: int) -> None:
    assert received("test.Person", version, name="Zoë") == Person("Zoë")
    assert received("test.Person", version, age=Undefined) == Person()
    first, second = received("test.Person", version), received("test.Person", version)
    assert first.tags is not second.tags


@VERSIONS
def test_only_declared_attributes_are_set(version: int) -> None:
    person = received(
        "test.Person", version, name="a", _secret="x", kind="y", unknown=1, __class__="z"
    )
    assert person == Person("a")
    assert (person._secret, person.kind) == ("kept", "human")
    assert not hasattr(person, "unknown")


def test_dynamic_members_are_set_when_declared() -> None:
    data = bytes.fromhex("0A 1B 17 746573742E506572736F6E 07616765 0405")
    data += bytes.fromhex("09 6E616D65 0603 61 03 7A 0401 01")
    assert amf.loads(data) == Person("a", 5)


@VERSIONS
def test_plain_classes(version: int) -> None:
    decoded = received("test.Plain", version, title="a", counter=1.0, mystery=[1], extra=2)
    assert type(decoded) is Plain
    assert (decoded.title, decoded.counter, decoded.mystery) == ("a", 1, [1])
    assert (decoded.extra, type(decoded.extra)) == (2.0, float)
    encoded = amf.loads(amf.dumps(decoded, version), version)
    assert vars(encoded) == vars(decoded)
    assert received("test.Plain", version).title is None
    assert "__init__" not in vars(decoded)


@VERSIONS
def test_slots_and_frozen_classes(version: int) -> None:
    assert received("test.Slotted", version, x=5).x == 5
    child = Frozen("child", Frozen("parent"))
    assert amf.loads(amf.dumps(child, version), version) == child


@VERSIONS
def test_an_attribute_that_was_never_set_is_null(version: int) -> None:
    amf.registry.discard("test.Slotted")
    amf.alias("test.Slotted")(Slotted)
    encoded = amf.dumps(Slotted(), version)
    amf.registry.discard("test.Slotted")
    assert amf.loads(encoded, version) == TypedObject("test.Slotted", {"x": None})


@VERSIONS
def test_cycles_through_instances(version: int) -> None:
    @amf.alias("test.Loop")
    class Loop:
        other: object

    try:
        loop = Loop()
        loop.other = [loop]
        decoded = amf.loads(amf.dumps(loop, version), version)
        assert decoded.other[0] is decoded
    finally:
        amf.registry.discard("test.Loop")


@VERSIONS
def test_a_value_that_does_not_fit_says_where(version: int) -> None:
    with pytest.raises(DecodeError, match=r"test\.Person\.age: a str does not fit"):
        received("test.Person", version, age="old")


def test_subclasses_need_an_alias_of_their_own() -> None:
    class Child(Person):
        pass

    assert amf.loads(amf.dumps(Child("a")))["name"] == "a"


def test_an_alias_belongs_to_one_class() -> None:
    class Other:
        pass

    with pytest.raises(ValueError, match="belongs to Person"):
        amf.alias("test.Person")(Other)
    amf.alias("test.Person")(Person)
    amf.registry.discard("test.Nobody")


@pytest.mark.parametrize("base", [dict, list, str, int, float, tuple, bytes])
def test_basic_types_have_a_form_already(base: type) -> None:
    with pytest.raises(TypeError, match="basic type"):
        amf.alias("test.Basic")(type("Basic", (base,), {}))


def test_camel_case() -> None:
    @amf.alias("test.Camel", camel_case=True)
    @dataclass
    class Camel:
        sent_at: int = 0
        id: int = 0

    try:
        encoded = amf.dumps(Camel(1, 2))
        assert b"sentAt" in encoded
        assert amf.loads(encoded) == Camel(1, 2)
    finally:
        amf.registry.discard("test.Camel")


class Suit(Enum):
    HEARTS = "h"


class Shape(Protocol):
    def area(self) -> float: ...


UserId = NewType("UserId", int)
T = TypeVar("T")
NOON = datetime(2020, 1, 2, 12, tzinfo=UTC)
ID = UUID("00000000-0000-0000-0000-000000000001")


@pytest.mark.parametrize(
    ("hint", "value", "expected"),
    [
        (int, 3, 3),
        (int, 3.0, 3),
        (float, 3, 3.0),
        (float, 1.5, 1.5),
        (str, "a", "a"),
        (str, amf.XML("<a/>"), "<a/>"),
        (bool, True, True),
        (bytes, b"a", b"a"),
        (bytearray, b"a", bytearray(b"a")),
        (datetime, NOON, NOON),
        (date, NOON, NOON.date()),
        (time, "12:00:00", time(12)),
        (Decimal, "1.10", Decimal("1.10")),
        (Decimal, 1.1, Decimal("1.1")),
        (Decimal, 2, Decimal(2)),
        (UUID, str(ID), ID),
        (UUID, ID.bytes, ID),
        (Suit, "h", Suit.HEARTS),
        (list, amf.ArrayCollection([1]), [1]),
        (list, amf.IntVector([1]), [1]),
        (list[int], [1.0, 2], [1, 2]),
        (Sequence[date], [NOON], [NOON.date()]),
        (tuple, [1], (1,)),
        (tuple[int, ...], [1.0], (1,)),
        (tuple[int, str], [1, "a"], (1, "a")),
        (set[str], ["a", "a"], {"a"}),
        (set, ["a"], {"a"}),
        (frozenset, ["a"], frozenset("a")),
        (frozenset[str], ["a"], frozenset("a")),
        (dict, amf.ObjectProxy({"a": 1}), {"a": 1}),
        (dict, amf.MixedArray([1], {"a": 2}), {"0": 1, "a": 2}),
        (dict, amf.Dictionary([(1, 2)]), {1: 2}),
        (dict[str, date], {"a": NOON}, {"a": NOON.date()}),
        (Mapping[str, int], {"a": 1.0}, {"a": 1}),
        (int | None, 3.0, 3),
        (int | str, "a", "a"),
        (date | int, NOON, NOON.date()),
        (Literal["a", "b"], "b", "b"),
        (Annotated[int, "positive"], 3.0, 3),
        (UserId, 3.0, 3),
        (Person, Person("a"), Person("a")),
        (type[int], int, int),
        (None | list[int], None, None),
        (list[int], None, None),
    ],
)
def test_annotations_convert(hint: Any, value: object, expected: object) -> None:
    coercion = coercion_of(hint)
    assert coercion is not None
    result = coercion(value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (int, 1.5),
        (int, "1"),
        (int, True),
        (float, True),
        (float, "1"),
        (str, 1),
        (bool, 1),
        (bytes, "a"),
        (datetime, "2020"),
        (date, 5),
        (time, 5),
        (time, "noon"),
        (Decimal, "x"),
        (Decimal, True),
        (UUID, 5),
        (UUID, "x"),
        (Suit, "x"),
        (list, "abc"),
        (list, {"a": 1}),
        (list[int], ["a"]),
        (dict, [1]),
        (int | bool, "a"),
        (Literal["a"], "b"),
        (Person, {"name": "a"}),
        (complex, 1),
    ],
)
def test_annotations_refuse(hint: Any, value: object) -> None:
    coercion = coercion_of(hint)
    assert coercion is not None
    with pytest.raises((TypeError, ValueError)):
        coercion(value)


def test_what_two_share_is_converted_once() -> None:
    day = datetime(2026, 1, 2, tzinfo=UTC)
    people = [TypedObject("test.Person", {"born": day, "tags": ["a"]}) for _ in range(2)]
    first, second = amf.loads(amf.dumps(people))
    assert first.born == date(2026, 1, 2)
    assert first.born is second.born


@VERSIONS
def test_without_an_annotation_everything_stays_as_it_came(version: int) -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    assert received("test.Plain", version, mystery=moment).mystery == moment


@pytest.mark.parametrize("hint", [Any, object, T, "text", Shape, int | Any, Final[int]])
def test_annotations_that_fit_everything(hint: Any) -> None:
    assert coercion_of(hint) is None


def test_externalizable_streams() -> None:
    class Raw:
        def __init__(self) -> None:
            self.parts: list[object] = []

        def read_external(self, source: amf.DataInput) -> None:
            self.parts = [source.read_unsigned_byte(), source.read_utf(), source.read_bytes(2)]

        def write_external(self, output: amf.DataOutput) -> None:
            output.write_byte(258)
            output.write_utf("zoë")
            output.write_bytes(b"ab")

    amf.alias("test.Raw", externalizable=True)(Raw)
    try:
        assert amf.loads(amf.dumps(Raw())).parts == [2, "zoë", b"ab"]
        with pytest.raises(DecodeError, match="announced"):
            amf.loads(amf.dumps(Raw())[:-1])
        with pytest.raises(ValueError, match="65535"):
            amf.DataOutput(None).write_utf("x" * 65_536)  # type: ignore[arg-type]
    finally:
        amf.registry.discard("test.Raw")
