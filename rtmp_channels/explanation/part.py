"""One part of an explained conversation."""

from __future__ import annotations

from dataclasses import dataclass
from types import EllipsisType
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
"""The first byte, and behind the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some bytes that mean one thing, or the title of those that follow."""

    offset: int
    """Where it begins in the recording."""
    spans: tuple[Span, ...] = ()
    """Its bytes: several spans where the headers of chunks lie between, none for a title and for
    what is missing at the end."""
    depth: int
    """0 for a title: the handshake, a message."""
    name: str
    kind: str
    """The specification's word."""
    value: object | EllipsisType = ...
    """What the bytes say, where that is one value; else Ellipsis."""
    detail: str = ""
    """More for people."""
    understood: bool = True

    @property
    def is_title(self) -> bool:
        """Whether it begins a group."""
        return self.depth == 0


def title(offset: int, name: str, kind: str = "", detail: str = "") -> Part:
    """The beginning of a group of parts."""
    return Part(offset=offset, depth=0, name=name, kind=kind, detail=detail)


def not_understood(start: int, end: int, reason: str, *, depth: int = 0) -> Part:
    """The bytes that remain."""
    return Part(
        offset=start,
        spans=((start, end),),
        depth=depth,
        name="",
        kind="Not understood",
        detail=reason,
        understood=False,
    )
