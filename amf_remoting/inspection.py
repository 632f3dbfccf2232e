"""Whole packets explained byte by byte (AMF 0 §4), also those that are broken."""

from collections.abc import Iterator

from amf_remoting.amf import DecodeError, Limits, Step, walk
from amf_remoting.amf.cursor import Cursor
from amf_remoting.amf.step import Path, shortened
from amf_remoting.packet import UNKNOWN_LENGTH, VERSIONS, Lengths

Steps = Iterator[Step]


def walk_packet(data: bytes, *, limits: Limits | None = None) -> Steps:
    """The steps of the packet in ``data``: they cover it without gap or overlap.

    What cannot be decoded of a message is one step of the kind "Not understood" where its length
    field tells the end. Otherwise the steps end with a DecodeError at what is not understood.
    """
    yield from _PacketWalk(data, limits).packet()


def walk_values(data: bytes, version: int, *, limits: Limits | None = None) -> Steps:
    """The steps of values one behind the other, each with tables of its own."""
    position = number = 0
    while position < len(data):
        number += 1
        path = (f"value {number}",)
        for step in walk(data, version, position=position, path=path, limits=limits):
            position = step.end
            yield step


class _PacketWalk:
    def __init__(self, data: bytes, limits: Limits | None) -> None:
        self.cursor = Cursor(data)
        self.limits = limits
        self.lengths = Lengths(data)

    def packet(self) -> Steps:
        version = self.cursor.unsigned(2)
        if version not in VERSIONS:
            self.cursor.position = 0
            raise self.cursor.error(f"no AMF packet has version {version}")
        yield self._field(0, ("packet",), "Version", version)
        headers, step = self._count("Headers")
        yield step
        for number in range(1, headers + 1):
            yield from self._header((f"header {number}",))
        messages, step = self._count("Messages")
        yield step
        for number in range(1, messages + 1):
            yield from self._message((f"message {number}",), messages - number)

    def _field(
        self, start: int, path: Path, kind: str, value: object = ..., detail: str = ""
    ) -> Step:
        return Step(
            offset=start,
            end=self.cursor.position,
            path=path,
            kind=kind,
            value=value,
            detail=detail,
        )

    def _count(self, kind: str) -> tuple[int, Step]:
        start = self.cursor.position
        count = self.cursor.unsigned(2)
        return count, self._field(start, ("packet",), kind, count)

    def _text(self, path: Path, kind: str) -> Step:
        start = self.cursor.position
        text = self.cursor.text(self.cursor.unsigned(2))
        return self._field(start, path, kind, text)

    def _length(self, path: Path) -> tuple[int, Step]:
        start = self.cursor.position
        length = self.cursor.unsigned(4)
        detail = "unknown" if length == UNKNOWN_LENGTH else ""
        return length, self._field(start, path, "Length", length, detail)

    def _header(self, path: Path) -> Steps:
        yield self._text(path, "Name")
        start = self.cursor.position
        must_understand = self.cursor.unsigned(1) != 0
        yield self._field(start, path, "Must understand", must_understand)
        _, step = self._length(path)
        yield step
        yield from self._value((*path, "value"))

    def _message(self, path: Path, further: int) -> Steps:
        yield self._text(path, "Target URI")
        yield self._text(path, "Response URI")
        length, step = self._length(path)
        yield step
        start = self.cursor.position
        end = start + length
        steps: list[Step] = []
        error: DecodeError | None = None
        try:
            steps.extend(self._value((*path, "body")))
        except DecodeError as problem:
            error = problem
        if self.cursor.position != end and further and self.lengths.fit(end, further):
            error = error or DecodeError("the body ends elsewhere than its length says", end)
            if self.cursor.position > end:
                steps = [step for step in steps if step.end < end]
                self.cursor.position = steps[-1].end if steps else start
        yield from steps
        if error is not None:
            yield from self._not_understood(path, error, end, further)

    def _not_understood(self, path: Path, error: DecodeError, end: int, further: int) -> Steps:
        start = self.cursor.position
        if not further or end > len(self.cursor.data) or end < start:
            raise error
        if end > start:
            self.cursor.position = end
            detail = shortened(str(error))
            yield self._field(start, path, "Not understood", detail=detail)

    def _value(self, path: Path) -> Steps:
        """Header and message bodies have tables of their own, so each is a walk of its own."""
        position = self.cursor.position
        for step in walk(self.cursor.data, 0, position=position, path=path, limits=self.limits):
            self.cursor.position = step.end
            yield step
