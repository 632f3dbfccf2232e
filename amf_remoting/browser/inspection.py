"""Bytes as the inspector's tables show them: each row some bytes and what they mean."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ..amf.vectors import NumberVector
from ..dump import value_lines
from .formats import Explained, formats

MAX_ROWS = 3000
"""Rows of one page."""
LONGEST_ROW = 48
"""Bytes of one row that are shown."""
DEEPEST = 12
"""Levels of indentation; what is deeper stays there."""
FEW = 4
"""Groups that are open from the beginning."""
_ITEMS = 24
"""Items of a vector that are shown."""


@dataclass(frozen=True, slots=True)
class Row:
    """Bytes that mean one thing."""

    offset: str
    bytes: str
    """In hexadecimal."""
    hidden: int
    """Further bytes of it that are not shown."""
    depth: int
    name: str
    kind: str
    value: str = ""
    detail: str = ""
    understood: bool = True


@dataclass(slots=True)
class Group:
    """Rows that belong together: a message of a conversation, or a whole packet."""

    title: Row | None = None
    rows: list[Row] = field(default_factory=list)
    understood: bool = True
    """Whether all of its rows are."""


@dataclass(slots=True)
class Inspection:
    """Groups of rows, and how it ended."""

    size: int
    groups: list[Group] = field(default_factory=list)
    first: int = 0
    """The first group that is shown, counted from 0."""
    following: int | None = None
    """The first group of the next page."""
    understood: int = 0
    """Bytes up to the first that is not understood, or not shown."""
    error: str = ""

    @property
    def rows(self) -> list[Row]:
        """Those of all groups."""
        return [row for group in self.groups for row in group.rows]

    @property
    def is_cut(self) -> bool:
        """Whether there is more than the page holds."""
        return self.following is not None

    @property
    def are_open(self) -> bool:
        """Whether the groups are few enough to show all of their rows at once."""
        return len(self.groups) <= FEW


def inspect(data: bytes, form: str, *, max_rows: int = MAX_ROWS, first: int = 0) -> Inspection:
    """What ``data`` means as one of `formats`, as far as it means anything.

    A page ends before a group that begins beyond ``max_rows``; one that is larger by itself goes
    on as another group.
    """
    found = Inspection(len(data), first=first)
    rows = 0
    title: Explained | None = None
    for number, parts in enumerate(_groups(data, form, max_rows)):
        opening = next(parts)
        title = opening if opening.is_title else title
        if number < first:
            continue
        if rows >= max_rows:
            found.following = number
            break
        shown = _group(data, itertools.chain([opening], parts), found)
        if shown.title is None and title is not None:
            shown.title = _continued(_row(data, title), shown.rows[0])
        rows += len(shown.rows)
        found.groups.append(shown)
    return found


def _groups(data: bytes, form: str, max_rows: int) -> Iterator[Iterator[Explained]]:
    """Each begins with a title, where the format has any; after ``max_rows`` another begins."""
    current = rows = 0

    def group_of(part: Explained) -> int:
        nonlocal current, rows
        if part.is_title or rows == max_rows:
            current, rows = current + 1, 0
        rows += not part.is_title
        return current

    for _, group in itertools.groupby(formats()[form].explain(data), group_of):
        yield group


def _group(data: bytes, parts: Iterator[Explained], found: Inspection) -> Group:
    group = Group()
    for part in parts:
        if part.is_title:
            group.title = _row(data, part)
            continue
        group.understood &= part.understood
        found.error = "" if part.understood else part.detail
        group.rows.append(_row(data, part))
        if part.understood:
            found.understood = part.spans[-1][1]
    return group


def _continued(title: Row, beginning: Row) -> Row:
    return replace(title, name=f"{title.name}, continued", offset=beginning.offset)


def _row(data: bytes, part: Explained) -> Row:
    size = sum(end - start for start, end in part.spans)
    shown = b"".join(data[start : min(end, start + LONGEST_ROW)] for start, end in part.spans)
    return Row(
        offset=f"{part.offset:04x}",
        bytes=shown[:LONGEST_ROW].hex(" "),
        hidden=max(size - LONGEST_ROW, 0),
        depth=min(part.depth, DEEPEST),
        name=part.name if len(part.name) <= 100 else f"{part.name[:100]}…",
        kind=part.kind,
        value=_value(part),
        detail=part.detail,
        understood=part.understood,
    )


def _value(part: Explained) -> str:
    """The value in a line, without what the kind says already."""
    value: Any = part.value
    if value is ...:
        return ""
    if isinstance(value, NumberVector):
        more = ", …" if len(value) > _ITEMS else ""
        return ", ".join(map(str, itertools.islice(value, _ITEMS))) + more
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    line = next(value_lines(value))
    said = line.lower() == part.kind.lower()
    return "" if said else line.removeprefix(f"{part.kind} ")
