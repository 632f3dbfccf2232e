"""What both decoders are made of: a position in bytes, a budget and the table of objects."""

from collections.abc import Callable

from amf_remoting.amf.aliases import registry
from amf_remoting.amf.errors import DecodeError
from amf_remoting.amf.limits import Limits
from amf_remoting.amf.member import Memo
from amf_remoting.amf.native import i64


class Reader:
    """`data` at `position`. Raises DecodeError, or IndexError where the data ends too early (the
    caller translates it)."""

    def __init__(self, data: bytes, limits: Limits, repair: Callable[[bytes], str]) -> None:
        self.data = data
        self.position: i64 = 0
        self.end: i64 = len(data)
        self.depth: i64 = limits.depth
        """Levels still allowed below the current value."""
        self.values: i64 = limits.values
        """Objects and members still allowed."""
        self.repair = repair
        self.aliases = registry.by_name
        self.converted: Memo = {}
        self.objects: list[object] = []

    def error(self, message: str) -> DecodeError:
        return DecodeError(message, self.position)

    def read_raw(self, length: i64) -> bytes:
        """The next bytes, for everything that is opaque."""
        start = self.position
        end = start + length
        if end > self.end:
            raise self.error(f"{length} bytes announced, {self.end - start} left")
        self.position = end
        return self.data[start:end]

    def decoded(self, data: bytes) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError:
            return self.repair(data)

    def spend(self, values: i64) -> None:
        """Take from the budget of values."""
        self.values -= values
        if self.values < 0:
            raise self.error("more values than the limit")

    def enter(self, values: i64) -> None:
        """One level deeper, where so many values are."""
        self.depth -= 1
        if self.depth < 0:
            raise self.error("nested deeper than the limit")
        self.spend(values)
