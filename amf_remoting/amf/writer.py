"""What both encoders are made of: an output with its budget and the table of objects."""

from abc import abstractmethod

from amf_remoting.amf.adapters import adapt
from amf_remoting.amf.aliases import registry
from amf_remoting.amf.errors import EncodeError
from amf_remoting.amf.limits import Limits, Policy
from amf_remoting.amf.native import BytesWriter, i64
from amf_remoting.amf.text import encode_repaired
from amf_remoting.amf.values import TypedObject


class Writer:
    """Writes values one after another into `out`; the tables span them until `reset`."""

    def __init__(self, out: BytesWriter, limits: Limits, policy: Policy) -> None:
        self.out = out
        self.policy = policy
        self.output_bytes: i64 = limits.output_bytes
        self.depth: i64 = limits.depth
        """Levels still allowed below the current value."""
        self.aliases = registry.by_class
        self.objects: dict[int, int] = {}
        self.kept: list[object] = []
        """What `objects` knows by id() must stay alive, or the id may come to mean another."""

    @abstractmethod
    def encode(self, value: object) -> None:
        """Append one value with its marker."""

    @abstractmethod
    def array(self, items: list[object], identity: object) -> None:
        """A dense array. `identity` is what references mean: `items` may be a copy of it."""

    @abstractmethod
    def anonymous(self, members: dict[object, object], identity: object) -> None:
        """An object without a class."""

    @abstractmethod
    def typed_object(self, value: TypedObject, identity: object) -> None:
        """An object of a class that nobody registered."""

    def reserve(self, length: int) -> None:
        """Refuse so many bytes if the budget does not hold them."""
        if len(self.out) + length > self.output_bytes:
            raise EncodeError(f"more than {self.output_bytes} bytes of output")

    def enter(self) -> None:
        """One level deeper."""
        self.depth -= 1
        if self.depth < 0:
            raise EncodeError("nested deeper than the limit")
        self.reserve(0)

    def utf8(self, text: str) -> bytes:
        try:
            return text.encode()
        except UnicodeEncodeError:
            return encode_repaired(text)

    def adapted(self, value: object) -> None:
        """A Python type without a form of its own; `value` stays what references mean."""
        stand_in = adapt(value, self.policy)
        self.enter()
        if isinstance(stand_in, dict):
            self.anonymous(stand_in, value)
        elif isinstance(stand_in, list):
            self.array(stand_in, value)
        elif isinstance(stand_in, TypedObject):
            self.typed_object(stand_in, value)
        else:
            self.encode(stand_in)
        self.depth += 1
