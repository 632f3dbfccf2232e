"""The registry of class aliases: the only classes that bytes can ever construct."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Final, TypeVar

from amf_remoting.amf.member import Plan
from amf_remoting.amf.members import camel_case, members_of, public_attributes
from amf_remoting.amf.traits import Traits

C = TypeVar("C", bound=type)

_BASIC = (str, int, float, list, dict, tuple, bytes)


class ClassAlias:
    """One registered class: its alias, its members on the wire and their attributes here."""

    def __init__(self, name: str, cls: type, *, externalizable: bool, camel_case: bool) -> None:
        self.name: Final = name
        self.cls: Final = cls
        self.externalizable: Final = externalizable
        self._camel_case = camel_case

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        """Attributes in the order of `traits.names`."""
        return public_attributes(self.cls)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What the attributes are called on the wire."""
        return tuple(map(camel_case, self.attributes)) if self._camel_case else self.attributes

    @cached_property
    def traits(self) -> Traits:
        if self.externalizable:
            return Traits(self.name, (), False, True)
        return Traits(self.name, self.names, False, False)

    @cached_property
    def plan(self) -> Plan:
        """How decoded members become attributes."""
        members = members_of(self.cls, self.attributes)
        return Plan(self.name, self.cls, dict(zip(self.names, members, strict=True)))


class AliasRegistry:
    """Classes by alias and aliases by class (exactly that class: subclasses need their own)."""

    def __init__(self) -> None:
        self.by_name: dict[str, ClassAlias] = {}
        self.by_class: dict[type, ClassAlias] = {}

    def add(self, alias: ClassAlias) -> None:
        """Raises ValueError if another class holds that alias."""
        known = self.by_name.get(alias.name)
        if known is not None and known.cls.__qualname__ != alias.cls.__qualname__:
            raise ValueError(f"alias {alias.name!r} belongs to {known.cls.__qualname__}")
        self.by_name[alias.name] = alias
        self.by_class[alias.cls] = alias

    def discard(self, name: str) -> None:
        alias = self.by_name.pop(name, None)
        if alias is not None:
            self.by_class.pop(alias.cls, None)


registry: Final = AliasRegistry()


def alias(name: str, *, externalizable: bool = False, camel_case: bool = False) -> Callable[[C], C]:
    """Class decorator: objects of alias `name` become instances of this class, and back.

    Members are a dataclass's fields, or a plain class's annotated attributes and `__init__`
    parameters, without those that begin with an underscore. `__init__` is not called on decoding.
    `camel_case` writes `sent_at` as `sentAt`. An externalizable class reads and writes its own
    body (`read_external`, `write_external`).
    """

    def register(cls: C) -> C:
        if issubclass(cls, _BASIC):
            raise TypeError(f"alias {name!r}: {cls.__qualname__} is a basic type already")
        registry.add(ClassAlias(name, cls, externalizable=externalizable, camel_case=camel_case))
        return cls

    return register
