"""Member names: text only, on both sides of the wire."""

from __future__ import annotations

from typing import Final

from amf_remoting.amf.errors import EncodeError
from amf_remoting.amf.member import NO_PLAN, Member, Plan
from amf_remoting.amf.native import i64, read_i64_be
from amf_remoting.amf.words import INTERPRETED, WORD, same_bytes


class Name:
    """A name that AMF0 has read. Objects repeat their names in one order, so each knows its next:
    comparing bytes with a guess costs less than making and looking up a string."""

    def __init__(self, text: str, raw: bytes, position: i64, word: i64) -> None:
        self.text: Final = text
        self.raw: Final = raw
        """With its length in front."""
        self.size: i64 = len(raw)
        self.position: i64 = position
        """Where it stood first."""
        self.shift: i64 = 8 * max(WORD - self.size, 0)
        """Bits of a word behind a short name."""
        self.head: i64 = word >> self.shift
        """Its first bytes, up to a word of them."""
        self.reach: i64 = max(self.size, WORD)
        """Bytes that are read for comparing."""
        self.follower: Name | None = None
        """The name that came behind it the last time."""
        self.plan: Plan = NO_PLAN
        self.member: Member | None = None
        """What it names in an object of `plan`."""

    def is_at(self, data: bytes, position: i64, end: i64) -> bool:
        """Whether it stands there too; near the end of `data` the answer may be a wrong no."""
        if INTERPRETED:
            return data[position : position + len(self.raw)] == self.raw
        if position + self.reach > end or read_i64_be(data, position) >> self.shift != self.head:
            return False
        return self.size <= WORD or same_bytes(data, position, self.position, self.size)

    def member_of(self, plan: Plan) -> Member | None:
        """The member that a class has under this name."""
        if self.plan is not plan:
            self.plan = plan
            self.member = plan.by_name.get(self.text)
        return self.member


NO_NAME: Final = Name("", b"", 0, 0)
"""Stands in front of the first; shared, so nothing may follow it."""


def member_name(name: object) -> str:
    """The text under which a dict's key is sent as a member; only integers have one."""
    if isinstance(name, int) and not isinstance(name, bool):
        return str(int(name))
    raise EncodeError(f"a member name must be text, not {type(name).__name__}: use Dictionary")
