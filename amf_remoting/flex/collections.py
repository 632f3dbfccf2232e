"""Collections of Flex: externalizable classes with exactly one value inside."""

from collections.abc import Iterator
from typing import ClassVar

from amf_remoting.amf.aliases import alias
from amf_remoting.amf.externalizable import DataInput, DataOutput


class Wrapper:
    """One value behind a class name; two are equal if class and value are."""

    __slots__ = ("source",)

    empty: ClassVar[type] = list

    def __init__(self, source: object = None) -> None:
        self.source = self.empty() if source is None else source
        """The value inside: a list in collections, anything in proxies."""

    def read_external(self, source: DataInput) -> None:
        self.source = source.read_object()

    def write_external(self, output: DataOutput) -> None:
        output.write_object(self.source)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, Wrapper):
            return NotImplemented
        return self.source == other.source

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.source!r})"


class _ListWrapper(Wrapper):
    __slots__ = ()

    def _items(self) -> list[object]:
        return self.source if isinstance(self.source, list) else []

    def __iter__(self) -> Iterator[object]:
        return iter(self._items())

    def __len__(self) -> int:
        return len(self._items())

    def __getitem__(self, index: int) -> object:
        return self._items()[index]


@alias("flex.messaging.io.ArrayCollection", externalizable=True)
class ArrayCollection(_ListWrapper):
    """mx.collections.ArrayCollection: a list that Flex's controls can show."""

    __slots__ = ()


@alias("flex.messaging.io.ArrayList", externalizable=True)
class ArrayList(_ListWrapper):
    """mx.collections.ArrayList."""

    __slots__ = ()


@alias("flex.messaging.io.ObjectProxy", externalizable=True)
class ObjectProxy(Wrapper):
    """mx.utils.ObjectProxy: an object whose changes Flex watches."""

    __slots__ = ()
    empty = dict


@alias("flex.messaging.io.ManagedObjectProxy", externalizable=True)
class ManagedObjectProxy(Wrapper):
    """mx.data.utils.ManagedObjectProxy."""

    __slots__ = ()
    empty = dict
