"""AMF0 explained byte by byte (AMF 0 §2)."""

from collections.abc import Callable, Iterator

from amf_remoting.amf import markers
from amf_remoting.amf.amf3_walker import Amf3Walker
from amf_remoting.amf.cursor import Cursor
from amf_remoting.amf.dates import from_milliseconds
from amf_remoting.amf.step import Path, Place, Step, shortened
from amf_remoting.amf.values import Undefined, XMLDocument

Steps = Iterator[Step]


class Amf0Walker:
    """One message's values; its reference table."""

    def __init__(self, cursor: Cursor, depth: int) -> None:
        self.cursor = cursor
        self.depth = depth
        """Levels still allowed below the current value."""
        self.objects: list[int] = []
        """Offsets of what references can mean."""
        self.amf3 = Amf3Walker(cursor, depth)
        self.layouts: dict[int, Callable[[Place], Steps]] = {
            markers.AMF0_NUMBER: self._number,
            markers.AMF0_BOOLEAN: self._boolean,
            markers.AMF0_STRING: self._string,
            markers.AMF0_OBJECT: self._object,
            markers.AMF0_NULL: self._null,
            markers.AMF0_UNDEFINED: self._undefined,
            markers.AMF0_REFERENCE: self._reference,
            markers.AMF0_ECMA_ARRAY: self._ecma_array,
            markers.AMF0_STRICT_ARRAY: self._strict_array,
            markers.AMF0_DATE: self._date,
            markers.AMF0_LONG_STRING: self._long_string,
            markers.AMF0_UNSUPPORTED: self._undefined,
            markers.AMF0_XML_DOCUMENT: self._xml_document,
            markers.AMF0_TYPED_OBJECT: self._typed_object,
            markers.AMF0_AVMPLUS: self._avmplus,
        }

    def value(self, path: Path, offset: int | None = None) -> Steps:
        """The value here; ``offset`` is where its name begins, if it has one."""
        start = self.cursor.position
        marker = self.cursor.unsigned(1)
        layout = self.layouts.get(marker)
        if layout is None:
            self.cursor.position = start
            raise self.cursor.error(f"no AMF0 value can begin with the marker {marker:#04x}")
        yield from layout(Place(start if offset is None else offset, path, marker))

    def _step(self, place: Place, kind: str, value: object = ..., *, detail: str = "") -> Step:
        return place.step(self.cursor.position, kind, value, detail=detail)

    def _number(self, place: Place) -> Steps:
        yield self._step(place, "Number", self.cursor.double())

    def _boolean(self, place: Place) -> Steps:
        yield self._step(place, "Boolean", self.cursor.unsigned(1) != 0)

    def _string(self, place: Place) -> Steps:
        yield self._step(place, "String", self.cursor.text(self.cursor.unsigned(2)))

    def _long_string(self, place: Place) -> Steps:
        yield self._step(place, "Long String", self.cursor.text(self.cursor.unsigned(4)))

    def _null(self, place: Place) -> Steps:
        yield self._step(place, "Null", None)

    def _undefined(self, place: Place) -> Steps:
        kind = "Undefined" if place.marker == markers.AMF0_UNDEFINED else "Unsupported"
        yield self._step(place, kind, Undefined)

    def _reference(self, place: Place) -> Steps:
        index = self.cursor.unsigned(2)
        if index >= len(self.objects):
            raise self.cursor.error(f"no object has the index {index}")
        detail = f"object {index}, at {self.objects[index]:#06x}"
        yield self._step(place, "Reference", detail=detail)

    def _date(self, place: Place) -> Steps:
        self.objects.append(place.offset)
        value = from_milliseconds(self.cursor.double())
        zone = self.cursor.unsigned(2)
        yield self._step(place, "Date", value, detail=f"time zone {zone:#06x}" if zone else "")

    def _xml_document(self, place: Place) -> Steps:
        self.objects.append(place.offset)
        text = self.cursor.text(self.cursor.unsigned(4))
        yield self._step(place, "XML Document", XMLDocument(text))

    def _object(self, place: Place) -> Steps:
        self.objects.append(place.offset)
        yield self._step(place, "Object")
        yield from self._members(place.path)

    def _typed_object(self, place: Place) -> Steps:
        self.objects.append(place.offset)
        class_name = self.cursor.text(self.cursor.unsigned(2))
        yield self._step(place, "Typed Object", detail=shortened(class_name))
        yield from self._members(place.path)

    def _ecma_array(self, place: Place) -> Steps:
        self.objects.append(place.offset)
        count = self.cursor.unsigned(4)
        yield self._step(place, "ECMA Array", detail=f"of {count}, as it says")
        yield from self._members(place.path)

    def _strict_array(self, place: Place) -> Steps:
        self.objects.append(place.offset)
        count = self.cursor.unsigned(4)
        yield self._step(place, "Strict Array", detail=f"of {count}")
        if count > self.cursor.left:
            raise self.cursor.error(f"{count} items announced, {self.cursor.left} bytes left")
        self._enter()
        for index in range(count):
            yield from self.value((*place.path, index))
        self.depth += 1

    def _members(self, path: Path) -> Steps:
        """Pairs up to the end marker behind an empty name: without it, the name is legal."""
        self._enter()
        while True:
            start = self.cursor.position
            name = self.cursor.text(self.cursor.unsigned(2))
            if not name and self.cursor.next_is(markers.AMF0_OBJECT_END):
                self.cursor.position += 1
                break
            yield from self.value((*path, name), start)
        yield Step(offset=start, end=self.cursor.position, path=path, kind="End of Object")
        self.depth += 1

    def _avmplus(self, place: Place) -> Steps:
        """§3.1: the next value is AMF3; its tables last for the message."""
        yield self._step(place, "AMF3 from here")
        self.amf3.depth = self.depth
        yield from self.amf3.value(place.path)

    def _enter(self) -> None:
        self.depth -= 1
        if self.depth < 0:
            raise self.cursor.error("nested deeper than the limit")
