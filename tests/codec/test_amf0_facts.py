"""AMF0 as it is on the wire: what the specification leaves out and peers get wrong."""

from datetime import UTC, datetime

import pytest

from amf_remoting import amf
from amf_remoting.amf import DecodeError, EncodeError, MixedArray, TypedObject, Undefined
from amf_remoting.packet import parse

from .bytes_of import double, hexadecimal, message, number0, packet, string0, utf8

END = b"\0\0\x09"


@pytest.mark.fact(16)
def test_an_empty_key_is_legal_unless_the_end_marker_follows() -> None:
    data = b"\x03" + utf8("") + number0(1) + utf8("a") + b"\x05" + END
    assert amf.loads(data, 0) == {"": 1, "a": None}
    assert amf.dumps({"": 1, "a": None}, 0) == data


@pytest.mark.fact(17)
@pytest.mark.parametrize("count", [0, 1, 2, 99, 0xFFFFFFFF])
def test_the_count_of_an_ecma_array_is_a_hint(count: int) -> None:
    data = b"\x08" + count.to_bytes(4, "big") + utf8("a") + number0(1) + END
    assert amf.loads(data, 0) == MixedArray([], {"a": 1})


@pytest.mark.fact(17)
def test_a_stray_length_is_ignored() -> None:
    items = utf8("0") + number0(7) + utf8("1") + number0(8)
    data = b"\x08\0\0\0\3" + items + utf8("length") + number0(2) + END
    assert amf.loads(data, 0) == [7, 8]
    no_dense_items = b"\x08\0\0\0\2" + utf8("a") + number0(1) + utf8("length") + number0(33) + END
    assert amf.loads(no_dense_items, 0) == MixedArray([], {"a": 1, "length": 33})


@pytest.mark.fact(17)
def test_dense_keys_are_a_list() -> None:
    data = b"\x08\0\0\0\2" + utf8("0") + string0("x") + utf8("1") + b"\x01\x01" + END
    assert amf.loads(data, 0) == ["x", True]
    unordered = b"\x08\0\0\0\2" + utf8("1") + string0("b") + utf8("0") + string0("a") + END
    assert amf.loads(unordered, 0) == ["a", "b"]
    assert amf.loads(b"\x08\0\0\0\0" + END, 0) == []
    with_name = b"\x08\0\0\0\2" + utf8("0") + string0("x") + utf8("n") + b"\x05" + END
    assert amf.loads(with_name, 0) == MixedArray(["x"], {"n": None})
    with_hole = b"\x08\0\0\0\2" + utf8("0") + string0("x") + utf8("2") + b"\x05" + END
    assert amf.loads(with_hole, 0) == MixedArray(["x"], {"2": None})
    assert amf.dumps(MixedArray(["x"], {"n": None}), 0) == with_name


@pytest.mark.fact(17)
def test_an_ecma_array_that_contains_itself_keeps_its_identity() -> None:
    data = b"\x08\0\0\0\1" + utf8("0") + b"\x07\0\0" + END
    decoded = amf.loads(data, 0)
    assert decoded.dense[0] is decoded
    again = amf.loads(amf.dumps(decoded, 0), 0)
    assert again.dense[0] is again


@pytest.mark.fact(18)
def test_objects_arrays_dates_and_xml_count_as_references() -> None:
    data = b"\x0a\0\0\0\x0a"  # 0: a strict array
    data += b"\x03" + END  # 1
    data += b"\x10" + utf8("A") + END  # 2
    data += b"\x08\0\0\0\0" + utf8("n") + b"\x05" + END  # 3
    data += b"\x0b" + double(0.0) + b"\0\0"  # 4
    data += b"\x0f\0\0\0\1x"  # 5
    data += b"".join(b"\x07\0" + bytes((index,)) for index in (1, 2, 3, 4, 5))
    decoded = amf.loads(data, 0)
    assert decoded[:5] == [
        {},
        TypedObject("A"),
        MixedArray([], {"n": None}),
        datetime(1970, 1, 1, tzinfo=UTC),
        amf.XMLDocument("x"),
    ]
    assert [id(value) for value in decoded[5:]] == [id(value) for value in decoded[:5]]
    encoded = amf.dumps(decoded, 0)
    assert encoded == data.replace(b"\x08\0\0\0\0", b"\x08\0\0\0\1")


@pytest.mark.fact(18)
def test_cycles() -> None:
    loop: dict[str, object] = {}
    loop["self"] = loop
    assert amf.dumps(loop, 0) == b"\x03" + utf8("self") + b"\x07\0\0" + END
    decoded = amf.loads(amf.dumps(loop, 0), 0)
    assert decoded["self"] is decoded


SECOND_USE = hexadecimal("03 000009") + hexadecimal("07 0001")


@pytest.mark.fact(18)
def test_the_arguments_array_is_slot_0_for_flash() -> None:
    body = b"\x0a\0\0\0\2" + SECOND_USE
    (call,) = parse(packet(message("a.b", "/1", body))).messages
    assert call.error is None
    assert call.value == [{}, {}]
    assert call.value[0] is call.value[1]


@pytest.mark.fact(18)
def test_the_arguments_array_is_not_counted_by_others() -> None:
    """Ruffle's AVM1 sends the second use of an array inside of the arguments as 07 0000."""
    body = b"\x0a\0\0\0\2" + hexadecimal("0A 00000001 05") + hexadecimal("07 0000")
    (call,) = parse(packet(message("a.b", "/1", body))).messages
    assert call.error is None
    assert call.value == [[None], [None]]
    assert call.value[0] is call.value[1]


@pytest.mark.fact(18)
def test_an_ambiguous_message_follows_flash() -> None:
    body = b"\x0a\0\0\0\3" + hexadecimal("03 000009") * 2 + hexadecimal("07 0001")
    (call,) = parse(packet(message("a.b", "/1", body))).messages
    assert call.value[2] is call.value[0]


@pytest.mark.fact(18)
def test_an_answer_has_no_arguments() -> None:
    """A result that is an array inside of itself is no sign of uncounted arguments."""
    body = hexadecimal("0A 00000001 07 0000")
    (answer,) = parse(packet(message("/1/onResult", "null", body))).messages
    assert answer.value[0] is answer.value


@pytest.mark.fact(18)
def test_a_reference_to_nothing_fails_its_message_only() -> None:
    broken = message("a.b", "/1", hexadecimal("0A 00000001 07 0009"))
    good = message("a.b", "/2", hexadecimal("0A 00000001 05"))
    first, second = parse(packet(broken, good)).messages
    assert "no object has the index 9" in str(first.error)
    assert (first.value, second.value) == (None, [None])


@pytest.mark.fact(18)
def test_beyond_65535_objects_referencing_stops() -> None:
    objects: list[dict[str, object]] = [{} for _ in range(65_536)]
    encoded = amf.dumps([*objects, objects[0], objects[-1]], 0)
    decoded = amf.loads(encoded, 0)
    assert decoded[-2] is decoded[0]
    assert decoded[-1] == {}
    assert decoded[-1] is not decoded[-3]


@pytest.mark.fact(19)
@pytest.mark.parametrize("zone", [b"\0\0", b"\xff\xc4", b"\x7f\xff"])
def test_the_zone_of_a_date_is_ignored_and_0(zone: bytes) -> None:
    moment = datetime(2009, 2, 13, 23, 31, 30, 123_000, tzinfo=UTC)
    assert amf.loads(b"\x0b" + double(1234567890123.0) + zone, 0) == moment
    assert amf.dumps(moment, 0) == b"\x0b" + double(1234567890123.0) + b"\0\0"


@pytest.mark.fact(20)
def test_long_strings() -> None:
    assert amf.dumps("x" * 65_535, 0)[:3] == b"\x02\xff\xff"
    assert amf.dumps("x" * 65_536, 0)[:5] == b"\x0c\0\1\0\0"
    for length in (65_535, 65_536, 200_000):
        assert amf.loads(amf.dumps("ä" * length, 0), 0) == "ä" * length


@pytest.mark.fact(20)
def test_a_string_is_as_long_as_it_says() -> None:
    for text in (hexadecimal("02 0005 61"), hexadecimal("0C 00000005 61626364")):
        with pytest.raises(DecodeError, match="5 bytes announced"):
            amf.loads(text, 0)


@pytest.mark.fact(20)
def test_names_have_no_long_form() -> None:
    assert amf.loads(amf.dumps({"x" * 65_535: 1}, 0), 0) == {"x" * 65_535: 1}
    with pytest.raises(EncodeError, match="65535"):
        amf.dumps({"x" * 65_536: 1}, 0)


@pytest.mark.fact(21)
def test_bytes_go_out_as_avm_plus() -> None:
    assert amf.dumps(b"ab", 0) == hexadecimal("11 0C 05 6162")
    assert amf.loads(hexadecimal("11 0C 05 6162"), 0) == b"ab"


@pytest.mark.fact(21)
@pytest.mark.parametrize(
    "value",
    [
        amf.XML("<a/>"),
        amf.IntVector([1]),
        amf.ObjectVector([1]),
        amf.Dictionary([(1, 2)]),
        amf.ArrayCollection([1]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_so_does_all_that_amf0_lacks(value: object) -> None:
    encoded = amf.dumps(value, 0)
    assert encoded == b"\x11" + amf.dumps(value, 3)
    assert amf.loads(encoded, 0) == value


@pytest.mark.fact(21)
def test_unsupported_is_undefined() -> None:
    """Ruffle sends a ByteArray so."""
    assert amf.loads(hexadecimal("0A 00000002 0D 05"), 0) == [Undefined, None]


@pytest.mark.parametrize("marker", ["04", "0E", "09", "12", "FF"])
def test_reserved_and_unknown_markers(marker: str) -> None:
    with pytest.raises(DecodeError, match="marker"):
        amf.loads(hexadecimal(marker), 0)


@pytest.mark.fact(22)
def test_tables_last_for_one_body_not_one_value() -> None:
    shared: dict[str, object] = {}
    assert amf.dumps_many([shared, shared]) == hexadecimal("03 000009 07 0000")
    first, second = amf.loads_many(hexadecimal("03 000009 07 0000"))
    assert first is second


@pytest.mark.fact(22)
def test_each_message_has_tables_of_its_own() -> None:
    refers_to_0 = hexadecimal("0A 00000001 11 0A 00")
    uses_strings = hexadecimal("0A 00000001 11 0A 0B 01 0361 0600 01")
    first, second = parse(
        packet(*[message("a", "/1", b) for b in (uses_strings, refers_to_0)])
    ).messages
    assert first.value == [{"a": "a"}]
    assert "no object has the index 0" in str(second.error)


@pytest.mark.fact(22)
def test_amf3_tables_persist_over_the_switches_of_one_body() -> None:
    shared = {"k": "v"}
    encoded = amf.dumps([shared, amf.XML("x"), amf.XML("x"), b"bytes"], 0)
    assert amf.loads(encoded, 0) == [shared, amf.XML("x"), amf.XML("x"), b"bytes"]
    data = hexadecimal("11 09 03 01 06 03 61  11 09 00  11 06 00")
    first, second, third = amf.loads_many(data)
    assert first == ["a"]
    assert second is first
    assert third == "a"


@pytest.mark.fact(22)
def test_in_rtmp_type_17_they_do_not() -> None:
    data = hexadecimal("11 06 03 61  11 06 00")
    assert amf.loads_many(data) == ["a", "a"]
    with pytest.raises(DecodeError, match="no string has the index 0"):
        amf.loads_many(data, avmplus_tables="fresh")
    shared = {"a": 1}
    encoded = amf.dumps_many(["name", 1, None, True, shared, shared, Undefined], avmplus=True)
    expected = string0("name") + number0(1) + b"\x05\x01\x01"
    expected += hexadecimal("11 0A 0B 01 0361 0401 01") * 2 + b"\x06"
    assert encoded == expected
    for tables in ("fresh", "shared"):
        values = amf.loads_many(encoded, avmplus_tables=tables)  # type: ignore[arg-type]
        assert values == ["name", 1, None, True, shared, shared, Undefined]


def test_integral_numbers_come_as_int() -> None:
    decoded = amf.loads_many(number0(3.0) + number0(2.0**53) + number0(2.5) + number0(1e300))
    assert decoded == [3, 2**53, 2.5, 1e300]
    assert [type(value) for value in decoded] == [int, int, float, float]
