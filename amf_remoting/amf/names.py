"""Member names: text only, on both sides of the wire."""

from __future__ import annotations

from typing import Final

from amf_remoting.amf.errors import EncodeError
from amf_remoting.amf.member import NO_PLAN, Member, Plan
from amf_remoting.amf.native import i64


class Name:
    """A name that AMF0 has read. Objects repeat their names in one order, so each knows its next:
    comparing bytes with a guess costs less than making and looking up a string."""

    def __init__(self, text: str, raw: bytes) -> None:
        self.text: Final = text
        self.raw: Final = raw
        """With its length in front."""
        self.size: i64 = len(raw)
        self.follower: Name | None = None
        """The name that came behind it the last time."""
        self.plan: Plan = NO_PLAN
        self.member: Member | None = None
        """What it names in an object of `plan`."""

    def member_of(self, plan: Plan) -> Member | None:
        """The member that a class has under this name."""
        if self.plan is not plan:
            self.plan = plan
            self.member = plan.by_name.get(self.text)
        return self.member


def member_name(name: object) -> str:
    """The text under which a dict's key is sent as a member; only integers have one."""
    if isinstance(name, int) and not isinstance(name, bool):
        return str(int(name))
    raise EncodeError(f"a member name must be text, not {type(name).__name__}: use Dictionary")
