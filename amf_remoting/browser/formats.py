"""What the inspector can explain: each format a name and a walk over bytes.

Other apps add theirs by an attribute of their AppConfig, so that nobody has to import anybody:

    packet_formats = {"rtmp": {"label": "…", "explain": "dotted.path", "is_stream": True}}
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from types import EllipsisType
from typing import ClassVar, Protocol

from django.apps import apps
from django.utils.module_loading import import_string

from ..amf import AMFError, Limits, Step
from ..conf import remoting_settings
from ..inspection import walk_packet, walk_values

MAX_BYTES = 256 * 1024
"""Bytes that are looked at."""


class Explained(Protocol):
    """Some bytes that mean one thing. Parts cover the data without gap or overlap."""

    @property
    def offset(self) -> int:
        """Where it begins."""

    @property
    def spans(self) -> Sequence[tuple[int, int]]:
        """Its bytes, in pieces; none for a title and for what is missing."""

    @property
    def is_title(self) -> bool:
        """Whether it begins a group of parts."""

    @property
    def depth(self) -> int: ...

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str:
        """The specification's word."""

    @property
    def value(self) -> object:
        """What the bytes say; Ellipsis if that is no single value."""

    @property
    def detail(self) -> str: ...

    @property
    def understood(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of bytes."""

    label: str
    """Completes "They are …"."""
    explain: Callable[[bytes], Iterator[Explained]]
    """Never raises: what cannot be understood is a part, too."""
    is_stream: bool = False
    """Whether the beginning means something without the rest, so that large ones may be cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A step of AMF."""

    is_title: ClassVar = False
    offset: int
    spans: tuple[tuple[int, int], ...]
    depth: int = 0
    name: str = ""
    kind: str = "Not understood"
    value: object | EllipsisType = ...
    detail: str = ""
    understood: bool = False


@cache
def formats() -> dict[str, Format]:
    """By name: those of AMF, then those of other apps."""
    found = {
        "packet": Format("a packet", _packet),
        "amf3": Format("AMF3 values", _amf3),
        "amf0": Format("AMF0 values", _amf0),
    }
    for config in apps.get_app_configs():
        for name, options in getattr(config, "packet_formats", {}).items():
            found[name] = Format(**{**options, "explain": import_string(options["explain"])})
    return found


def _packet(data: bytes) -> Iterator[Explained]:
    return _parts(data, walk_packet(data, limits=_limits()))


def _amf3(data: bytes) -> Iterator[Explained]:
    return _parts(data, walk_values(data, 3, limits=_limits()))


def _amf0(data: bytes) -> Iterator[Explained]:
    return _parts(data, walk_values(data, 0, limits=_limits()))


def _limits() -> Limits:
    return Limits(depth=remoting_settings().depth, input_bytes=MAX_BYTES)


def _parts(data: bytes, steps: Iterator[Step]) -> Iterator[Explained]:
    end, reason = 0, ""
    try:
        for step in steps:
            end = step.end
            yield _part(step)
    except AMFError as error:
        reason = str(error)
    rest = len(data) - end
    if rest or reason:
        spans = ((end, len(data)),) if rest else ()
        yield _Part(offset=end, spans=spans, detail=reason or f"{rest} bytes behind the end")


def _part(step: Step) -> _Part:
    return _Part(
        offset=step.offset,
        spans=((step.offset, step.end),),
        depth=len(step.path) - 1,
        name=str(step.path[-1]) if step.path[-1] != "" else "''",
        kind=step.kind,
        value=step.value,
        detail=step.detail,
        understood=step.kind != "Not understood",
    )
