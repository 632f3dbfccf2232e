"""Bytes as the inspector's table shows them: each row some bytes and what they mean."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..amf import AMFError, Limits, Step
from ..amf.vectors import NumberVector
from ..conf import remoting_settings
from ..dump import value_lines
from ..inspection import walk_packet, walk_values

MAX_ROWS = 3000
"""Rows of one page."""
MAX_BYTES = 256 * 1024
"""Bytes that are looked at."""
LONGEST_ROW = 48
"""Bytes of one row that are shown."""
DEEPEST = 12
"""Levels of indentation; what is deeper stays there."""
_ITEMS = 24
"""Items of a vector that are shown."""

FORMS: dict[str, str] = {
    "packet": "a packet",
    "amf3": "AMF3 values",
    "amf0": "AMF0 values",
}
_WALKS: dict[str, Callable[..., Iterator[Step]]] = {
    "packet": walk_packet,
    "amf3": partial(walk_values, version=3),
    "amf0": partial(walk_values, version=0),
}


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
class Inspection:
    """A table of rows, and how it ended."""

    size: int
    rows: list[Row] = field(default_factory=list)
    understood: int = 0
    """Bytes up to the first that is not understood, or not shown."""
    error: str = ""
    is_cut: bool = False
    """Whether there is more than the table holds."""


def inspect(data: bytes, form: str, *, max_rows: int = MAX_ROWS) -> Inspection:
    """What ``data`` means as one of FORMS, as far as it means anything."""
    found = Inspection(len(data))
    limits = Limits(depth=remoting_settings().depth, input_bytes=MAX_BYTES)
    steps = _WALKS[form](data, limits=limits)
    try:
        for step in itertools.islice(steps, max_rows):
            found.rows.append(_row(data, step))
            found.understood = step.end
        found.is_cut = next(steps, None) is not None
    except AMFError as error:
        found.error = str(error)
    rest = len(data) - found.understood
    if rest and not found.is_cut:
        found.error = found.error or f"{rest} bytes behind the end"
        found.rows.append(_rest(data, found.understood))
    return found


def _row(data: bytes, step: Step) -> Row:
    return Row(
        offset=f"{step.offset:04x}",
        bytes=data[step.offset : step.end][:LONGEST_ROW].hex(" "),
        hidden=max(step.end - step.offset - LONGEST_ROW, 0),
        depth=min(len(step.path) - 1, DEEPEST),
        name=_name(step.path[-1]),
        kind=step.kind,
        value=_value(step),
        detail=step.detail,
        understood=step.kind != "Not understood",
    )


def _rest(data: bytes, start: int) -> Row:
    return Row(
        offset=f"{start:04x}",
        bytes=data[start : start + LONGEST_ROW].hex(" "),
        hidden=max(len(data) - start - LONGEST_ROW, 0),
        depth=0,
        name="",
        kind="Not understood",
        understood=False,
    )


def _name(name: str | int) -> str:
    text = str(name) if name != "" else "''"
    return text if len(text) <= 100 else f"{text[:100]}…"


def _value(step: Step) -> str:
    """The value in a line, without what the kind says already."""
    value: Any = step.value
    if value is ...:
        return ""
    if isinstance(value, NumberVector):
        more = ", …" if len(value) > _ITEMS else ""
        return ", ".join(map(str, itertools.islice(value, _ITEMS))) + more
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    line = next(value_lines(value))
    said = line.lower() == step.kind.lower()
    return "" if said else line.removeprefix(f"{step.kind} ")
