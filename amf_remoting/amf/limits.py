"""How much the codec may spend, and what it does where AMF and Python disagree."""

from dataclasses import dataclass
from typing import Literal

DEPTH_MAX = 1_000
"""No setting goes beyond: each level is a stack frame, and compiled code has no recursion check."""


@dataclass(frozen=True, slots=True)
class Limits:
    """A budget for one call, or for one whole packet; exceeding it raises AMFError."""

    depth: int = 256
    """Levels of nesting, both directions, 1 to 1,000."""
    values: int = 1_000_000
    """Objects, and members of objects and arrays, that one input may hold."""
    input_bytes: int = 64 * 1024 * 1024
    """Length of the data to decode. Nothing in AMF inflates, so it bounds all that is built."""
    output_bytes: int = 64 * 1024 * 1024
    """Length of what is encoded: a small graph full of references can be huge without them."""

    def __post_init__(self) -> None:
        if not 1 <= self.depth <= DEPTH_MAX:
            raise ValueError(f"Limits.depth: 1 to {DEPTH_MAX} expected, got {self.depth}")


@dataclass(frozen=True, slots=True)
class Policy:
    """Choices where a value has no exact counterpart on the other side."""

    decimals: Literal["text", "number"] = "text"
    """Decimal as its digits in a string, or as a double (which rounds)."""
    large_integers: Literal["raise", "text", "number"] = "raise"
    """Integers beyond 2 ** 53, which a double cannot hold exactly."""
    strings: Literal["repair", "strict"] = "repair"
    """Text that is not UTF-8: read as CESU-8 or latin-1, or refused."""


DEFAULT_LIMITS = Limits()
DEFAULT_POLICY = Policy()
