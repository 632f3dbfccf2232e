"""Python values to AMF3 (AMF 3 §3)."""

from datetime import datetime
from typing import Final

from amf_remoting.amf.aliases import ClassAlias
from amf_remoting.amf.dates import to_milliseconds
from amf_remoting.amf.errors import EncodeError
from amf_remoting.amf.externalizable import DataOutput, write_external
from amf_remoting.amf.limits import Limits, Policy
from amf_remoting.amf.markers import (
    AMF3_ARRAY,
    AMF3_BYTE_ARRAY,
    AMF3_DATE,
    AMF3_DICTIONARY,
    AMF3_DOUBLE,
    AMF3_FALSE,
    AMF3_INTEGER,
    AMF3_NULL,
    AMF3_OBJECT,
    AMF3_STRING,
    AMF3_TRUE,
    AMF3_UNDEFINED,
    AMF3_VECTOR_DOUBLE,
    AMF3_VECTOR_INT,
    AMF3_VECTOR_OBJECT,
    AMF3_VECTOR_UINT,
    AMF3_XML,
    AMF3_XML_DOCUMENT,
    INTEGER_MAX,
    INTEGER_MIN,
    LENGTH_MAX,
    U29_MAX,
)
from amf_remoting.amf.names import member_name
from amf_remoting.amf.native import BytesWriter, write_f64_be
from amf_remoting.amf.numbers import large_integer
from amf_remoting.amf.traits import ANONYMOUS, Traits, TraitsKey
from amf_remoting.amf.u29 import SMALL_U29, u29_bytes
from amf_remoting.amf.values import (
    XML,
    Date,
    Dictionary,
    MixedArray,
    TypedObject,
    Undefined,
    XMLDocument,
)
from amf_remoting.amf.vectors import DoubleVector, IntVector, NumberVector, ObjectVector, UIntVector
from amf_remoting.amf.writer import Writer

UNUSED: Final = Traits("", (), False, False)
"""Stands for no traits at all."""


class Amf3Encoder(Writer):
    """Values as AMF3, with its three tables."""

    def __init__(self, out: BytesWriter, limits: Limits, policy: Policy) -> None:
        super().__init__(out, limits, policy)
        self.strings: dict[str, bytes] = {}
        """The reference to write for a string that was written before."""
        self.traits: dict[TraitsKey, bytes] = {}
        """The reference to write for traits that were written before."""
        self.last_traits: Traits = UNUSED
        self.last_reference = b""
        self.keeps_tables = True
        """False writes everything in full: no later value refers to an earlier one."""

    def reset(self) -> None:
        """Forget the tables: what follows is a message of its own."""
        self.strings = {}
        self.objects = {}
        self.kept = []
        self.traits = {}
        self.last_traits = UNUSED

    def encode(self, value: object) -> None:
        """Append one value with its marker."""
        out = self.out
        if isinstance(value, str):
            out.append(AMF3_STRING)
            reference = self.strings.get(value)
            if reference is not None:
                out.write(reference)
            else:
                self._new_string(value)
        elif value is None:
            out.append(AMF3_NULL)
        elif value is True:
            out.append(AMF3_TRUE)
        elif value is False:
            out.append(AMF3_FALSE)
        elif isinstance(value, int):
            self._integer(value)
        elif isinstance(value, float):
            out.append(AMF3_DOUBLE)
            write_f64_be(out, value)
        elif isinstance(value, dict):
            self.anonymous(value, value)
        elif isinstance(value, list):
            self.array(value, value)
        else:
            self._other(value)

    def u29(self, number: int) -> None:
        """A 29-bit unsigned integer in one to four bytes (§1.3.1)."""
        if number < 0x80:
            self.out.append(number)
        elif number < len(SMALL_U29):
            self.out.write(SMALL_U29[number])
        else:
            self._large_u29(number)

    def _large_u29(self, number: int) -> None:
        """Three bytes or four, of which the last carries eight bits."""
        out = self.out
        if number >= 0x200000:
            out.append((number >> 22) | 0x80)
            out.append(((number >> 15) & 0x7F) | 0x80)
            out.append(((number >> 8) & 0x7F) | 0x80)
            out.append(number & 0xFF)
        else:
            out.append((number >> 14) | 0x80)
            out.append(((number >> 7) & 0x7F) | 0x80)
            out.append(number & 0x7F)

    def string(self, text: str) -> None:
        """UTF-8-vr: by reference if it was written before (§1.3.2)."""
        reference = self.strings.get(text)
        if reference is not None:
            self.out.write(reference)
        else:
            self._new_string(text)

    def _new_string(self, text: str) -> None:
        """A string that is not in the table yet; the empty one never is."""
        if not text:
            self.out.append(1)
            return
        if self.keeps_tables:
            head = len(self.strings) << 1
            self.strings[text] = SMALL_U29[head] if head < len(SMALL_U29) else u29_bytes(head)
        self._text(text)

    def _text(self, text: str) -> None:
        """Length and bytes of a text that is not in the string table."""
        self._bytes(self.utf8(text))

    def _bytes(self, data: bytes) -> None:
        self._length(len(data))
        self.write_raw(data)

    def _length(self, length: int) -> None:
        if length > LENGTH_MAX:
            raise EncodeError(f"AMF3 counts to {LENGTH_MAX}, not to {length}")
        self.u29((length << 1) | 1)

    def write_raw(self, data: bytes) -> None:
        """Bytes as they are, for externalizable bodies."""
        self.reserve(len(data))
        self.out.write(data)

    def _integer(self, number: int) -> None:
        if INTEGER_MIN <= number <= INTEGER_MAX:
            self.out.append(AMF3_INTEGER)
            self.u29(number & U29_MAX)
            return
        sent = large_integer(number, self.policy)
        if isinstance(sent, str):
            self.encode(sent)
            return
        self.out.append(AMF3_DOUBLE)
        write_f64_be(self.out, sent)

    def _seen(self, identity: object) -> bool:
        """Write a reference if the object was written before, else give it the next index."""
        if not self.keeps_tables:
            return False
        next_index = len(self.kept)
        index = self.objects.setdefault(id(identity), next_index)
        if index != next_index:
            self.u29(index << 1)
            return True
        self.kept.append(identity)
        return False

    def array(self, items: list[object], identity: object) -> None:
        """§3.11, without names. `identity` is what references mean: `items` may be a copy of it."""
        self.out.append(AMF3_ARRAY)
        if self._seen(identity):
            return
        self.enter()
        self._length(len(items))
        self.out.append(1)
        for item in items:
            self.encode(item)
        self.depth += 1

    def _mixed_array(self, value: MixedArray) -> None:
        self.out.append(AMF3_ARRAY)
        if self._seen(value):
            return
        self.enter()
        self._length(len(value.dense))
        self._members(value.named)
        for item in value.dense:
            self.encode(item)
        self.depth += 1

    def anonymous(self, members: dict[object, object], identity: object) -> None:
        self.out.append(AMF3_OBJECT)
        if self._seen(identity):
            return
        self.enter()
        self._traits(ANONYMOUS)
        self._members(members)
        self.depth += 1

    def _members(self, members: dict[object, object] | dict[str, object]) -> None:
        """Name and value pairs up to the empty name, which therefore cannot be one of them."""
        strings = self.strings
        for name, value in members.items():
            text = name if isinstance(name, str) else member_name(name)
            reference = strings.get(text)
            if reference is not None:
                self.out.write(reference)
            elif text:
                self._new_string(text)
            else:
                raise EncodeError("AMF3 cannot send a member with an empty name: use Dictionary")
            self.encode(value)
        self.out.append(1)

    def _traits(self, traits: Traits) -> None:
        """U29O-traits, by reference if these traits were written before (§3.12)."""
        if traits is self.last_traits:
            self.out.write(self.last_reference)
            return
        reference = self.traits.get(traits.key)
        if reference is not None:
            self.last_traits = traits
            self.last_reference = reference
            self.out.write(reference)
            return
        if self.keeps_tables:
            self.traits[traits.key] = u29_bytes((len(self.traits) << 2) | 1)
        if traits.externalizable:
            self.out.append(7)
            self.string(traits.class_name)
            return
        self.u29((len(traits.names) << 4) | (0x0B if traits.dynamic else 0x03))
        self.string(traits.class_name)
        for name in traits.names:
            self.string(name)

    def typed_object(self, value: TypedObject, identity: object) -> None:
        self.out.append(AMF3_OBJECT)
        if self._seen(identity):
            return
        self.enter()
        values = value.values
        traits = value.traits
        if traits is None or not (traits.dynamic or len(traits.names) == len(values)):
            traits = Traits(value.alias, tuple(values), False, False)
        self._traits(traits)
        for name in traits.names:
            self.encode(values.get(name, Undefined))
        if traits.dynamic:
            sealed = set(traits.names)
            self._members({k: v for k, v in values.items() if k not in sealed})
        self.depth += 1

    def _instance(self, value: object, alias: ClassAlias) -> None:
        self.out.append(AMF3_OBJECT)
        if self._seen(value):
            return
        self.enter()
        self._traits(alias.traits)
        if alias.externalizable:
            write_external(value, DataOutput(self))
        else:
            for name in alias.attributes:
                self.encode(getattr(value, name, None))
        self.depth += 1

    def _byte_array(self, data: bytes, identity: object) -> None:
        self.out.append(AMF3_BYTE_ARRAY)
        if not self._seen(identity):
            self._bytes(data)

    def _date(self, milliseconds: float, identity: object) -> None:
        self.out.append(AMF3_DATE)
        if not self._seen(identity):
            self.out.append(1)
            write_f64_be(self.out, milliseconds)

    def _xml(self, text: str, identity: object) -> None:
        self.out.append(AMF3_XML if isinstance(identity, XML) else AMF3_XML_DOCUMENT)
        if not self._seen(identity):
            self._text(text)

    def _numbers(self, vector: NumberVector[int] | NumberVector[float], marker: int) -> None:
        self.out.append(marker)
        if self._seen(vector):
            return
        self._length(len(vector.items))
        self.out.append(1 if vector.fixed else 0)
        self.reserve(len(vector.items) * vector.item_size)
        self.out.write(vector.serialize())

    def _objects(self, vector: ObjectVector) -> None:
        self.out.append(AMF3_VECTOR_OBJECT)
        if self._seen(vector):
            return
        self.enter()
        self._length(len(vector.items))
        self.out.append(1 if vector.fixed else 0)
        self.string(vector.type_name)
        for item in vector.items:
            self.encode(item)
        self.depth += 1

    def _dictionary(self, value: Dictionary) -> None:
        self.out.append(AMF3_DICTIONARY)
        if self._seen(value):
            return
        self.enter()
        self._length(len(value))
        self.out.append(1 if value.weak else 0)
        for key, item in value.items():
            self.encode(key)
            self.encode(item)
        self.depth += 1

    def _other(self, value: object) -> None:
        """Everything that is not one of Python's own basic types."""
        alias = self.aliases.get(type(value))
        if alias is not None:
            self._instance(value, alias)
        elif isinstance(value, bytes):
            self._byte_array(value, value)
        elif isinstance(value, tuple):
            self.array(list(value), value)
        elif isinstance(value, datetime):
            self._date(to_milliseconds(value), value)
        elif isinstance(value, TypedObject):
            self.typed_object(value, value)
        elif value is Undefined:
            self.out.append(AMF3_UNDEFINED)
        elif isinstance(value, MixedArray):
            self._mixed_array(value)
        elif isinstance(value, bytearray | memoryview):
            self._byte_array(bytes(value), value)
        else:
            self._rare(value)

    def _rare(self, value: object) -> None:
        if isinstance(value, IntVector):
            self._numbers(value, AMF3_VECTOR_INT)
        elif isinstance(value, UIntVector):
            self._numbers(value, AMF3_VECTOR_UINT)
        elif isinstance(value, DoubleVector):
            self._numbers(value, AMF3_VECTOR_DOUBLE)
        elif isinstance(value, ObjectVector):
            self._objects(value)
        elif isinstance(value, Dictionary):
            self._dictionary(value)
        elif isinstance(value, XML | XMLDocument):
            self._xml(value.text, value)
        elif isinstance(value, Date):
            self._date(value.milliseconds, value)
        else:
            self.adapted(value)
