"""AMF3 as it is on the wire: what the specification leaves out and peers get wrong."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from amf_remoting import amf
from amf_remoting.amf import DecodeError, EncodeError, Policy, TypedObject, Undefined

from .bytes_of import double, hexadecimal


@pytest.mark.fact(1)
@pytest.mark.parametrize(
    ("data", "number"),
    [
        ("04 FFFFFFFF", -1),
        ("04 C0808000", -(2**28)),
        ("04 BFFFFFFF", 2**28 - 1),
        ("04 00", 0),
        ("04 7F", 127),
        ("04 8100", 128),
        ("04 FF7F", 16383),
        ("04 818000", 16384),
        ("04 FFFF7F", 2**21 - 1),
        ("04 80C08000", 2**21),
    ],
)
def test_u29_has_a_sign_for_integer_values(data: str, number: int) -> None:
    assert amf.loads(hexadecimal(data)) == number
    assert amf.dumps(number) == hexadecimal(data)


@pytest.mark.fact(1)
def test_u29_is_unsigned_for_lengths_and_references() -> None:
    text = "x" * (2**21 + 5)
    encoded = amf.dumps([text, text])
    assert amf.loads(encoded) == [text, text]
    with pytest.raises(DecodeError, match="268435455 bytes announced"):
        amf.loads(hexadecimal("06 FFFFFFFF"))


@pytest.mark.fact(2)
def test_the_fourth_byte_carries_8_bits() -> None:
    assert amf.loads(hexadecimal("04 80C08080")) == 2097280
    assert amf.dumps(2097280) == hexadecimal("04 80C08080")


@pytest.mark.fact(2)
@pytest.mark.parametrize("data", ["04 8001", "04 808001", "04 80808001"])
def test_non_minimal_integers_are_accepted(data: str) -> None:
    assert amf.loads(hexadecimal(data)) == 1


@pytest.mark.fact(3)
@pytest.mark.parametrize("number", [2**28, -(2**28) - 1, 2**53, -(2**53)])
def test_outside_29_bits_an_int_is_a_double(number: int) -> None:
    assert amf.dumps(number) == b"\x05" + double(float(number))
    assert amf.loads(amf.dumps(number)) == number


@pytest.mark.fact(3)
@pytest.mark.parametrize("version", [0, 3])
def test_beyond_2_to_the_53_digits_are_never_lost_silently(version: int) -> None:
    number = 2**53 + 1
    with pytest.raises(EncodeError, match="2 \\*\\* 53"):
        amf.dumps(number, version)
    as_text = amf.dumps(number, version, policy=Policy(large_integers="text"))
    assert amf.loads(as_text, version) == "9007199254740993"
    as_number = amf.dumps(number, version, policy=Policy(large_integers="number"))
    assert amf.loads(as_number, version) == 2.0**53
    with pytest.raises(EncodeError, match="range of a double"):
        amf.dumps(10**400, version, policy=Policy(large_integers="number"))


@pytest.mark.fact(3)
def test_nan_and_negative_zero() -> None:
    assert amf.dumps(math.nan) == hexadecimal("05 7FF8000000000000")
    assert math.isnan(amf.loads(hexadecimal("05 7FF8000000000000")))
    assert math.copysign(1, amf.loads(amf.dumps(-0.0))) == -1
    assert math.copysign(1, amf.loads(amf.dumps(-0.0, 0), 0)) == -1


@pytest.mark.fact(4)
def test_the_empty_string_is_never_in_the_table() -> None:
    assert amf.dumps(["", "a", "", "a"]) == hexadecimal("09 09 01 0601 060361 0601 0600")
    assert amf.loads(hexadecimal("09 09 01 0601 060361 0601 0600")) == ["", "a", "", "a"]


@pytest.mark.fact(4)
def test_names_class_names_vector_types_and_values_share_one_string_table() -> None:
    value = [TypedObject("a", {"b": "a"}), amf.ObjectVector([], "b"), {"a": "b"}]
    encoded = amf.dumps(value)
    assert encoded == hexadecimal("09 07 01 0A 13 0361 0362 06 00 10 01 00 02 0A 0B 01 00 06 02 01")
    assert amf.loads(encoded) == value


@pytest.mark.fact(5)
def test_xml_byte_arrays_and_dates_are_in_the_object_table() -> None:
    data = hexadecimal("09 11 01 0B0361 070362 0C0363 0801") + double(0.0)
    data += hexadecimal("0B02 0704 0C06 0808")
    decoded = amf.loads(data)
    assert decoded[:4] == [
        amf.XML("a"),
        amf.XMLDocument("b"),
        b"c",
        datetime(1970, 1, 1, tzinfo=UTC),
    ]
    assert [id(value) for value in decoded[4:]] == [id(value) for value in decoded[:4]]
    assert amf.dumps(decoded) == data


@pytest.mark.fact(5)
def test_their_text_is_not_in_the_string_table() -> None:
    assert amf.dumps([amf.XML("ab"), "ab", "ab"]) == hexadecimal(
        "09 07 01 0B 05 6162 06 05 6162 06 00"
    )


@pytest.mark.fact(6)
def test_an_array_has_names_first() -> None:
    data = hexadecimal("09 05 03 61 04 01 01 04 07 04 08")
    assert amf.loads(data) == amf.MixedArray([7, 8], {"a": 1})
    assert amf.dumps(amf.MixedArray([7, 8], {"a": 1})) == data


@pytest.mark.fact(6)
def test_containers_enter_the_table_before_their_children() -> None:
    array = amf.loads(hexadecimal("09 03 01 09 00"))
    assert array[0] is array
    mixed = amf.loads(hexadecimal("09 03 0361 0900 01 0900"))
    assert mixed.named["a"] is mixed
    assert mixed.dense[0] is mixed
    plain = amf.loads(hexadecimal("0A 0B 01 0361 0A00 01"))
    assert plain["a"] is plain
    dictionary = amf.loads(hexadecimal("11 03 00 0401 1100"))
    assert dictionary[1] is dictionary
    vector = amf.loads(hexadecimal("10 03 00 01 1000"))
    assert vector.items[0] is vector
    typed = amf.loads(hexadecimal("0A 13 0341 0361 0A00"))
    assert typed.values["a"] is typed
    for value in (array, mixed, plain, dictionary, vector, typed):
        assert len(amf.dumps(value)) < 20


@pytest.mark.fact(7)
def test_an_empty_property_name_is_refused() -> None:
    with pytest.raises(EncodeError, match="empty name"):
        amf.dumps({"": 1})
    with pytest.raises(EncodeError, match="empty name"):
        amf.dumps(amf.MixedArray([], {"": 1}))
    dictionary = amf.Dictionary([("", 1)])
    assert amf.loads(amf.dumps(dictionary)) == dictionary


@pytest.mark.fact(8)
def test_traits_dynamic_sealed_and_by_reference() -> None:
    data = hexadecimal("09 0B 01")
    data += hexadecimal("0A 0B 01 01")  # anonymous, dynamic, no members
    data += hexadecimal("0A 23 0341 0361 0362 0401 0402")  # A with two sealed members
    data += hexadecimal("0A 05 0403 0404")  # the same traits again
    data += hexadecimal("0A 01 01")  # traits 0: anonymous
    data += hexadecimal("0A 1B 0342 00 0405 04 0406 01")  # B: sealed "A", dynamic "b"
    decoded = amf.loads(data)
    assert decoded[:4] == [
        {},
        TypedObject("A", {"a": 1, "b": 2}),
        TypedObject("A", {"a": 3, "b": 4}),
        {},
    ]
    assert decoded[4] == TypedObject("B", {"A": 5, "b": 6})
    assert decoded[4].traits.names == ("A",)
    assert amf.dumps(decoded) == data


@pytest.mark.fact(8)
def test_an_even_head_is_an_object_reference_and_01_is_traits_0() -> None:
    decoded = amf.loads(hexadecimal("09 05 01 0A 13 0341 0361 0401 0A 01 0402"))
    assert decoded == [TypedObject("A", {"a": 1}), TypedObject("A", {"a": 2})]
    decoded = amf.loads(hexadecimal("09 05 01 0A 0B 01 01 0A 02"))
    assert decoded[0] is decoded[1]


@pytest.mark.fact(8)
def test_one_class_may_arrive_with_different_sealed_lists() -> None:
    data = hexadecimal("09 0B 01 0A 13 0341 0361 0401 0A 13 00 0362 0402 0A 05 0403 0A 01 0404")
    data += hexadecimal("0A 13 00 0361 0405")
    decoded = amf.loads(data)
    members = [{"a": 1}, {"b": 2}, {"b": 3}, {"a": 4}, {"a": 5}]
    assert [value.values for value in decoded] == members
    again = amf.loads(amf.dumps(decoded))
    assert again == decoded
    # Equal traits that came twice need to be written once only.
    assert len(amf.dumps(decoded)) < len(data)


@pytest.mark.fact(8)
def test_an_anonymous_object_with_sealed_members_is_a_dict() -> None:
    assert amf.loads(hexadecimal("0A 23 01 0361 0362 0401 0402")) == {"a": 1, "b": 2}


@pytest.fixture
def pair():
    @amf.alias("test.Pair", externalizable=True)
    @dataclass(slots=True)
    class Pair:
        first: object = None
        second: object = None

        def read_external(self, source: amf.DataInput) -> None:
            self.first = source.read_object()
            self.second = source.read_object()

        def write_external(self, output: amf.DataOutput) -> None:
            output.write_object(self.first)
            output.write_object(self.second)

    yield Pair
    amf.registry.discard("test.Pair")


@pytest.mark.fact(9)
def test_externalizable_bodies_share_the_tables(pair) -> None:
    shared = {"k": "text"}
    value = [shared, pair(shared, "text"), pair(1, 2)]
    encoded = amf.dumps(value)
    decoded = amf.loads(encoded)
    assert decoded == value
    assert decoded[1].first is decoded[0]
    assert encoded.count(b"text") == 1
    assert encoded.count(b"test.Pair") == 1


@pytest.mark.fact(9)
def test_externalizables_reserve_their_index_before_their_body(pair) -> None:
    loop = pair()
    loop.first, loop.second = loop, []
    decoded = amf.loads(amf.dumps(loop))
    assert decoded.first is decoded
    # Index 0 is the pair, index 1 its second member.
    assert amf.loads(hexadecimal("09 05 01 0A 07 13 746573742E50616972 0A02 090101 0904"))[1] == []


@pytest.mark.fact(10)
def test_a_dictionary_has_keys_of_any_type() -> None:
    key = {"k": 1}
    dictionary = amf.Dictionary([(key, "object"), (1, "int"), ("1", "text"), (True, "bool")])
    encoded = amf.dumps([dictionary, key])
    assert encoded[3:6] == hexadecimal("11 09 00")
    decoded, same_key = amf.loads(encoded)
    assert decoded[same_key] == "object"
    assert [decoded[1], decoded["1"], decoded[True]] == ["int", "text", "bool"]
    assert len(decoded) == 4


@pytest.mark.fact(10)
def test_a_dictionary_is_in_the_object_table() -> None:
    dictionary = amf.Dictionary(weak=True)
    assert amf.dumps([dictionary, dictionary]) == hexadecimal("09 05 01 11 01 01 11 02")
    first, second = amf.loads(hexadecimal("09 05 01 11 01 01 11 02"))
    assert first is second
    assert first.weak


@pytest.mark.fact(11)
@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("0D 05 00 00000001 FFFFFFFF", amf.IntVector([1, -1])),
        ("0E 03 01 FFFFFFFF", amf.UIntVector([2**32 - 1], fixed=True)),
        ("0F 03 00 3FF8000000000000", amf.DoubleVector([1.5])),
        ("10 07 01 0D 6F72672E41 01 0401 0600".replace("0D 6F72672E41", "0B 6F72672E41"), None),
    ],
)
def test_vectors(data: str, value: object) -> None:
    if value is None:
        value = amf.ObjectVector([None, 1, "org.A"], "org.A", True)
    assert amf.loads(hexadecimal(data)) == value
    assert amf.dumps(value) == hexadecimal(data)


@pytest.mark.fact(11)
@pytest.mark.parametrize("marker", ["0D", "0E", "0F", "10", "09", "11", "0C", "0B", "06", "0A"])
def test_counts_are_checked_against_the_bytes_left(marker: str) -> None:
    head = "FFFFFFFB" if marker == "0A" else "FFFFFFFF"
    with pytest.raises(DecodeError, match="announced"):
        amf.loads(hexadecimal(f"{marker} {head} 01 01"))


@pytest.mark.fact(11)
def test_the_dense_part_must_fit_behind_the_names() -> None:
    with pytest.raises(DecodeError, match="4 items announced, 0 bytes left"):
        amf.loads(hexadecimal("09 09 0361 01 01"))


@pytest.mark.fact(12)
def test_dates_are_rounded_to_milliseconds() -> None:
    moment = datetime(2009, 2, 13, 23, 31, 30, 123_456, tzinfo=UTC)
    data = hexadecimal("08 01") + double(1234567890123.0)
    assert amf.dumps(moment) == data
    assert amf.loads(data) == moment.replace(microsecond=123_000)
    fraction = hexadecimal("08 01") + double(1234567890123.4)
    assert amf.loads(fraction) == moment.replace(microsecond=123_000)


@pytest.mark.fact(12)
def test_dates_by_reference_and_without_a_zone() -> None:
    moment = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    first, second = amf.loads(amf.dumps([moment, moment]))
    assert first is second
    assert amf.dumps(moment.replace(tzinfo=None)) == amf.dumps(moment)
    elsewhere = moment.astimezone(tz=None).astimezone(UTC) + timedelta(0)
    assert amf.dumps(elsewhere) == amf.dumps(moment)


@pytest.mark.fact(12)
@pytest.mark.parametrize("version", [0, 3])
@pytest.mark.parametrize("milliseconds", [math.inf, -math.inf, 1e18, -1e18])
def test_dates_python_cannot_hold(milliseconds: float, version: int) -> None:
    date = amf.Date(milliseconds)
    assert amf.loads(amf.dumps(date, version), version) == date


@pytest.mark.fact(12)
@pytest.mark.parametrize("version", [0, 3])
def test_an_invalid_date_is_nan(version: int) -> None:
    decoded = amf.loads(amf.dumps(amf.Date(math.nan), version), version)
    assert math.isnan(decoded.milliseconds)


@pytest.mark.fact(13)
def test_undefined_and_null_differ() -> None:
    assert amf.dumps([Undefined, None]) == hexadecimal("09 05 01 00 01")
    first, second = amf.loads(hexadecimal("09 05 01 00 01"))
    assert first is Undefined
    assert second is None
    assert not Undefined


@pytest.mark.fact(14)
def test_a_byte_array_is_opaque() -> None:
    deflated = hexadecimal("789C4B04000062 0062")
    encoded = amf.dumps(deflated)
    assert encoded == b"\x0c" + bytes((len(deflated) * 2 + 1,)) + deflated
    assert amf.loads(encoded) == deflated


@pytest.mark.fact(14)
@pytest.mark.parametrize("data", [b"abc", bytearray(b"abc"), memoryview(b"abc")])
def test_bytes_are_a_byte_array_never_a_string(data: object) -> None:
    assert amf.dumps(data) == hexadecimal("0C 07 616263")


@pytest.mark.fact(15)
@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("EDA0BDEDB880", "\U0001f600"),
        ("61 EDA0BD 62", "a\ufffdb"),
        ("5A6FEB", "Zoë"),
        ("FF", "ÿ"),
    ],
    ids=["CESU-8", "lone surrogate", "latin-1", "a byte"],
)
def test_bad_strings_do_not_lose_the_batch(data: str, text: str) -> None:
    raw = hexadecimal(data)
    encoded = b"\x09\x05\x01\x06" + bytes((len(raw) * 2 + 1,)) + raw + b"\x06\x03\x7a"
    assert amf.loads(encoded) == [text, "z"]
    in_amf0 = b"\x02" + len(raw).to_bytes(2, "big") + raw
    assert amf.loads(in_amf0, 0) == text
    for version, bad in ((3, encoded), (0, in_amf0)):
        with pytest.raises(DecodeError, match="UTF-8"):
            amf.loads(bad, version, policy=Policy(strings="strict"))


@pytest.mark.fact(15)
@pytest.mark.parametrize("version", [0, 3])
def test_surrogates_go_out_as_valid_utf8(version: int) -> None:
    assert amf.loads(amf.dumps("a\ud83d\ude00b\ud83d", version), version) == "a\U0001f600b\ufffd"
    name = {"\ud83d": amf.XMLDocument("\ud83d")}
    assert amf.loads(amf.dumps(name, version), version) == {"\ufffd": amf.XMLDocument("\ufffd")}
