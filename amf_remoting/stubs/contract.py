"""What a client must know: services, methods, and the classes of their values."""

import dataclasses
import inspect
import typing
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..amf import registry as aliases
from ..amf.aliases import ClassAlias
from ..coerce import hints_of
from ..describe import docstring
from ..mapping import mapping_of
from ..remote import RemoteMethod, Service
from .models import is_mapped, members_of_model
from .types import ClassOf, ListOf, MapOf, OneOf, Type, type_of

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """An argument that a caller gives."""

    name: str
    type: Type
    kind: Any
    """A kind of ``inspect.Parameter``."""
    required: bool
    takes_null: bool = False
    """Whether its default is None, so that null means the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method that can be called without a lasting connection."""

    service: str
    name: str
    """Empty where the service is a function."""
    target: str
    text: str
    arguments: tuple[Argument, ...]
    returns: Type

    def of_kind(self, *kinds: Any) -> list[Argument]:
        """Arguments of these kinds, in order."""
        return [one for one in self.arguments if one.kind in kinds]

    @property
    def positional(self) -> list[Argument]:
        """Those that can be given by position."""
        return self.of_kind(*_POSITIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of a value class."""

    name: str
    """The attribute: what JSON calls it."""
    wire_name: str
    """What AMF calls it."""
    type: Type
    required: bool
    """Whether it must be there in an argument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueClass:
    """A class whose instances are sent."""

    source: type
    alias: str
    """Empty: a plain object in AMF."""
    text: str
    members: tuple[Member, ...]


@dataclass(slots=True)
class Contract:
    """All that is exposed."""

    services: list[tuple[str, str, list[Method]]] = field(default_factory=list)
    """Name, docstring, methods by name."""
    classes: dict[type, ValueClass] = field(default_factory=dict)
    """In order of first use."""
    arguments: set[type] = field(default_factory=set)
    """Those of the classes that are part of an argument."""
    left_out: list[str] = field(default_factory=list)
    """Methods that need a connection."""


def contract_of(services: Iterable[Service], *, is_class: Callable[[type], bool]) -> Contract:
    """The contract; ``is_class`` says which classes a language writes with their members."""
    return _Reader(is_class).read(services)


def has_members(cls: type) -> bool:
    """Whether a class is a dataclass, a TypedDict or a mapped model."""
    return dataclasses.is_dataclass(cls) or typing.is_typeddict(cls) or is_mapped(cls)


class _Reader:
    def __init__(self, is_class: Callable[[type], bool]) -> None:
        self._is_class = is_class
        self._contract = Contract()

    def read(self, services: Iterable[Service]) -> Contract:
        found = self._contract
        for service in services:
            methods = []
            for name in sorted(service.methods):
                method = service.methods[name]
                if method.connection:
                    found.left_out.append(method.target)
                else:
                    methods.append(self._method(method))
            if methods:
                found.services.append((service.name, docstring(service.source), methods))
        return found

    def _type(self, hint: Any) -> Type:
        return type_of(hint, is_class=self._is_class)

    def _method(self, method: RemoteMethod) -> Method:
        hints = hints_of(method.function)
        arguments = tuple(self._argument(one, hints) for one in method.signature.parameters)
        returns = self._type(hints.get("return", Any))
        for argument in arguments:
            self._note(argument.type, is_argument=True)
        self._note(returns, is_argument=False)
        return Method(
            service=method.service,
            name=method.name,
            target=method.target,
            text=docstring(method.function),
            arguments=arguments,
            returns=returns,
        )

    def _argument(self, parameter: inspect.Parameter, hints: dict[str, Any]) -> Argument:
        return Argument(
            name=parameter.name,
            type=self._type(hints.get(parameter.name, Any)),
            kind=parameter.kind,
            required=parameter.default is parameter.empty,
            takes_null=parameter.default is None,
        )

    def _note(self, type_: Type, *, is_argument: bool) -> None:
        """Remembers the classes that a type is made of."""
        for cls in _classes_in(type_):
            is_new = cls not in self._contract.classes
            if is_new:
                # Before its members: a class may contain itself.
                self._contract.classes[cls] = _value_class(cls, self._type)
            if is_argument and cls not in self._contract.arguments:
                self._contract.arguments.add(cls)
                is_new = True
            if is_new:
                for member in self._contract.classes[cls].members:
                    self._note(member.type, is_argument=is_argument)


def _classes_in(type_: Type) -> Iterator[type]:
    match type_:
        case ClassOf(source):
            yield source
        case ListOf(inner) | MapOf(inner):
            yield from _classes_in(inner)
        case OneOf(options):
            for option in options:
                yield from _classes_in(option)


def _value_class(cls: type, type_of_hint: Callable[[Any], Type]) -> ValueClass:
    text = docstring(cls)
    # A dataclass or model without a docstring is given its signature as one.
    text = "" if text.startswith(f"{cls.__name__}(") else text
    if mapping := mapping_of(cls) if is_mapped(cls) else None:
        members = [
            Member(name=name, wire_name=name, type=type_, required=True)
            for name, type_ in members_of_model(cls)
        ]
        return ValueClass(source=cls, alias=mapping.alias, text=text, members=tuple(members))
    alias = aliases.by_class.get(cls)
    hints = hints_of(cls)
    return ValueClass(
        source=cls,
        alias=alias.name if alias else "",
        text=text,
        members=tuple(_members(cls, alias, {name: type_of_hint(hints[name]) for name in hints})),
    )


def _members(cls: Any, alias: ClassAlias | None, types: dict[str, Type]) -> Iterator[Member]:
    wire_names = dict(zip(alias.attributes, alias.names, strict=True)) if alias else {}
    for name, required in _fields(cls, alias):
        yield Member(
            name=name,
            wire_name=wire_names.get(name, name),
            type=types.get(name, type_of(Any, is_class=bool)),
            required=required,
        )


def _fields(cls: Any, alias: ClassAlias | None) -> Iterator[tuple[str, bool]]:
    """Names, and whether an argument must have them."""
    if typing.is_typeddict(cls):
        yield from _keys(cls)
    elif dataclasses.is_dataclass(cls):
        for one in dataclasses.fields(cls):
            missing = one.default is one.default_factory is dataclasses.MISSING
            yield one.name, missing and one.init
    elif alias is not None:
        yield from ((name, False) for name in alias.attributes)


def _keys(cls: Any) -> Iterator[tuple[str, bool]]:
    """Of a TypedDict, which itself knows no marks where annotations are texts."""
    marks = {typing.Required: True, typing.NotRequired: False}
    for name, hint in typing.get_type_hints(cls, include_extras=True).items():
        yield name, marks.get(typing.get_origin(hint), name in cls.__required_keys__)
