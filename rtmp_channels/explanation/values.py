"""Fields and AMF values within a message, as steps with offsets in its payload."""

from __future__ import annotations

from collections.abc import Iterator
from types import EllipsisType
from typing import TypeAlias

from amf_remoting.amf import Limits, Step
from amf_remoting.amf.amf0_walker import Amf0Walker
from amf_remoting.amf.amf3_walker import Amf3Walker
from amf_remoting.amf.cursor import Cursor

Steps: TypeAlias = Iterator[Step]
Path: TypeAlias = tuple[str | int, ...]

NOWHERE: Path = ("",)
"""The path of a field that is named by its kind."""


class Fields:
    """Reads fields of fixed layout. DecodeError where the payload ends."""

    def __init__(self, payload: bytes) -> None:
        self.cursor = Cursor(payload)

    def number(self, size: int, kind: str, detail: str = "", *, path: Path = NOWHERE) -> Step:
        """A big-endian integer of so many bytes."""
        start = self.cursor.position
        return self._step(start, path, kind, (self.cursor.unsigned(size), detail))

    def coded(self, size: int, kind: str, names: dict[int, str], *, path: Path = NOWHERE) -> Step:
        """An integer that stands for something."""
        start = self.cursor.position
        value = self.cursor.unsigned(size)
        return self._step(start, path, kind, (value, names.get(value, "unknown")))

    def text(self, kind: str, *, path: Path = NOWHERE) -> Step:
        """UTF-8 behind its length in two bytes."""
        start = self.cursor.position
        return self._step(start, path, kind, (self.cursor.text(self.cursor.unsigned(2)), ""))

    def raw(self, size: int, kind: str, detail: str = "", *, path: Path = NOWHERE) -> Step:
        """Bytes that are not looked into."""
        start = self.cursor.position
        self.cursor.raw(size)
        return self._step(start, path, kind, (..., detail))

    def _step(
        self, start: int, path: Path, kind: str, said: tuple[object | EllipsisType, str]
    ) -> Step:
        end, (value, detail) = self.cursor.position, said
        return Step(offset=start, end=end, path=path, kind=kind, value=value, detail=detail)


class Values(Fields):
    """Reads AMF0 values that may switch to AMF3.

    With ``fresh_tables`` each value has AMF3 tables of its own (type 17), else the message has.
    """

    def __init__(self, payload: bytes, limits: Limits, *, fresh_tables: bool = False) -> None:
        super().__init__(payload)
        self._depth = limits.depth
        self._fresh_tables = fresh_tables
        self._walker = Amf0Walker(self.cursor, limits.depth)

    def format_byte(self) -> Step:
        """The byte 00 that begins the AMF3 message types."""
        return self.number(1, "Format", "AMF3 may come")

    def value(self, path: Path) -> Steps:
        """The value here. DecodeError where it cannot be understood."""
        if self._fresh_tables:
            self._walker.amf3 = Amf3Walker(self.cursor, self._depth)
        yield from self._walker.value(path)

    def forget(self) -> None:
        """What follows has tables of its own."""
        self._walker = Amf0Walker(self.cursor, self._depth)
