"""Mapped models (see mapping.py) as classes with members."""

from collections.abc import Iterator
from typing import Any

from django.db import models

from ..mapping import mapping_of
from .types import ANY, NULL, ClassOf, ListOf, OneOf, Plain, Type

_TYPES: tuple[tuple[type[Any], Type], ...] = (
    (models.BooleanField, Plain("boolean")),
    (models.IntegerField, Plain("number")),
    (models.AutoField, Plain("number")),
    (models.FloatField, Plain("number")),
    (models.DateField, Plain("date")),
    (models.BinaryField, Plain("bytes")),
    (models.FileField, ANY),
    (models.CharField, Plain("text")),
    (models.TextField, Plain("text")),
    (models.DecimalField, Plain("text")),
    (models.UUIDField, Plain("text")),
)


def is_mapped(cls: type) -> bool:
    """Whether instances of the model are sent with named fields."""
    return issubclass(cls, models.Model) and mapping_of(cls) is not None


def members_of_model(model: type[models.Model]) -> Iterator[tuple[str, Type]]:
    """Names and types of what is sent."""
    mapping = mapping_of(model)
    assert mapping is not None
    for name in mapping.fields:
        yield name, _type(model._meta.get_field(name))


def _type(field: Any) -> Type:
    if field.many_to_many or field.one_to_many:
        return ListOf(_related(field))
    type_ = _related(field) if field.is_relation else _column(field)
    if type_ != ANY and getattr(field, "null", True):
        return OneOf((type_, NULL))
    return type_


def _related(field: Any) -> Type:
    """The object, or its primary key where that model is not mapped."""
    other = field.related_model
    return ClassOf(other) if is_mapped(other) else _column(other._meta.pk)


def _column(field: Any) -> Type:
    if field.is_relation:  # a primary key that is another's
        return _column(field.target_field)
    return next((type_ for cls, type_ in _TYPES if isinstance(field, cls)), ANY)
