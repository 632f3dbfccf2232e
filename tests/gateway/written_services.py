"""Services for written clients: every kind of argument and value, and names that are in the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Any, ClassVar, Literal, NewType, NotRequired, TypedDict
from uuid import UUID

from amf_remoting import amf
from amf_remoting.call import Call
from amf_remoting.registry import remote_method

UserId = NewType("UserId", int)


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Mixed(Enum):
    NOTHING = None


@amf.alias("tests.written.Order", camel_case=True)
@dataclass
class Order:
    """An order. */ this ends no comment"""

    order_id: int
    placed_at: datetime | None = None
    lines: list[Line] = field(default_factory=list)
    parent: Order | None = None
    function: str = ""


@dataclass
class Line:
    price: Decimal
    count: int = 1
    kind: ClassVar[str] = "line"


@amf.alias("tests.written.Plain")
class Plain:
    name: str
    size: int

    def __init__(self) -> None:
        self.name = ""


@amf.alias("tests.written.Own", externalizable=True)
@dataclass
class Own:
    inner: int = 0


class Filter(TypedDict):
    text: str
    limit: NotRequired[int]


class Fault:
    """Has the name of what the module has already."""


@dataclass
class Promise:
    """So has this."""

    kept: bool


class ShopService:
    """What a shop has."""

    @remote_method
    def place(self, call: Call, order: Order, *, note: str = "", urgent: bool = False) -> Order:
        """Places an order.

        In two paragraphs, and /* an odd */ one.
        """
        return order

    @remote_method
    def search(self, wanted: Filter, color: Color = Color.RED) -> Iterator[Order]:
        return iter(())

    @remote_method
    def kinds(self, kind: Literal["a", "b", 3], mixed: Mixed) -> dict[str, list[Line]]:
        return {}

    @remote_method
    def prices(self, /, first: Decimal, *rest: Decimal) -> tuple[float, ...]:
        return ()

    @remote_method
    def tagged(self, **tags: str) -> set[str]:
        return set(tags)

    @remote_method
    def picked(self, *, size: int, **tags: str) -> None:
        """By name only."""

    @remote_method
    def raw(self, data: bytes, tree: amf.XML, vector: amf.IntVector) -> amf.ArrayCollection:
        return amf.ArrayCollection()

    @remote_method
    def ids(self, user: UserId, key: UUID | None, day: date | None = None) -> Sequence[UserId]:
        return []

    @remote_method
    def odd(self, anything: Any, own: Own, plain: Plain, either: int | str) -> Plain:
        return plain

    @remote_method
    def unknown(self, untyped, default=None):
        return untyped

    @remote_method
    def promised(self, fault: Fault) -> Promise:
        return Promise(True)

    @remote_method(name="new")
    def new_one(self, function: str, default: int = 1, *options: int) -> bool:
        return True

    @remote_method
    def constructor(self) -> None:
        """A name that classes have already."""

    @remote_method(connection=True)
    async def lasting(self) -> None:
        """Never written."""


@remote_method
def version(short: bool = False) -> str:
    """A function is a service."""
    return "1"


class Words:
    """Methods whose names are words of JavaScript and Haxe."""


WORDS = (
    "arguments await class constructor default delete door eval function get hasOwnProperty new"
    " new_ prototype static then this toString trace valueOf"
)
for word in WORDS.split():

    @remote_method(name=word)
    def method(self: Words, prototype: int = 0, default: int = 1, *, delete: int = 2) -> int:
        return prototype

    setattr(Words, f"method_{word}", method)

SOURCES: dict[str, Any] = {
    "shop": ShopService,
    "shop.admin": SimpleNamespace(version=version),
    "version": version,
    "function": SimpleNamespace(version=version),
    "connection": SimpleNamespace(version=version),
    **dict.fromkeys(WORDS.replace("function", "__proto__").split(), Words),
}
