"""AMF0 to Python values (AMF 0 §2)."""

from collections.abc import Callable
from math import copysign

from amf_remoting.amf.amf0_text import TextReader
from amf_remoting.amf.amf3_decoder import Amf3Decoder
from amf_remoting.amf.dates import from_milliseconds
from amf_remoting.amf.ecma_array import array_of
from amf_remoting.amf.errors import DecodeError
from amf_remoting.amf.limits import Limits
from amf_remoting.amf.markers import (
    AMF0_AVMPLUS,
    AMF0_BOOLEAN,
    AMF0_DATE,
    AMF0_ECMA_ARRAY,
    AMF0_LONG_STRING,
    AMF0_NULL,
    AMF0_NUMBER,
    AMF0_OBJECT,
    AMF0_OBJECT_END,
    AMF0_REFERENCE,
    AMF0_STRICT_ARRAY,
    AMF0_STRING,
    AMF0_TYPED_OBJECT,
    AMF0_UNDEFINED,
    AMF0_UNSUPPORTED,
    AMF0_XML_DOCUMENT,
    SAFE_INTEGER,
)
from amf_remoting.amf.member import NO_PLAN, Plan
from amf_remoting.amf.native import i64, read_f64_be
from amf_remoting.amf.values import MixedArray, TypedObject, Undefined, XMLDocument


class UncountedArgumentsError(DecodeError):
    """A reference to the arguments array from inside of it: the sender did not count it."""


class Amf0Decoder(TextReader):
    """Reads values one after another; the tables span them until `reset`."""

    def __init__(self, data: bytes, limits: Limits, repair: Callable[[bytes], str]) -> None:
        super().__init__(data, limits, repair)
        self.last_class = ""
        self.last_plan: Plan = NO_PLAN
        """What was found for `last_class`: objects of one class come in runs."""
        self.referred: set[int] | None = None
        """Indexes that references have meant so far."""
        self.limits = limits
        self.avmplus: Amf3Decoder | None = None
        self.avmplus_seen = False
        """Whether an AMF3 value came since the last `reset`."""
        self.avmplus_fresh = False
        """Each AMF3 value has tables of its own (RTMP message type 17)."""
        self.inside_arguments = False

    def reset(self) -> None:
        """Forget the tables: what follows is a message of its own."""
        self.objects = []
        self.converted = {}
        self.referred = None
        self.avmplus = None
        self.avmplus_seen = False

    def decode(self) -> object:
        """The value at `position`, which moves behind it."""
        position = self.position
        marker: i64 = self.data[position]
        self.position = position + 1
        if marker == AMF0_NUMBER:
            return self._number()
        if marker == AMF0_STRING:
            return self.text(self.u16())
        if marker == AMF0_OBJECT:
            return self._object()
        if marker == AMF0_STRICT_ARRAY:
            return self._strict_array()
        if marker == AMF0_NULL:
            return None
        if marker == AMF0_BOOLEAN:
            self.position = position + 2
            return self.data[position + 1] != 0
        return self._rare(marker)

    def _rare(self, marker: i64) -> object:
        if marker == AMF0_AVMPLUS:
            return self._avmplus()
        if marker == AMF0_ECMA_ARRAY:
            return self._ecma_array()
        if marker == AMF0_TYPED_OBJECT:
            return self._typed_object()
        if marker == AMF0_REFERENCE:
            return self._reference()
        if marker == AMF0_DATE:
            return self._date()
        if marker == AMF0_LONG_STRING:
            return self.text(self.u32())
        if marker in (AMF0_UNDEFINED, AMF0_UNSUPPORTED):
            return Undefined
        if marker == AMF0_XML_DOCUMENT:
            return self._xml_document()
        raise self.error(f"no AMF0 value can begin with the marker {marker:#04x}")

    def decode_arguments(self) -> object:
        """The body of a call: like `decode`, whether its sender counts the arguments array or not.

        Flash Player and BlazeDS give the array index 0, others give it none. A reference to the
        array from inside of it makes no sense, so it betrays the second kind.
        """
        start = self.position
        values = self.values
        depth = self.depth
        if self.data[start] != AMF0_STRICT_ARRAY:
            return self.decode()
        self.inside_arguments = True
        try:
            return self.decode()
        except UncountedArgumentsError:
            self.reset()
        finally:
            self.inside_arguments = False
        self.position = start + 1
        self.values = values
        self.depth = depth
        return self._items([])

    def _number(self) -> object:
        """AMF0 has one kind of number: integral ones become int, so that they count and index."""
        position = self.position
        number = read_f64_be(self.data, position)
        self.position = position + 8
        if -SAFE_INTEGER <= number <= SAFE_INTEGER:
            integer = int(number)
            if integer == number and (integer != 0 or copysign(1.0, number) > 0):
                return integer
        return number

    def _strict_array(self) -> object:
        items: list[object] = []
        self.objects.append(items)
        return self._items(items)

    def _items(self, items: list[object]) -> list[object]:
        count = self.u32()
        if count > self.end - self.position:
            raise self.error(f"{count} items announced, {self.end - self.position} bytes left")
        self.enter(count + 1)
        for _index in range(count):
            items.append(self.decode())
        self.depth += 1
        return items

    def _members(self, members: dict[str, object]) -> None:
        """Pairs up to the end marker behind an empty name: without it, the name is legal."""
        self.enter(1)
        before = len(members)
        while True:
            name = self.name()
            if not name.text and self.data[self.position] == AMF0_OBJECT_END:
                self.position += 1
                break
            members[name.text] = self.decode()
        self.spend(len(members) - before)
        self.depth += 1

    def _object(self) -> object:
        members: dict[str, object] = {}
        self.objects.append(members)
        self._members(members)
        return members

    def _ecma_array(self) -> object:
        """§2.10; the count is a hint. A list if its names are, else a MixedArray."""
        self.u32()
        index = len(self.objects)
        mixed = MixedArray()
        self.objects.append(mixed)
        self._members(mixed.named)
        value = array_of(mixed, keep=self.referred is not None and index in self.referred)
        self.objects[index] = value
        return value

    def _typed_object(self) -> object:
        class_name = self.name().text
        if class_name is self.last_class:
            return self._instance(self.last_plan)
        alias = self.aliases.get(class_name)
        if alias is None or alias.externalizable:
            unknown = TypedObject(class_name)
            self.objects.append(unknown)
            self._members(unknown.values)
            return unknown
        self.last_class = class_name
        self.last_plan = alias.plan
        return self._instance(alias.plan)

    def _instance(self, plan: Plan) -> object:
        instance = plan.create()
        self.objects.append(instance)
        self._fill(instance, plan)
        return instance

    def _fill(self, instance: object, plan: Plan) -> None:
        """Values go where the class declared an attribute; the others are read and dropped."""
        self.enter(1 + len(plan.by_name))
        seen = 0
        while True:
            name = self.name()
            if not name.text and self.data[self.position] == AMF0_OBJECT_END:
                self.position += 1
                break
            member = name.member_of(plan)
            value = self.decode()
            if member is not None:
                plan.set(instance, member, value, self.converted)
                seen |= member.bit
        plan.set_defaults(instance, seen)
        self.depth += 1

    def _reference(self) -> object:
        index = self.u16()
        if index == 0 and self.inside_arguments:
            raise UncountedArgumentsError("the arguments refer to themselves", self.position)
        if index >= len(self.objects):
            raise self.error(f"no object has the index {index}")
        if self.referred is None:
            self.referred = set()
        self.referred.add(index)
        return self.objects[index]

    def _date(self) -> object:
        """§2.13; the time zone is ignored, players send it without meaning."""
        position = self.position
        value = from_milliseconds(read_f64_be(self.data, position))
        self.position = position + 8
        self.u16()
        self.objects.append(value)
        return value

    def _xml_document(self) -> object:
        value = XMLDocument(self.text(self.u32()))
        self.objects.append(value)
        return value

    def _avmplus(self) -> object:
        """§3.1: one AMF3 value. Budget and position go with it and come back."""
        inner = self.avmplus
        if inner is None or self.avmplus_fresh:
            inner = self.avmplus = Amf3Decoder(self.data, self.limits, self.repair)
        self.avmplus_seen = True
        inner.position = self.position
        inner.depth = self.depth
        inner.values = self.values
        value = inner.decode()
        self.position = inner.position
        self.values = inner.values
        return value
