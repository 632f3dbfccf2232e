"""Typed objects: demo.Person in ActionScript, a dataclass here."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from amf_remoting import amf
from amf_remoting.exceptions import Fault, FaultCode
from amf_remoting.registry import remote_method, service

MAX_PEOPLE = 10_000


@amf.alias("demo.Person")
@dataclass
class Person:
    """Every field has a default: a client may send an object that lacks some."""

    name: str = ""
    age: int = 0
    born: datetime | None = None
    tags: list[str] = field(default_factory=list)


KNOWN = {
    "Ada": Person("Ada", 36, datetime(1815, 12, 10, tzinfo=UTC), ["mathematics", "poetry"]),
    "Grace": Person("Grace", 85, datetime(1906, 12, 9, tzinfo=UTC), ["compilers", "navy"]),
    "José": Person("José", 41, datetime(1984, 2, 29, 12, 30, tzinfo=UTC), ["naïve", "☃"]),
}


@service("people")
class PeopleService:
    """Made-up records: the same ones on every call."""

    @remote_method(blocking=False)
    def get(self, name: str) -> Person:
        """The person of that name; a stranger is 30 years old."""
        if not isinstance(name, str):
            raise Fault(FaultCode.BAD_ARGUMENTS, "a name is a text")
        return KNOWN.get(name) or Person(name, 30, datetime(1995, 6, 15, tzinfo=UTC), ["stranger"])

    @remote_method(name="list")
    def list_people(self, count: int = 10) -> list[Person]:
        """As many people as asked for, 10,000 at most."""
        if not isinstance(count, int | float) or not 0 <= count <= MAX_PEOPLE:
            raise Fault(FaultCode.BAD_ARGUMENTS, f"count is a number from 0 to {MAX_PEOPLE}")
        return [_person(number) for number in range(int(count))]


def _person(number: int) -> Person:
    return Person(
        name=f"Person {number}",
        age=18 + number % 70,
        born=datetime(1990, 1, 1, tzinfo=UTC) + timedelta(days=number),
        tags=["demo", "even" if number % 2 == 0 else "odd"],
    )
