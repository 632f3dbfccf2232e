"""Values of AMF for which Python has no type of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from amf_remoting.amf.traits import Traits


class UndefinedType:
    """The type of `Undefined`; one instance, false, and not None."""

    _instance: UndefinedType | None = None

    def __new__(cls) -> UndefinedType:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "Undefined"

    def __reduce__(self) -> str:
        return "Undefined"


Undefined: Final = UndefinedType()
"""ActionScript's `undefined`, which is not its `null` (None)."""


@dataclass(slots=True, eq=False)
class TypedObject:
    """An object of a class that nobody registered: its alias and its members.

    Decoded ones remember their traits and are written again as they came. Made by hand, all
    members are sealed (`traits` is None).
    """

    alias: str
    values: dict[str, object] = field(default_factory=dict)
    traits: Traits | None = field(default=None, repr=False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TypedObject):
            return NotImplemented
        return self.alias == other.alias and self.values == other.values

    __hash__ = None  # type: ignore[assignment]


@dataclass(slots=True)
class MixedArray:
    """An array with names: AMF3's associative part, or an AMF0 ECMA array that is not a list."""

    dense: list[object] = field(default_factory=list)
    """The items "0" to "n-1"."""
    named: dict[str, object] = field(default_factory=dict)
    """Everything else, never under an empty name in AMF3."""


@dataclass(frozen=True, slots=True)
class XML:
    """E4X XML as text; never parsed here."""

    text: str


@dataclass(frozen=True, slots=True)
class XMLDocument:
    """The older flash.xml.XMLDocument as text; never parsed here."""

    text: str


@dataclass(frozen=True, slots=True)
class Date:
    """A Date no datetime can hold: NaN ("Invalid Date") or a year outside 1 to 9999."""

    milliseconds: float
    """Since 1970 in UTC."""


_BY_VALUE = (str, int, float, type(None))


class Dictionary(MutableMapping[object, object]):
    """flash.utils.Dictionary: any key, text and numbers by value, all others by identity."""

    __slots__ = ("_entries", "weak")

    def __init__(
        self, entries: Iterable[tuple[object, object]] = (), *, weak: bool = False
    ) -> None:
        self._entries: dict[object, tuple[object, object]] = {}
        self.weak = weak
        """Whether the sender held its keys weakly; kept, without effect here."""
        for key, value in entries:
            self[key] = value

    @staticmethod
    def _slot(key: object) -> object:
        if isinstance(key, bool) or not isinstance(key, _BY_VALUE):
            return (id(key),)
        return key

    def __getitem__(self, key: object) -> object:
        try:
            return self._entries[self._slot(key)][1]
        except KeyError:
            raise KeyError(key) from None

    def __setitem__(self, key: object, value: object) -> None:
        self._entries[self._slot(key)] = (key, value)

    def __delitem__(self, key: object) -> None:
        del self._entries[self._slot(key)]

    def __iter__(self) -> Iterator[object]:
        return (key for key, _ in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __eq__(self, other: object) -> bool:
        """Same entries in the same order; keys that are objects are compared by value here."""
        if not isinstance(other, Dictionary):
            return NotImplemented
        return self.weak == other.weak and list(self.items()) == list(other.items())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Dictionary({list(self.items())!r})"
