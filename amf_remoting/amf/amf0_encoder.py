"""Python values to AMF0 (AMF 0 §2). What AMF0 lacks goes out as AMF3 behind the marker 0x11."""

from datetime import datetime

from amf_remoting.amf.aliases import ClassAlias
from amf_remoting.amf.amf3_encoder import Amf3Encoder
from amf_remoting.amf.dates import to_milliseconds
from amf_remoting.amf.errors import EncodeError
from amf_remoting.amf.limits import Limits, Policy
from amf_remoting.amf.markers import (
    AMF0_AVMPLUS,
    AMF0_BOOLEAN,
    AMF0_DATE,
    AMF0_ECMA_ARRAY,
    AMF0_LONG_STRING,
    AMF0_NULL,
    AMF0_NUMBER,
    AMF0_OBJECT,
    AMF0_REFERENCE,
    AMF0_REFERENCES_MAX,
    AMF0_STRICT_ARRAY,
    AMF0_STRING,
    AMF0_TYPED_OBJECT,
    AMF0_UNDEFINED,
    AMF0_XML_DOCUMENT,
)
from amf_remoting.amf.names import member_name
from amf_remoting.amf.native import BytesWriter, write_f64_be
from amf_remoting.amf.numbers import large_integer
from amf_remoting.amf.values import (
    XML,
    Date,
    Dictionary,
    MixedArray,
    TypedObject,
    Undefined,
    XMLDocument,
)
from amf_remoting.amf.vectors import NumberVector, ObjectVector
from amf_remoting.amf.writer import Writer


class Amf0Encoder(Writer):
    """Values as AMF0; what AMF0 lacks, as AMF3."""

    def __init__(self, out: BytesWriter, limits: Limits, policy: Policy) -> None:
        super().__init__(out, limits, policy)
        self.names: dict[str, bytes] = {}
        """Names that were written before, as they are written."""
        self.limits = limits
        self.avmplus: Amf3Encoder | None = None
        self.avmplus_in_full = False
        """AMF3 values have no references from now on."""

    def reset(self) -> None:
        """Forget the tables: what follows is a message of its own."""
        self.objects = {}
        self.kept = []
        self.avmplus = None

    def encode(self, value: object) -> None:
        """Append one value with its marker."""
        out = self.out
        if isinstance(value, str):
            self._string(value)
        elif value is None:
            out.append(AMF0_NULL)
        elif value is True:
            out.append(AMF0_BOOLEAN)
            out.append(1)
        elif value is False:
            out.append(AMF0_BOOLEAN)
            out.append(0)
        elif isinstance(value, float):
            out.append(AMF0_NUMBER)
            write_f64_be(out, value)
        elif isinstance(value, int):
            self._integer(value)
        elif isinstance(value, dict):
            self.anonymous(value, value)
        elif isinstance(value, list):
            self.array(value, value)
        else:
            self._other(value)

    def encode_avmplus(self, value: object) -> None:
        """Append one value as AMF3, behind the marker that says so."""
        inner = self.avmplus
        if inner is None:
            inner = self.avmplus = Amf3Encoder(self.out, self.limits, self.policy)
            inner.keeps_tables = not self.avmplus_in_full
        self.out.append(AMF0_AVMPLUS)
        inner.depth = self.depth
        inner.encode(value)

    def _u16(self, number: int) -> None:
        self.out.append(number >> 8)
        self.out.append(number & 0xFF)

    def _u32(self, number: int) -> None:
        self.out.write(number.to_bytes(4, "big"))

    def _string(self, text: str) -> None:
        out = self.out
        data = self.utf8(text)
        length = len(data)
        self.reserve(length)
        if length <= 0xFFFF:
            out.append(AMF0_STRING)
            out.append(length >> 8)
            out.append(length & 0xFF)
        else:
            out.append(AMF0_LONG_STRING)
            self._u32(length)
        out.write(data)

    def _name(self, text: str) -> None:
        """A class or member name: no marker, and no long form."""
        written = self.names.get(text)
        if written is None:
            written = self._new_name(text)
        self.out.write(written)

    def _new_name(self, text: str) -> bytes:
        data = self.utf8(text)
        if len(data) > 0xFFFF:
            raise EncodeError(f"an AMF0 name has at most 65535 bytes, not {len(data)}")
        self.reserve(len(data))
        written = len(data).to_bytes(2, "big") + data
        self.names[text] = written
        return written

    def _integer(self, number: int) -> None:
        sent = large_integer(number, self.policy)
        if isinstance(sent, str):
            self._string(sent)
            return
        self.out.append(AMF0_NUMBER)
        write_f64_be(self.out, sent)

    def _seen(self, identity: object) -> bool:
        """Write a reference if the object was written before, else give it the next index.

        Dates and XML count too, as in Flash Player and against §2.9. Behind the last index that
        a reference can hold, objects are written again.
        """
        next_index = len(self.kept)
        if next_index >= AMF0_REFERENCES_MAX:
            next_index = self.objects.get(id(identity), -1)
            if next_index < 0:
                return False
        index = self.objects.setdefault(id(identity), next_index)
        if index != len(self.kept):
            self.out.append(AMF0_REFERENCE)
            self._u16(index)
            return True
        self.kept.append(identity)
        return False

    def array(self, items: list[object], identity: object) -> None:
        if self._seen(identity):
            return
        self.enter()
        self.out.append(AMF0_STRICT_ARRAY)
        self._u32(len(items))
        for item in items:
            self.encode(item)
        self.depth += 1

    def _ecma_array(self, value: MixedArray) -> None:
        if self._seen(value):
            return
        self.enter()
        self.out.append(AMF0_ECMA_ARRAY)
        self._u32(len(value.dense) + len(value.named))
        for index, item in enumerate(value.dense):
            self._name(str(index))
            self.encode(item)
        self._members(value.named)
        self.depth += 1

    def anonymous(self, members: dict[object, object], identity: object) -> None:
        if self._seen(identity):
            return
        self.enter()
        self.out.append(AMF0_OBJECT)
        self._members(members)
        self.depth += 1

    def _members(self, members: dict[object, object] | dict[str, object]) -> None:
        names = self.names
        for name, value in members.items():
            text = name if isinstance(name, str) else member_name(name)
            written = names.get(text)
            if written is None:
                written = self._new_name(text)
            self.out.write(written)
            self.encode(value)
        self._end()

    def _end(self) -> None:
        self.out.write(b"\0\0\x09")

    def typed_object(self, value: TypedObject, identity: object) -> None:
        if self._seen(identity):
            return
        self.enter()
        self.out.append(AMF0_TYPED_OBJECT)
        self._name(value.alias)
        self._members(value.values)
        self.depth += 1

    def _instance(self, value: object, alias: ClassAlias) -> None:
        if alias.externalizable:
            self.encode_avmplus(value)
            return
        if self._seen(value):
            return
        self.enter()
        self.out.append(AMF0_TYPED_OBJECT)
        self._name(alias.name)
        names = alias.names
        for index, attribute in enumerate(alias.attributes):
            self._name(names[index])
            self.encode(getattr(value, attribute, None))
        self._end()
        self.depth += 1

    def _date(self, milliseconds: float, identity: object) -> None:
        """§2.13; the time zone is reserved and 0."""
        if self._seen(identity):
            return
        self.out.append(AMF0_DATE)
        write_f64_be(self.out, milliseconds)
        self._u16(0)

    def _xml_document(self, value: XMLDocument) -> None:
        if self._seen(value):
            return
        data = self.utf8(value.text)
        self.reserve(len(data))
        self.out.append(AMF0_XML_DOCUMENT)
        self._u32(len(data))
        self.out.write(data)

    def _other(self, value: object) -> None:
        """Everything that is not one of Python's own basic types."""
        alias = self.aliases.get(type(value))
        if alias is not None:
            self._instance(value, alias)
        elif isinstance(value, tuple):
            self.array(list(value), value)
        elif isinstance(value, datetime):
            self._date(to_milliseconds(value), value)
        elif isinstance(value, TypedObject):
            self.typed_object(value, value)
        elif value is Undefined:
            self.out.append(AMF0_UNDEFINED)
        elif isinstance(value, MixedArray):
            self._ecma_array(value)
        elif isinstance(value, XMLDocument):
            self._xml_document(value)
        elif isinstance(value, Date):
            self._date(value.milliseconds, value)
        elif isinstance(
            value, bytes | bytearray | memoryview | XML | Dictionary | NumberVector | ObjectVector
        ):
            self.encode_avmplus(value)
        else:
            self.adapted(value)
