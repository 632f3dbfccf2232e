"""How the attributes of registered classes are filled; apart, because it is compiled."""

from collections.abc import Callable
from types import NoneType
from typing import Final, cast

from amf_remoting.amf.errors import DecodeError
from amf_remoting.amf.values import Undefined

Memo = dict[tuple[int, int], tuple[object, object]]
"""Conversions of one message, see coercion.Memo."""


class Member:
    """One attribute that travels, and what is done to values that arrive for it."""

    def __init__(
        self,
        attribute: str,
        accepted: frozenset[type],
        convert: Callable[[object, Memo], object],
        default: Callable[[], object],
    ) -> None:
        self.bit = 0
        """Its place in a Plan's `seen`, set by the Plan."""
        self.attribute: Final = attribute
        self.accepted: Final = accepted
        """Exact types of values that fit as they are; the others are converted."""
        self.takes_numbers: Final = float in accepted and int not in accepted
        """AMF0's integral numbers arrive as int."""
        self.usual: type = NoneType
        """The type of the value that fitted last, so that most values need no look-up."""
        self.convert: Final = convert
        """With what was converted before; TypeError or ValueError for what does not fit."""
        self.default: Final = default
        """Makes what the attribute becomes if nothing came, or undefined."""


class Plan:
    """How the instances of one class are filled."""

    def __init__(self, class_name: str, cls: type, by_name: dict[str, Member]) -> None:
        self.class_name: Final = class_name
        self.cls: Final = cls
        self.by_name: Final = by_name
        """The members by their names on the wire."""
        for index, member in enumerate(by_name.values()):
            member.bit = 1 << index
        self._new: Final[Callable[[type], object]] = object.__new__
        self.complete: Final = (1 << len(by_name)) - 1
        """The bits of all members."""

    def create(self) -> object:
        """An empty instance, without `__init__`: references may mean it before it has members."""
        return self._new(self.cls)

    def set(self, instance: object, member: Member, value: object, memo: Memo) -> None:
        """Raises DecodeError for a value that does not fit the attribute's annotation."""
        kind = type(value)
        if kind is not member.usual:
            if kind in member.accepted:
                member.usual = kind
            elif member.takes_numbers and kind is int:
                value = float(cast(int, value))
            else:
                value = self._converted(member, value, memo)
        object.__setattr__(instance, member.attribute, value)

    def _converted(self, member: Member, value: object, memo: Memo) -> object:
        if value is Undefined:
            return member.default()
        try:
            return member.convert(value, memo)
        except (TypeError, ValueError) as error:
            raise DecodeError(f"{self.class_name}.{member.attribute}: {error}") from None

    def set_defaults(self, instance: object, seen: int) -> None:
        """Members whose bit is not in `seen` did not come: they get their default, or None."""
        if seen == self.complete:
            return
        for member in self.by_name.values():
            if not seen & member.bit:
                self.set(instance, member, Undefined, {})


NO_PLAN: Final = Plan("", object, {})
"""Stands for none at all."""
