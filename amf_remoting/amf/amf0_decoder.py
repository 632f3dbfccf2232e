"""AMF0 to Python values (AMF 0 §2)."""

from collections.abc import Callable
from math import copysign
from typing import Final

from amf_remoting.amf.aliases import registry
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
from amf_remoting.amf.member import NO_PLAN, Memo, Plan
from amf_remoting.amf.names import Name
from amf_remoting.amf.native import i64, read_f64_be
from amf_remoting.amf.values import MixedArray, TypedObject, Undefined, XMLDocument

WINDOW: Final = 4096
"""Bytes that are made characters at once, from the text to read onwards."""
NAME_KEPT: Final = 64
"""Longest name, in bytes, that is kept for when it comes again."""


class UncountedArgumentsError(DecodeError):
    """A reference to the arguments array from inside of it: the sender did not count it."""


class Amf0Decoder:
    """Reads values from `data` at `position`; the tables span them until `reset`.

    Raises DecodeError, or IndexError where the data ends too early (the caller translates it).
    """

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
        self.window = ""
        self.window_is_ascii = True
        self.window_start: i64 = 0
        self.window_end: i64 = 0
        self.names: dict[bytes, Name] = {}
        self.last_name = Name("", b"")
        self.last_class = ""
        self.last_plan: Plan = NO_PLAN
        """What was found for `last_class`: objects of one class come in runs."""
        self.objects: list[object] = []
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
            return self._text(self.u16())
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
            return self._text(self.u32())
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

    def error(self, message: str) -> DecodeError:
        return DecodeError(message, self.position)

    def u16(self) -> i64:
        data = self.data
        position = self.position
        high: i64 = data[position]
        low: i64 = data[position + 1]
        self.position = position + 2
        return high << 8 | low

    def u32(self) -> i64:
        return self.u16() << 16 | self.u16()

    def read_raw(self, length: i64) -> bytes:
        start = self.position
        end = start + length
        if end > self.end:
            raise self.error(f"{length} bytes announced, {self.end - start} left")
        self.position = end
        return self.data[start:end]

    def _piece(self, length: i64) -> str:
        """The next bytes as characters of the same number (latin-1), cut out of the window."""
        start = self.position
        end = start + length
        if end > self.end:
            raise self.error(f"{length} bytes announced, {self.end - start} left")
        self.position = end
        offset = start - self.window_start
        if offset < 0 or end > self.window_end:
            self.window_start = start
            self.window_end = min(start + WINDOW, self.end)
            self.window = self.data[start : start + WINDOW].decode("latin-1")
            self.window_is_ascii = self.window.isascii()
            offset = 0
        return self.window[offset : offset + length]

    def _text(self, length: i64) -> str:
        """ASCII needs no decoding of its own: it is a piece of the window."""
        if length > WINDOW:
            return self._decoded(self.read_raw(length))
        piece = self._piece(length)
        if self.window_is_ascii or piece.isascii():
            return piece
        return self._decoded(piece.encode("latin-1"))

    def _name(self) -> Name:
        """A class or member name: most often the one that followed the previous one before."""
        likely = self.last_name.follower
        position = self.position
        if likely is not None and self.data[position : position + likely.size] == likely.raw:
            self.position = position + likely.size
            self.last_name = likely
            return likely
        length = self.u16()
        if length > NAME_KEPT:
            return Name(self._text(length), b"")
        raw = self.data[position : position + 2 + length]
        name = self.names.get(raw)
        if name is None:
            name = self.names[raw] = Name(self._text(length), raw)
        else:
            self.position += length
        self.last_name.follower = name
        self.last_name = name
        return name

    def _decoded(self, data: bytes) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError:
            return self.repair(data)

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

    def _spend(self, values: i64) -> None:
        self.values -= values
        if self.values < 0:
            raise self.error("more values than the limit")

    def _enter(self, values: i64) -> None:
        self.depth -= 1
        if self.depth < 0:
            raise self.error("nested deeper than the limit")
        self._spend(values)

    def _strict_array(self) -> object:
        items: list[object] = []
        self.objects.append(items)
        return self._items(items)

    def _items(self, items: list[object]) -> list[object]:
        count = self.u32()
        if count > self.end - self.position:
            raise self.error(f"{count} items announced, {self.end - self.position} bytes left")
        self._enter(count + 1)
        for _index in range(count):
            items.append(self.decode())
        self.depth += 1
        return items

    def _members(self, members: dict[str, object]) -> None:
        """Pairs up to the end marker behind an empty name: without it, the name is legal."""
        self._enter(1)
        before = len(members)
        while True:
            name = self._name()
            if not name.text and self.data[self.position] == AMF0_OBJECT_END:
                self.position += 1
                break
            members[name.text] = self.decode()
        self._spend(len(members) - before)
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
        class_name = self._name().text
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
        self._enter(1 + len(plan.by_name))
        seen = 0
        while True:
            name = self._name()
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
        value = XMLDocument(self._text(self.u32()))
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
