"""Django's own values on the wire: translated text, and models by the fields somebody named.

    map_model(Author, ["id", "name", "books"], alias="demo.Author")

Nothing of a model is sent until its fields are named: a password hash is a field, too.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import GeneratorType
from typing import Any, Final

from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured, SynchronousOnlyOperation
from django.db.models import Manager, Model, QuerySet
from django.utils.functional import Promise

from .amf import EncodeError, TypedObject, register_adapter
from .amf.adapters import finite_list


@dataclass(frozen=True, slots=True)
class ModelMapping:
    """How instances of one model are sent."""

    model: type[Model]
    fields: tuple[str, ...]
    alias: str
    """Class alias on the other side, "" for a plain object."""
    to_one: tuple[str, ...]
    """Named relations that a query can join."""
    to_many: tuple[str, ...]
    """Accessors of the named relations that take one query more, for all rows together."""

    def members(self, instance: Model) -> dict[str, Any]:
        return {name: _value(instance, name) for name in self.fields}


_mappings: Final[dict[type[Model], ModelMapping]] = {}


def map_model(model: type[Model], fields: Sequence[str], *, alias: str = "") -> None:
    """Send instances of `model` with these fields, and querysets of it as lists of such objects.

    A relation becomes its object if that model is mapped too, else its primary key; the objects of
    a to-many relation become a list. Raises ImproperlyConfigured for a name that is no field.
    """
    to_one: list[str] = []
    to_many: list[str] = []
    for name in fields:
        field = _field(model, name)
        if field.many_to_many or field.one_to_many:
            to_many.append(_accessor(field))
        elif field.is_relation:
            to_one.append(name)
    _mappings[model] = ModelMapping(model, tuple(fields), alias, tuple(to_one), tuple(to_many))


def unmap_model(model: type[Model]) -> None:
    """Take back `map_model`."""
    _mappings.pop(model, None)


def mapping_of(model: type[Model]) -> ModelMapping | None:
    """The mapping of a model, or of the nearest of its bases (proxies, multi-table children)."""
    return next((_mappings[base] for base in model.__mro__ if base in _mappings), None)


def register() -> None:
    """Teach the codec Django's types; called once, when the app is ready."""
    register_adapter(Promise, str)
    register_adapter(Iterator, _adapt_iterator)  # type: ignore[type-abstract]
    register_adapter(Model, _adapt_instance)
    register_adapter(QuerySet, _adapt_queryset)
    register_adapter(Manager, lambda manager: _adapt_queryset(manager.all()))


def _adapt_iterator(iterator: Iterator[object]) -> list[object]:
    if isinstance(iterator, GeneratorType) and iterator.gi_frame is None:
        raise EncodeError("a generator that was read before: make a list of it")
    # It can be read once: one that asks the database half-way would be lost.
    if _on_loop():
        raise SynchronousOnlyOperation("an iterator is read in a thread: make a list of it")
    return finite_list(iterator)


def _on_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _field(model: type[Model], name: str) -> Any:
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        raise ImproperlyConfigured(f"{model.__qualname__} has no field {name!r}") from None


def _accessor(field: Any) -> str:
    """A reverse relation is reached by another name than it has in queries."""
    name: str = field.get_accessor_name() if field.auto_created else field.name
    return name


def _value(instance: Model, name: str) -> Any:
    field: Any = instance._meta.get_field(name)
    if field.many_to_many or field.one_to_many:
        related: Iterable[Model] = getattr(instance, _accessor(field)).all()
        return [_object_or_key(each) for each in related]
    if not field.is_relation:
        return getattr(instance, name)
    if field.concrete and mapping_of(field.related_model) is None:
        return getattr(instance, field.attname)
    other = getattr(instance, name, None)
    return None if other is None else _object_or_key(other)


def _object_or_key(instance: Model) -> Any:
    return instance.pk if mapping_of(type(instance)) is None else instance


def _adapt_instance(instance: Model) -> object:
    mapping = mapping_of(type(instance))
    if mapping is None:
        name = type(instance).__qualname__
        raise EncodeError(f"no field of {name} is named for sending: see mapping.map_model")
    members = mapping.members(instance)
    return TypedObject(mapping.alias, members) if mapping.alias else members


def _adapt_queryset(queryset: QuerySet[Any]) -> list[object]:
    """The rows, with everything they need in a number of queries that does not depend on them."""
    mapping = mapping_of(queryset.model)
    rows: Any = queryset
    is_lazy = queryset._result_cache is None and not queryset._fields  # type: ignore[attr-defined]
    if mapping is not None and is_lazy:
        joined = [name for name in mapping.to_one if _is_sent_whole(mapping, name)]
        if joined:
            rows = rows.select_related(*joined)
        rows = rows.prefetch_related(*mapping.to_many)
    return list(rows)


def _is_sent_whole(mapping: ModelMapping, name: str) -> bool:
    field: Any = mapping.model._meta.get_field(name)
    return not field.concrete or mapping_of(field.related_model) is not None
