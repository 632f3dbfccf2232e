"""AMF3 explained byte by byte (AMF 3 §3)."""

from collections.abc import Callable, Iterator
from typing import Final

from amf_remoting.amf import markers
from amf_remoting.amf.cursor import Cursor
from amf_remoting.amf.dates import from_milliseconds
from amf_remoting.amf.step import Path, Place, Step, shortened
from amf_remoting.amf.traits import Traits
from amf_remoting.amf.values import XML, Undefined, XMLDocument
from amf_remoting.amf.vectors import DoubleVector, IntVector, UIntVector

Steps = Iterator[Step]

_ONE_VALUE: Final = {
    f"flex.messaging.io.{name}"
    for name in ("ArrayCollection", "ArrayList", "ObjectProxy", "ManagedObjectProxy")
}
"""Externalizable classes whose body is one value."""
_FLAGGED: Final = {"DSA": 2, "DSC": 3, "DSK": 3}
"""Flex's small messages: bytes of flags with a value for each bit, for so many classes."""
_CONSTANTS: Final[dict[int, tuple[str, object]]] = {
    markers.AMF3_UNDEFINED: ("Undefined", Undefined),
    markers.AMF3_NULL: ("Null", None),
    markers.AMF3_FALSE: ("False", False),
    markers.AMF3_TRUE: ("True", True),
}
_VECTORS: Final[dict[int, tuple[str, int, Callable[..., object]]]] = {
    markers.AMF3_VECTOR_INT: ("Vector of int", 4, IntVector.parse),
    markers.AMF3_VECTOR_UINT: ("Vector of uint", 4, UIntVector.parse),
    markers.AMF3_VECTOR_DOUBLE: ("Vector of double", 8, DoubleVector.parse),
}


class Amf3Walker:
    """One message's AMF3 values; its three tables."""

    def __init__(self, cursor: Cursor, depth: int) -> None:
        self.cursor = cursor
        self.depth = depth
        """Levels still allowed below the current value."""
        self.strings: list[str] = []
        self.objects: list[int] = []
        """Offsets of what references can mean."""
        self.traits: list[Traits] = []
        self.layouts: dict[int, Callable[[Place], Steps]] = {
            **dict.fromkeys(_CONSTANTS, self._constant),
            **dict.fromkeys(_VECTORS, self._number_vector),
            markers.AMF3_INTEGER: self._integer,
            markers.AMF3_DOUBLE: self._double,
            markers.AMF3_STRING: self._string,
            markers.AMF3_XML_DOCUMENT: self._xml,
            markers.AMF3_XML: self._xml,
            markers.AMF3_DATE: self._date,
            markers.AMF3_ARRAY: self._array,
            markers.AMF3_OBJECT: self._object,
            markers.AMF3_BYTE_ARRAY: self._byte_array,
            markers.AMF3_VECTOR_OBJECT: self._object_vector,
            markers.AMF3_DICTIONARY: self._dictionary,
        }

    def value(self, path: Path, offset: int | None = None) -> Steps:
        """The value here; ``offset`` is where its name begins, if it has one."""
        start = self.cursor.position
        marker = self.cursor.unsigned(1)
        layout = self.layouts.get(marker)
        if layout is None:
            self.cursor.position = start
            raise self.cursor.error(f"no AMF3 type has the marker {marker:#04x}")
        yield from layout(Place(start if offset is None else offset, path, marker))

    def _step(self, place: Place, kind: str, value: object = ..., *, detail: str = "") -> Step:
        return place.step(self.cursor.position, kind, value, detail=detail)

    def _constant(self, place: Place) -> Steps:
        kind, value = _CONSTANTS[place.marker]
        yield self._step(place, kind, value)

    def _integer(self, place: Place) -> Steps:
        number = self.cursor.u29()
        value = number - 0x20000000 if number >= 0x10000000 else number
        yield self._step(place, "Integer", value)

    def _double(self, place: Place) -> Steps:
        yield self._step(place, "Double", self.cursor.double())

    def _string(self, place: Place) -> Steps:
        text, detail = self._utf8()
        yield self._step(place, "String", text, detail=detail)

    def _utf8(self) -> tuple[str, str]:
        """UTF-8-vr (§1.3.2), and a detail if it came by reference."""
        head = self.cursor.u29()
        if head & 1:
            text = self.cursor.text(head >> 1)
            if text:
                self.strings.append(text)
            return text, ""
        if head >> 1 >= len(self.strings):
            raise self.cursor.error(f"no string has the index {head >> 1}")
        return self.strings[head >> 1], f"string {head >> 1} again"

    def _is_reference(self, head: int) -> bool:
        if head & 1:
            return False
        if head >> 1 >= len(self.objects):
            raise self.cursor.error(f"no object has the index {head >> 1}")
        return True

    def _reference(self, place: Place, head: int) -> Step:
        index = head >> 1
        detail = f"object {index}, at {self.objects[index]:#06x}"
        return self._step(place, "Reference", detail=detail)

    def _xml(self, place: Place) -> Steps:
        head = self.cursor.u29()
        if self._is_reference(head):
            yield self._reference(place, head)
            return
        self.objects.append(place.offset)
        text = self.cursor.text(head >> 1)
        is_document = place.marker == markers.AMF3_XML_DOCUMENT
        value = XMLDocument(text) if is_document else XML(text)
        yield self._step(place, "XML Document" if is_document else "XML", value)

    def _date(self, place: Place) -> Steps:
        head = self.cursor.u29()
        if self._is_reference(head):
            yield self._reference(place, head)
            return
        self.objects.append(place.offset)
        yield self._step(place, "Date", from_milliseconds(self.cursor.double()))

    def _byte_array(self, place: Place) -> Steps:
        head = self.cursor.u29()
        if self._is_reference(head):
            yield self._reference(place, head)
            return
        self.objects.append(place.offset)
        yield self._step(place, "Byte Array", self.cursor.raw(head >> 1))

    def _number_vector(self, place: Place) -> Steps:
        kind, item_size, parse = _VECTORS[place.marker]
        head = self.cursor.u29()
        if self._is_reference(head):
            yield self._reference(place, head)
            return
        self.objects.append(place.offset)
        fixed = self.cursor.unsigned(1) != 0
        data = self.cursor.raw((head >> 1) * item_size)
        detail = f"of {head >> 1}{', fixed' if fixed else ''}"
        yield self._step(place, kind, parse(data, fixed=fixed), detail=detail)

    def _array(self, place: Place) -> Steps:
        """§3.11: names first, then the dense part."""
        head = self.cursor.u29()
        if self._is_reference(head):
            yield self._reference(place, head)
            return
        self.objects.append(place.offset)
        yield self._step(place, "Array", detail=f"of {head >> 1}")
        self._enter(head >> 1)
        yield from self._members(place.path, "End of Names")
        yield from self._items(place.path, head >> 1)
        self.depth += 1

    def _object_vector(self, place: Place) -> Steps:
        head = self.cursor.u29()
        if self._is_reference(head):
            yield self._reference(place, head)
            return
        self.objects.append(place.offset)
        fixed = self.cursor.unsigned(1) != 0
        class_name, _ = self._utf8()
        detail = f"{shortened(class_name)} of {head >> 1}{', fixed' if fixed else ''}"
        yield self._step(place, "Vector of objects", detail=detail)
        self._enter(head >> 1)
        yield from self._items(place.path, head >> 1)
        self.depth += 1

    def _dictionary(self, place: Place) -> Steps:
        head = self.cursor.u29()
        if self._is_reference(head):
            yield self._reference(place, head)
            return
        self.objects.append(place.offset)
        weak = self.cursor.unsigned(1) != 0
        detail = f"of {head >> 1}{', weak keys' if weak else ''}"
        yield self._step(place, "Dictionary", detail=detail)
        self._enter(head >> 1)
        for number in range(head >> 1):
            yield from self.value((*place.path, f"key {number}"))
            yield from self.value((*place.path, f"value {number}"))
        self.depth += 1

    def _object(self, place: Place) -> Steps:
        head = self.cursor.u29()
        if self._is_reference(head):
            yield self._reference(place, head)
            return
        self.objects.append(place.offset)
        traits, detail = self._traits_of(head)
        yield self._step(place, "Object", detail=detail)
        self._enter(0)
        if traits.externalizable:
            yield from self._externalizable(place.path, traits.class_name)
        else:
            for name in traits.names:
                yield from self.value((*place.path, name))
            if traits.dynamic:
                yield from self._members(place.path, "End of Object")
        self.depth += 1

    def _traits_of(self, head: int) -> tuple[Traits, str]:
        """The traits, and what to say of them."""
        if head & 2 == 0:
            index = head >> 2
            if index >= len(self.traits):
                raise self.cursor.error(f"no traits have the index {index}")
            traits = self.traits[index]
            return traits, f"{shortened(traits.class_name)} (traits {index} again)".lstrip()
        traits = self._new_traits(head)
        words = [shortened(traits.class_name) or "anonymous"]
        words += ["externalizable"] if traits.externalizable else []
        words += ["dynamic"] if traits.dynamic else []
        words += [f"sealed: {shortened(', '.join(traits.names))}"] if traits.names else []
        return traits, "; ".join(words)

    def _new_traits(self, head: int) -> Traits:
        externalizable = head & 4 != 0
        count = 0 if externalizable else head >> 4
        class_name, _ = self._utf8()
        if count > self.cursor.left:
            raise self.cursor.error(f"{count} names announced, {self.cursor.left} bytes left")
        names = tuple(self._utf8()[0] for _ in range(count))
        traits = Traits(class_name, names, head & 8 != 0, externalizable)
        self.traits.append(traits)
        return traits

    def _externalizable(self, path: Path, class_name: str) -> Steps:
        if class_name in _ONE_VALUE:
            yield from self.value((*path, "source"))
        elif class_name in _FLAGGED:
            for level in range(_FLAGGED[class_name]):
                yield from self._flagged(path, level)
        else:
            name = shortened(class_name)
            raise self.cursor.error(f"only the class {name!r} itself knows the rest of its body")

    def _flagged(self, path: Path, level: int) -> Steps:
        """Bytes of flags, each but the last with its highest bit set; then the values."""
        start = self.cursor.position
        flags = [self.cursor.unsigned(1)]
        while flags[-1] & 0x80:
            flags.append(self.cursor.unsigned(1))
        text = " ".join(f"{one & 0x7F:07b}" for one in flags)
        yield Step(offset=start, end=self.cursor.position, path=path, kind="Flags", detail=text)
        bits = [
            7 * byte + bit for byte, one in enumerate(flags) for bit in range(7) if one >> bit & 1
        ]
        for bit in bits:
            yield from self.value((*path, f"class {level + 1}, bit {bit}"))

    def _members(self, path: Path, end: str) -> Steps:
        """Pairs up to the empty name."""
        while True:
            start = self.cursor.position
            name, _ = self._utf8()
            if not name:
                break
            yield from self.value((*path, name), start)
        yield Step(offset=start, end=self.cursor.position, path=path, kind=end)

    def _items(self, path: Path, count: int) -> Steps:
        for index in range(count):
            yield from self.value((*path, index))

    def _enter(self, count: int) -> None:
        self.depth -= 1
        if self.depth < 0:
            raise self.cursor.error("nested deeper than the limit")
        if count > self.cursor.left:
            raise self.cursor.error(f"{count} items announced, {self.cursor.left} bytes left")
