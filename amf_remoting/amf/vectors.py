"""AMF3's typed vectors (AMF 3 §3.15). Numbers live in an `array`: no Python object per item."""

import sys
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Generic, Self, TypeVar

Number = TypeVar("Number", int, float)


class NumberVector(Generic[Number]):
    """A vector of numbers of one kind; `items` is an `array.array` of `typecode`."""

    __slots__ = ("fixed", "items")

    typecode: ClassVar[str]
    item_size: ClassVar[int]

    def __init__(self, items: Iterable[Number] = (), *, fixed: bool = False) -> None:
        self.items: array[Number] = array(self.typecode, items)
        self.fixed = fixed
        """Whether its length may change, on the side of ActionScript."""

    @classmethod
    def parse(cls, data: bytes, *, fixed: bool) -> Self:
        """`data` holds the items, big-endian, nothing else."""
        vector = cls(fixed=fixed)
        vector.items.frombytes(data)
        if sys.byteorder == "little":
            vector.items.byteswap()
        return vector

    def serialize(self) -> bytes:
        if sys.byteorder == "big":
            return self.items.tobytes()
        swapped = self.items[:]
        swapped.byteswap()
        return swapped.tobytes()

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Number]:
        return iter(self.items)

    def __getitem__(self, index: int) -> Number:
        return self.items[index]

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, NumberVector):
            return NotImplemented
        return self.fixed == other.fixed and self.items == other.items

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.items.tolist()!r}, fixed={self.fixed})"


class IntVector(NumberVector[int]):
    """Vector.<int>: 32 bits, signed."""

    __slots__ = ()
    typecode = "i"
    item_size = 4


class UIntVector(NumberVector[int]):
    """Vector.<uint>: 32 bits, unsigned."""

    __slots__ = ()
    typecode = "I"
    item_size = 4


class DoubleVector(NumberVector[float]):
    """Vector.<Number>."""

    __slots__ = ()
    typecode = "d"
    item_size = 8


@dataclass(slots=True)
class ObjectVector:
    """Vector.<T> of anything else; items may be None."""

    items: list[object] = field(default_factory=list)
    type_name: str = ""
    """T's alias as it came; "" for Object."""
    fixed: bool = False

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[object]:
        return iter(self.items)

    def __getitem__(self, index: int) -> object:
        return self.items[index]
