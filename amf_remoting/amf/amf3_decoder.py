"""AMF3 to Python values (AMF 3 §3)."""

from collections.abc import Callable

from amf_remoting.amf.dates import from_milliseconds
from amf_remoting.amf.externalizable import DataInput, read_external
from amf_remoting.amf.limits import Limits
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
)
from amf_remoting.amf.member import NO_PLAN, Member, Plan
from amf_remoting.amf.native import i64, read_f64_be
from amf_remoting.amf.reader import Reader
from amf_remoting.amf.traits import ANONYMOUS, Traits
from amf_remoting.amf.values import XML, Dictionary, MixedArray, TypedObject, Undefined, XMLDocument
from amf_remoting.amf.vectors import DoubleVector, IntVector, ObjectVector, UIntVector


class Amf3Decoder(Reader):
    """Reads values one after another; the three tables span them until `reset`."""

    def __init__(self, data: bytes, limits: Limits, repair: Callable[[bytes], str]) -> None:
        super().__init__(data, limits, repair)
        self.strings: list[str] = []
        self.traits: list[Traits] = []
        self.last_traits = ANONYMOUS
        self.last_plan: Plan = NO_PLAN
        self.last_members: list[Member | None] = []
        """What `_sealed` found for `last_traits`."""

    def reset(self) -> None:
        """Forget the tables: what follows is a message of its own."""
        self.strings = []
        self.objects = []
        self.converted = {}
        self.traits = []

    def decode(self) -> object:
        """The value at `position`, which moves behind it."""
        position = self.position
        marker: i64 = self.data[position]
        self.position = position + 1
        if marker == AMF3_STRING:
            return self.string()
        if marker == AMF3_INTEGER:
            number = self.u29()
            return number - 0x20000000 if number >= 0x10000000 else number
        if marker == AMF3_OBJECT:
            return self._object()
        if marker == AMF3_DOUBLE:
            self.position = position + 9
            return read_f64_be(self.data, position + 1)
        if marker == AMF3_ARRAY:
            return self._array()
        if marker == AMF3_NULL:
            return None
        if marker == AMF3_TRUE:
            return True
        if marker == AMF3_FALSE:
            return False
        return self._rare(marker)

    def _rare(self, marker: i64) -> object:
        if marker == AMF3_UNDEFINED:
            return Undefined
        if marker == AMF3_DATE:
            return self._date()
        if marker == AMF3_BYTE_ARRAY:
            return self._byte_array()
        if marker in (AMF3_XML, AMF3_XML_DOCUMENT):
            return self._xml(marker)
        if AMF3_VECTOR_INT <= marker <= AMF3_VECTOR_DOUBLE:
            return self._numbers(marker)
        if marker == AMF3_VECTOR_OBJECT:
            return self._object_vector()
        if marker == AMF3_DICTIONARY:
            return self._dictionary()
        raise self.error(f"no AMF3 type has the marker {marker:#04x}")

    def u29(self) -> i64:
        """A 29-bit unsigned integer; the fourth byte carries eight bits (§1.3.1)."""
        data = self.data
        position = self.position
        byte: i64 = data[position]
        if byte < 0x80:
            self.position = position + 1
            return byte
        number = (byte & 0x7F) << 7
        byte = data[position + 1]
        if byte < 0x80:
            self.position = position + 2
            return number | byte
        number = (number | (byte & 0x7F)) << 7
        byte = data[position + 2]
        if byte < 0x80:
            self.position = position + 3
            return number | byte
        number = (number | (byte & 0x7F)) << 8
        byte = data[position + 3]
        self.position = position + 4
        return number | byte

    def string(self) -> str:
        """UTF-8-vr (§1.3.2): inline or by reference; the empty string has no entry."""
        position = self.position
        head: i64 = self.data[position]
        if head < 0x80:
            self.position = position + 1
        else:
            head = self.u29()
        if head & 1 == 0:
            index = head >> 1
            if index >= len(self.strings):
                raise self.error(f"no string has the index {index}")
            return self.strings[index]
        if head == 1:
            return ""
        text = self.decoded(self.read_raw(head >> 1))
        self.strings.append(text)
        return text

    def _known(self, head: i64) -> object:
        """The object that a reference means."""
        index = head >> 1
        if index >= len(self.objects):
            raise self.error(f"no object has the index {index}")
        return self.objects[index]

    def _count(self, head: i64, item_size: i64) -> i64:
        """A count that the bytes left could hold, and that the budget allows."""
        count = head >> 1
        if count * item_size > self.end - self.position:
            raise self.error(f"{count} items announced, {self.end - self.position} bytes left")
        return count

    def _array(self) -> object:
        """§3.11: names first, then the dense part. A list, or a MixedArray if there are names."""
        head = self.u29()
        if head & 1 == 0:
            return self._known(head)
        count = self._count(head, 1)
        self.enter(count + 1)
        dense: list[object] = []
        if self.data[self.position] == 1:
            self.position += 1
            self.objects.append(dense)
            self._items(dense, count)
            self.depth += 1
            return dense
        mixed = MixedArray(dense)
        self.objects.append(mixed)
        self._members(mixed.named)
        self._items(dense, count)
        self.depth += 1
        return mixed

    def _items(self, items: list[object], count: i64) -> None:
        if count > self.end - self.position:
            raise self.error(f"{count} items announced, {self.end - self.position} bytes left")
        for _index in range(count):
            items.append(self.decode())

    def _members(self, members: dict[str, object]) -> None:
        """Pairs up to the empty name."""
        before = len(members)
        name = self.string()
        while name:
            members[name] = self.decode()
            name = self.string()
        self.spend(len(members) - before)

    def _object(self) -> object:
        """§3.12: a dict if it has no class, else an instance, else a TypedObject."""
        head = self.u29()
        if head & 1 == 0:
            return self._known(head)
        traits = self._traits(head)
        self.enter(1 + len(traits.names))
        if traits.externalizable:
            value = self._externalizable(traits)
        elif not traits.class_name:
            anonymous: dict[str, object] = {}
            self.objects.append(anonymous)
            self._sealed_and_dynamic(traits, anonymous)
            value = anonymous
        else:
            value = self._typed(traits)
        self.depth += 1
        return value

    def _traits(self, head: i64) -> Traits:
        if head & 2 == 0:
            index = head >> 2
            if index >= len(self.traits):
                raise self.error(f"no traits have the index {index}")
            return self.traits[index]
        externalizable = head & 4 != 0
        count = 0 if externalizable else head >> 4
        class_name = self.string()
        if count > self.end - self.position:
            raise self.error(f"{count} names announced, {self.end - self.position} bytes left")
        self.spend(count)
        names = [self.string() for _index in range(count)]
        traits = Traits(class_name, tuple(names), head & 8 != 0, externalizable)
        self.traits.append(traits)
        return traits

    def _sealed_and_dynamic(self, traits: Traits, members: dict[str, object]) -> None:
        for name in traits.names:
            members[name] = self.decode()
        if traits.dynamic:
            self._members(members)

    def _typed(self, traits: Traits) -> object:
        if traits is self.last_traits:
            return self._instance(traits, self.last_plan)
        alias = self.aliases.get(traits.class_name)
        if alias is None or alias.externalizable:
            unknown = TypedObject(traits.class_name, {}, traits)
            self.objects.append(unknown)
            self._sealed_and_dynamic(traits, unknown.values)
            return unknown
        return self._instance(traits, alias.plan)

    def _instance(self, traits: Traits, plan: Plan) -> object:
        instance = plan.create()
        self.objects.append(instance)
        self._fill(instance, traits, plan)
        return instance

    def _fill(self, instance: object, traits: Traits, plan: Plan) -> None:
        """Values go where the class declared an attribute; the others are read and dropped."""
        self.spend(len(plan.by_name))
        seen = 0
        for member in self._sealed(traits, plan):
            value = self.decode()
            if member is not None:
                plan.set(instance, member, value, self.converted)
                seen |= member.bit
        if traits.dynamic:
            values: dict[str, object] = {}
            self._members(values)
            for name, value in values.items():
                member = plan.by_name.get(name)
                if member is not None:
                    plan.set(instance, member, value, self.converted)
                    seen |= member.bit
        plan.set_defaults(instance, seen)

    def _sealed(self, traits: Traits, plan: Plan) -> list[Member | None]:
        """For each sealed value its member, if it has one; looked up once for a run of objects."""
        if traits is not self.last_traits:
            self.last_traits = traits
            self.last_plan = plan
            self.last_members = [plan.by_name.get(name) for name in traits.names]
        return self.last_members

    def _externalizable(self, traits: Traits) -> object:
        alias = self.aliases.get(traits.class_name)
        if alias is None or not alias.externalizable:
            raise self.error(f"the externalizable class {traits.class_name!r} is not registered")
        instance = alias.plan.create()
        self.objects.append(instance)
        alias.plan.set_defaults(instance, 0)
        read_external(instance, DataInput(self))
        return instance

    def _byte_array(self) -> object:
        head = self.u29()
        if head & 1 == 0:
            return self._known(head)
        data = self.read_raw(head >> 1)
        self.objects.append(data)
        return data

    def _date(self) -> object:
        head = self.u29()
        if head & 1 == 0:
            return self._known(head)
        position = self.position
        value = from_milliseconds(read_f64_be(self.data, position))
        self.position = position + 8
        self.objects.append(value)
        return value

    def _xml(self, marker: i64) -> object:
        head = self.u29()
        if head & 1 == 0:
            return self._known(head)
        text = self.decoded(self.read_raw(head >> 1))
        value = XML(text) if marker == AMF3_XML else XMLDocument(text)
        self.objects.append(value)
        return value

    def _numbers(self, marker: i64) -> object:
        """Three of the four kinds of vectors (§3.15): raw numbers behind one byte."""
        head = self.u29()
        if head & 1 == 0:
            return self._known(head)
        item_size = 8 if marker == AMF3_VECTOR_DOUBLE else 4
        count = self._count(head, item_size)
        fixed = self.read_raw(1) != b"\0"
        data = self.read_raw(count * item_size)
        vector: object
        if marker == AMF3_VECTOR_INT:
            vector = IntVector.parse(data, fixed=fixed)
        elif marker == AMF3_VECTOR_UINT:
            vector = UIntVector.parse(data, fixed=fixed)
        else:
            vector = DoubleVector.parse(data, fixed=fixed)
        self.objects.append(vector)
        return vector

    def _object_vector(self) -> object:
        head = self.u29()
        if head & 1 == 0:
            return self._known(head)
        count = self._count(head, 1)
        self.enter(count + 1)
        fixed = self.read_raw(1) != b"\0"
        vector = ObjectVector([], self.string(), fixed)
        self.objects.append(vector)
        self._items(vector.items, count)
        self.depth += 1
        return vector

    def _dictionary(self) -> object:
        """§3.16."""
        head = self.u29()
        if head & 1 == 0:
            return self._known(head)
        count = self._count(head, 2)
        self.enter(count + 1)
        value = Dictionary(weak=self.read_raw(1) != b"\0")
        self.objects.append(value)
        for _index in range(count):
            key = self.decode()
            value[key] = self.decode()
        self.depth += 1
        return value
