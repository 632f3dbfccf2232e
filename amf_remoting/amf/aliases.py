"""The registry of class aliases: the only classes that bytes can ever construct."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Final, TypeVar

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
        return tuple(public_attributes(self.cls))

    @cached_property
    def traits(self) -> Traits:
        if self.externalizable:
            return Traits(self.name, (), False, True)
        return Traits(self.name, tuple(map(self._wire_name, self.attributes)), False, False)

    @cached_property
    def _by_wire_name(self) -> dict[str, str]:
        return dict(zip(self.traits.names, self.attributes, strict=True))

    @cached_property
    def _defaults(self) -> dict[str, Callable[[], object]]:
        return dict(default_factories(self.cls, self.attributes))

    def _wire_name(self, attribute: str) -> str:
        return camel_case(attribute) if self._camel_case else attribute

    def create(self) -> object:
        """An empty instance, without `__init__`: references may mean it before it has members."""
        return object.__new__(self.cls)

    def fill(self, instance: object, members: dict[str, object]) -> None:
        """Set declared attributes only; those that did not come get their default, or None."""
        for name, attribute in self._by_wire_name.items():
            if name in members:
                object.__setattr__(instance, attribute, members[name])
            else:
                object.__setattr__(instance, attribute, self._defaults[attribute]())


class AliasRegistry:
    """Classes by alias and aliases by class."""

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


def alias_of(value: object) -> ClassAlias | None:
    """The alias of exactly this class; subclasses need their own."""
    return registry.by_class.get(type(value))


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


def camel_case(attribute: str) -> str:
    head, *tail = attribute.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in tail)


def public_attributes(cls: type) -> Iterable[str]:
    """Names of the attributes that travel, in order of declaration."""
    names: dict[str, None] = {}
    if dataclasses.is_dataclass(cls):
        names.update(dict.fromkeys(field.name for field in dataclasses.fields(cls)))
    else:
        for base in reversed(cls.__mro__):
            names.update(dict.fromkeys(_annotated(base)))
        names.update(dict.fromkeys(_parameters(cls)))
    return (name for name in names if not name.startswith("_"))


def _annotated(cls: type) -> Iterable[str]:
    for name, annotation in inspect.get_annotations(cls).items():
        if "ClassVar" not in str(annotation):
            yield name


def _parameters(cls: type) -> Iterable[str]:
    if "__init__" not in vars(cls):
        return
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = list(inspect.signature(vars(cls)["__init__"]).parameters.values())
    yield from (p.name for p in parameters[1:] if p.kind in named)


def default_factories(
    cls: type, attributes: Iterable[str]
) -> Iterable[tuple[str, Callable[[], object]]]:
    """For each attribute a function that makes its default; None where there is none."""
    fields = {f.name: f for f in dataclasses.fields(cls)} if dataclasses.is_dataclass(cls) else {}
    for name in attributes:
        field = fields.get(name)
        if field is not None and field.default_factory is not dataclasses.MISSING:
            yield name, field.default_factory
            continue
        default = None
        if field is not None:
            default = None if field.default is dataclasses.MISSING else field.default
        elif not inspect.isdatadescriptor(vars(cls).get(name)):
            default = getattr(cls, name, None)
        yield name, lambda default=default: default  # type: ignore[misc]
