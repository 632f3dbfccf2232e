"""What the codec's benchmark encodes and decodes."""

import random
from dataclasses import dataclass
from typing import Any

BYTES = "1 MB of bytes"
RECORDS = "1,000 records"
TYPED = "1,000 typed objects"


@dataclass
class Person:
    id: int
    name: str
    email: str
    score: float
    active: bool
    city: str


def record(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"user {number}",
        "email": f"user{number}@example.org",
        "score": number * 1.5,
        "active": number % 2 == 0,
        "city": ("Berlin", "Paris", "Roma")[number % 3],
    }


def nested(depth: int) -> Any:
    value: Any = {"leaf": 1}
    for level in range(depth - 1):
        value = [value] if level % 2 else {"child": value, "level": level}
    return value


def payloads() -> dict[str, Any]:
    """Values by name, the same in every run."""
    chance = random.Random(1)
    records = [record(number) for number in range(1_000)]
    words = ["word" * chance.randint(1, 4) + str(number) for number in range(50)]
    integers = [chance.randint(-1_000_000, 100_000_000) for _ in range(10_000)]
    floats = [chance.random() * 1_000 for _ in range(10_000)]
    return {
        "small call": ["lobby.say", 7, "hello world", True, {"x": 1.5, "y": 2.5}],
        RECORDS: records,
        TYPED: [Person(**each) for each in records],
        "10,000 ints + floats": integers + floats,
        "50 levels": nested(50),
        BYTES: chance.randbytes(1_000_000),
        "5,000 strings of 50": [chance.choice(words) for _ in range(5_000)],
    }
