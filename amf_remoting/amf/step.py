"""One step on the way through AMF."""

from dataclasses import dataclass
from types import EllipsisType
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Where a value is: names of members and indexes of items, outermost first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Some bytes that mean one thing. Steps follow each other without gap or overlap."""

    offset: int
    """The first byte: of the member's name, where the value has one, else its marker."""
    end: int
    """Behind the last byte of its own; what an object holds are steps of their own."""
    path: Path
    kind: str
    """The specification's word: "String", "Object", "Reference" …"""
    marker: int | None = None
    """The type marker; None for what is no value, such as the end of an object."""
    value: object | EllipsisType = ...
    """What the bytes say, where that is one value; else Ellipsis."""
    detail: str = ""
    """More for people: class names, counts, what a reference means."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step begins."""

    offset: int
    path: Path
    marker: int

    def step(self, end: int, kind: str, value: object = ..., *, detail: str = "") -> Step:
        """The step from here to ``end``."""
        return Step(
            offset=self.offset,
            end=end,
            path=self.path,
            kind=kind,
            marker=self.marker,
            value=value,
            detail=detail,
        )


def shortened(text: str) -> str:
    """Names for details: a few bytes of references must not become megabytes."""
    return text if len(text) <= 100 else f"{text[:100]}…"
