"""Walking through AMF: every byte is explained, in order, however broken the rest is."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest

from amf_remoting import amf
from amf_remoting.amf import AMFError, DecodeError, Limits, Step, Undefined
from amf_remoting.inspection import walk_packet, walk_values
from amf_remoting.packet import Header, Message, Packet

from .bytes_of import message, packet

CAPTURES = sorted(Path(__file__).parents[1].joinpath("captures", "amf").glob("*.bin"))
MOMENT = datetime(2009, 2, 13, 23, 31, 30, 123000, tzinfo=UTC)


def seen(steps: Iterator[Step]) -> list[tuple[object, ...]]:
    """(offset, path, kind, value, detail) of each; the value is left out where there is none."""
    return [
        (one.offset, one.path, one.kind, *([] if one.value is ... else [one.value]), one.detail)
        for one in steps
    ]


def covered(steps: Iterator[Step]) -> int:
    """Where the steps end, and that they leave nothing out; a DecodeError ends them."""
    end = 0
    try:
        for step in steps:
            assert step.offset == end
            assert step.end > step.offset
            end = step.end
    except AMFError:
        pass
    return end


def test_amf0() -> None:
    data = bytes.fromhex("03 0001 61 00 3ff0000000000000 0001 62 0a 00000002 05 07 0001 000009")
    assert seen(amf.walk(data, 0)) == [
        (0, (), "Object", ""),
        (1, ("a",), "Number", 1.0, ""),
        (13, ("b",), "Strict Array", "of 2"),
        (21, ("b", 0), "Null", None, ""),
        (22, ("b", 1), "Reference", "object 1, at 0x000d"),
        (25, (), "End of Object", ""),
    ]


def test_amf0_marker_and_end() -> None:
    step = next(amf.walk(bytes.fromhex("02 0003 7a c3 ab ff"), 0))
    assert (step.marker, step.value, step.end) == (2, "zë", 6)


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        (True, "Boolean", True),
        ("x" * 70_000, "Long String", "x" * 70_000),
        (Undefined, "Undefined", Undefined),
        (MOMENT, "Date", MOMENT),
        (amf.XMLDocument("<a/>"), "XML Document", amf.XMLDocument("<a/>")),
    ],
    ids=["boolean", "long string", "undefined", "date", "XML document"],
)
def test_amf0_scalars(value: object, kind: str, shown: object) -> None:
    assert seen(amf.walk(amf.dumps(value, 0), 0)) == [(0, (), kind, shown, "")]


def test_amf0_containers_with_names() -> None:
    data = bytes.fromhex("08 00000009 0001 30 10 0002 4d65 000009 000009")
    assert seen(amf.walk(data, 0)) == [
        (0, (), "ECMA Array", "of 9, as it says"),
        (5, ("0",), "Typed Object", "Me"),
        (13, ("0",), "End of Object", ""),
        (16, (), "End of Object", ""),
    ]


@pytest.mark.parametrize(
    ("value", "kind", "detail"),
    [
        (None, "Null", ""),
        (False, "False", ""),
        (True, "True", ""),
        (Undefined, "Undefined", ""),
        (-1, "Integer", ""),
        (0x0FFFFFFF, "Integer", ""),
        (300, "Integer", ""),
        (20_000, "Integer", ""),
        (1.5, "Double", ""),
        ("Zoë", "String", ""),
        (MOMENT, "Date", ""),
        (b"\0\1", "Byte Array", ""),
        (amf.XML("<a/>"), "XML", ""),
        (amf.XMLDocument("<a/>"), "XML Document", ""),
        (amf.IntVector([1, -2]), "Vector of int", "of 2"),
        (amf.UIntVector([1], fixed=True), "Vector of uint", "of 1, fixed"),
        (amf.DoubleVector([0.5]), "Vector of double", "of 1"),
    ],
)
def test_amf3_scalars(value: object, kind: str, detail: str) -> None:
    assert seen(amf.walk(amf.dumps(value))) == [(0, (), kind, value, detail)]


def test_amf3_object_of_a_class_that_nobody_registered() -> None:
    data = bytes.fromhex("0a 1b 09 64656d6f 03 61 04 05 03 62 06 02 01")
    assert seen(amf.walk(data)) == [
        (0, (), "Object", "demo; dynamic; sealed: a"),
        (9, ("a",), "Integer", 5, ""),
        (11, ("b",), "String", "a", "string 1 again"),
        (15, (), "End of Object", ""),
    ]


def test_amf3_object_without_dynamic_members() -> None:
    assert seen(amf.walk(bytes.fromhex("0a 13 03 41 03 61 01 "))) == [
        (0, (), "Object", "A; sealed: a"),
        (6, ("a",), "Null", None, ""),
    ]


def test_amf3_references() -> None:
    data = bytes.fromhex("09 07 01 0a 0b 01 01 0a 01 01 0a 02")
    assert seen(amf.walk(data)) == [
        (0, (), "Array", "of 3"),
        (2, (), "End of Names", ""),
        (3, (0,), "Object", "anonymous; dynamic"),
        (6, (0,), "End of Object", ""),
        (7, (1,), "Object", "(traits 0 again)"),
        (9, (1,), "End of Object", ""),
        (10, (2,), "Reference", "object 1, at 0x0003"),
    ]


@pytest.mark.parametrize(
    "value",
    [MOMENT, b"\0", [], amf.XML("x"), amf.IntVector([1]), amf.Dictionary(), amf.ObjectVector([])],
    ids=lambda value: type(value).__name__,
)
def test_everything_with_an_index_can_be_referred_to(value: object) -> None:
    data = amf.dumps([value])[:-1] + amf.dumps([value])[-1:]
    twice = b"\x09\x05\x01" + data[3:] + data[3:4] + b"\x02"
    assert list(amf.walk(twice))[-1].detail == "object 1, at 0x0003"


def test_amf3_dictionary_and_vector_of_objects() -> None:
    value = amf.Dictionary()
    value["k"] = amf.ObjectVector([None], "demo.Person", True)
    kinds = [(one.path, one.kind, one.detail) for one in amf.walk(amf.dumps(value))]
    assert kinds == [
        ((), "Dictionary", "of 1"),
        (("key 0",), "String", ""),
        (("value 0",), "Vector of objects", "demo.Person of 1, fixed"),
        (("value 0", 0), "Null", ""),
    ]


def test_externalizable_classes_of_flex() -> None:
    steps = list(amf.walk(amf.dumps(amf.ArrayCollection([7]))))
    assert (steps[1].path, steps[1].kind) == (("source",), "Array")
    assert (steps[-1].path, steps[-1].value) == (("source", 0), 7)


def test_small_messages_of_flex() -> None:
    data = bytes.fromhex("0a 07 07 44534b 81 01 06 03 78 0c 03 01 00 00")
    assert [(one.kind, one.path) for one in amf.walk(data)] == [
        ("Object", ()),
        ("Flags", ()),
        ("String", ("class 1, bit 0",)),
        ("Byte Array", ("class 1, bit 7",)),
        ("Flags", ()),
        ("Flags", ()),
    ]


def test_other_externalizable_bodies_are_not_guessed() -> None:
    steps = amf.walk(bytes.fromhex("0a 07 05 4d65 0401"))
    assert next(steps).detail == "Me; externalizable"
    with pytest.raises(DecodeError, match="only the class 'Me' itself"):
        next(steps)


def test_amf3_within_amf0_keeps_its_tables() -> None:
    data = bytes.fromhex("0a 00000002 11 06 03 78 11 06 00")
    steps = seen(amf.walk(data, 0))
    assert steps[1] == (5, (0,), "AMF3 from here", "")
    assert steps[4] == (10, (1,), "String", "x", "string 0 again")


@pytest.mark.parametrize(
    ("text", "version", "error"),
    [
        ("04", 0, "marker 0x04"),
        ("12", 3, "marker 0x12"),
        ("0a 0000ffff 05", 0, "items announced"),
        ("07 0000", 0, "no object has the index 0"),
        ("09 02", 3, "no object has the index 1"),
        ("06 04", 3, "no string has the index 2"),
        ("0a 05", 3, "no traits have the index 1"),
        ("09 8fffffff 01", 3, "items announced"),
        ("0a fffffffb 01", 3, "names announced"),
        ("02 0005 61", 0, "5 bytes expected, 1 left"),
        ("", 3, "1 bytes expected, 0 left"),
    ],
)
def test_broken_values(text: str, version: int, error: str) -> None:
    with pytest.raises(DecodeError, match=error):
        list(amf.walk(bytes.fromhex(text), version))


def test_limits() -> None:
    deep = amf.dumps([[[[]]]])
    assert len(list(amf.walk(deep, limits=Limits(depth=4)))) == 8
    with pytest.raises(DecodeError, match="deeper than the limit"):
        list(amf.walk(deep, limits=Limits(depth=3)))
    with pytest.raises(DecodeError, match="deeper than the limit"):
        list(amf.walk(amf.dumps([[[]]], 0), 0, limits=Limits(depth=2)))
    with pytest.raises(DecodeError, match="more values"):
        list(amf.walk(amf.dumps([1, 2, 3]), limits=Limits(values=4)))
    with pytest.raises(DecodeError, match="more than 2"):
        list(amf.walk(b"\1\1\1", limits=Limits(input_bytes=2)))
    with pytest.raises(ValueError, match="versions 0 and 3"):
        next(amf.walk(b"\1", 1))


def test_nested_deeper_than_the_stack_is_an_error_like_others() -> None:
    data = b"\x0a\0\0\0\1" * 1000 + b"\5"
    assert covered(amf.walk(data, 0, limits=Limits(depth=1000))) > 0


def test_packet() -> None:
    sent = Packet(0, [Header("T", True, 1)], [Message("a.b", "/1", ["x"])])
    paths = [(one.path, one.kind) for one in walk_packet(sent.serialize())]
    assert paths == [
        (("packet",), "Version"),
        (("packet",), "Headers"),
        (("header 1",), "Name"),
        (("header 1",), "Must understand"),
        (("header 1",), "Length"),
        (("header 1", "value"), "Number"),
        (("packet",), "Messages"),
        (("message 1",), "Target URI"),
        (("message 1",), "Response URI"),
        (("message 1",), "Length"),
        (("message 1", "body"), "Strict Array"),
        (("message 1", "body", 0), "String"),
    ]


def test_a_broken_message_does_not_hide_the_next() -> None:
    data = Packet(0, [], [Message("a.b", "/1", [1]), Message("c.d", "/2", ["y"])]).serialize()
    broken = data.replace(b"\0\0\0\1\0\x3f\xf0", b"\0\0\0\1\4\x3f\xf0")
    steps = list(walk_packet(broken))
    lost = next(one for one in steps if one.kind == "Not understood")
    assert lost.end - lost.offset == 9
    assert "0x04" in lost.detail
    assert (steps[-1].path, steps[-1].value) == (("message 2", "body", 0), "y")


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        ("0a 00000003 05 05", ["Strict Array", "Null", "Not understood"]),
        ("0a 00000001 05 0001", ["Strict Array", "Null", "Not understood"]),
        ("", []),
    ],
    ids=["cut off", "too long", "nothing"],
)
def test_a_body_of_another_length_does_not_hide_the_next(body: str, kinds: list[str]) -> None:
    broken = message("a.b", "/1", bytes.fromhex(body))
    data = packet(broken, message("c.d", "/2", amf.dumps(["y"], 0)))
    assert covered(walk_packet(data)) == len(data)
    steps = list(walk_packet(data))
    assert [one.kind for one in steps if one.path[0] == "message 1"][3:] == kinds
    assert (steps[-1].path, steps[-1].value) == (("message 2", "body", 0), "y")


def test_no_packet_at_all() -> None:
    with pytest.raises(DecodeError, match="version 18245"):
        list(walk_packet(b"GET / HTTP/1.1"))


def test_values_one_behind_the_other() -> None:
    assert [(one.path, one.value) for one in walk_values(b"\5\1\1", 0)] == [
        (("value 1",), None),
        (("value 2",), True),
    ]


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_captures_are_explained_to_the_last_byte(capture: Path) -> None:
    data = capture.read_bytes()
    assert covered(walk_packet(data)) == len(data)
    for length in range(len(data)):
        assert covered(walk_packet(data[:length])) <= length


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_mutated_captures_cause_nothing_but_decode_errors(capture: Path) -> None:
    dice = random.Random(1)
    original = capture.read_bytes()
    for _ in range(300):
        data = bytearray(original)
        for _ in range(dice.randint(1, 5)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        assert covered(walk_packet(bytes(data))) <= len(data)


@pytest.mark.parametrize("written", ["EDA0BDEDB880", "70E4F6", "FF"])
@pytest.mark.parametrize("version", [0, 3])
def test_text_that_is_not_utf8_is_read_as_the_decoders_do(
    written: str, version: Literal[0, 3]
) -> None:
    text = bytes.fromhex(written)
    head = b"\2" + len(text).to_bytes(2, "big") if version == 0 else bytes((6, len(text) << 1 | 1))
    data = head + text
    (step,) = amf.walk(data, version)
    assert step.value == amf.loads(data, version)
    assert step.end == len(data)
