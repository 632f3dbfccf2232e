"""Decoder and Encoder, value by value."""

import pytest

from amf_remoting import amf
from amf_remoting.amf import DecodeError, Decoder, EncodeError, Encoder, vectors
from amf_remoting.amf.stand_ins import read_f64_be
from amf_remoting.amf.u29 import u29_bytes

from .bytes_of import double, hexadecimal

VERSIONS = pytest.mark.parametrize("version", [0, 3])


@VERSIONS
def test_values_share_tables_until_reset(version: int) -> None:
    shared = [1]
    encoder = Encoder(version)
    encoder.encode(shared)
    encoder.encode(shared)
    reference = len(encoder.getvalue())
    encoder.reset()
    encoder.encode(shared)
    data = encoder.getvalue()
    decoder = Decoder(data, version)
    first = decoder.decode()
    assert decoder.decode() is first
    assert decoder.position == reference
    decoder.reset()
    assert decoder.decode() == [1]
    assert decoder.at_end


def test_position_can_be_set() -> None:
    decoder = Decoder(hexadecimal("FF 01 03"), 3, position=1)
    assert decoder.decode() is None
    assert decoder.decode() is True
    decoder.position = 1
    assert decoder.decode() is None
    assert Decoder(bytearray(b"\x01"), 3).decode() is None
    assert Decoder(memoryview(b"\x05")).decode() is None


def test_going_back_reads_the_same_text() -> None:
    decoder = Decoder(hexadecimal("02 0001 61 02 0001 62") + b"\x02\x20\x00" + b"x" * 8192)
    assert [decoder.decode(), decoder.decode(), len(decoder.decode())] == ["a", "b", 8192]
    decoder.position = 0
    assert decoder.decode() == "a"


def test_avmplus() -> None:
    encoder = Encoder(0)
    encoder.encode(1.5)
    encoder.encode_avmplus([1])
    assert encoder.getvalue() == hexadecimal("00 3FF8000000000000 11 09 03 01 04 01")
    decoder = Decoder(encoder.getvalue())
    decoder.decode()
    assert not decoder.avmplus_seen
    decoder.decode()
    assert decoder.avmplus_seen
    decoder.reset()
    assert not decoder.avmplus_seen


def test_in_amf3_nothing_is_switched() -> None:
    encoder = Encoder(3)
    encoder.write_avmplus_in_full()
    encoder.encode_avmplus([1])
    assert encoder.getvalue() == hexadecimal("09 03 01 04 01")
    decoder = Decoder(encoder.getvalue(), 3)
    decoder.use_fresh_avmplus_tables()
    assert decoder.decode_arguments() == [1]
    assert not decoder.avmplus_seen


def test_arguments_that_end_too_early() -> None:
    with pytest.raises(DecodeError, match="ends inside"):
        Decoder(hexadecimal("0A 00000001 02")).decode_arguments()
    with pytest.raises(DecodeError, match="ends inside"):
        Decoder(b"").decode_arguments()


def test_in_full_means_no_references() -> None:
    shared = ["a", {"k": "a"}]
    encoded = amf.dumps_many([[0], [shared, shared]], avmplus=True)
    assert encoded.count(b"\x03k\x06\x03a") == 2
    assert amf.loads_many(encoded, avmplus_tables="fresh") == [[0], [shared, shared]]
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(EncodeError, match="nested deeper"):
        amf.dumps_many([[0], loop], avmplus=True)
    typed = amf.TypedObject("A", {"x": 1})
    encoded = amf.dumps_many([[0], [typed, typed]], avmplus=True)
    assert encoded.count(b"\x13\x03A\x03x") == 2


@VERSIONS
def test_more_levels_than_pythons_stack(version: int) -> None:
    """Interpreted code meets Python's own limit first; either way it is an AMFError."""
    limits = amf.Limits(depth=1000)
    level = hexadecimal("09 03 01" if version == 3 else "0A 00000001")
    with pytest.raises(DecodeError):
        amf.loads(level * 5000, version, limits=limits)
    with pytest.raises(DecodeError):
        Decoder(hexadecimal("0A 00000001") * 5000, limits=limits).decode_arguments()
    value: object = None
    for _ in range(2000):
        value = [amf.ArrayCollection([value])]
    with pytest.raises(EncodeError):
        amf.dumps(value, version, limits=limits)
    encoder = Encoder(0, limits=limits)
    with pytest.raises(EncodeError):
        encoder.encode_avmplus(value)


@pytest.mark.parametrize("number", [0, 0x7F, 0x80, 0x3FFF, 0x4000, 0x1FFFFF, 0x200000, 0x1FFFFFFF])
def test_u29_bytes(number: int) -> None:
    signed = number - 0x20000000 if number >= 0x10000000 else number
    assert b"\x04" + u29_bytes(number) == amf.dumps(signed)


def test_many_strings_and_large_counts() -> None:
    texts = [f"text {number}" for number in range(20_000)]
    assert amf.loads(amf.dumps(texts + texts)) == texts + texts


def test_a_count_has_28_bits() -> None:
    endless = amf.Dictionary()
    endless._entries = _Endless()
    with pytest.raises(EncodeError, match="AMF3 counts to 268435455"):
        amf.dumps(endless)


class _Endless(dict[object, tuple[object, object]]):
    def __len__(self) -> int:
        return 2**28


def test_doubles_that_end_too_early() -> None:
    assert read_f64_be(double(1.5), 0) == 1.5
    with pytest.raises(IndexError):
        read_f64_be(double(1.5), 1)


def test_vectors_on_the_other_kind_of_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    native = amf.IntVector([1]).items.tobytes()
    monkeypatch.setattr(vectors.sys, "byteorder", "big")
    vector = amf.IntVector.parse(native, fixed=True)
    assert (list(vector), vector.serialize()) == ([1], native)


@VERSIONS
@pytest.mark.parametrize(
    "value",
    [amf.IntVector([1]), amf.ObjectVector([1]), amf.MixedArray([1], {"a": 1}), b"bytes"],
    ids=lambda value: type(value).__name__,
)
def test_the_same_object_twice_is_one_object(value: object, version: int) -> None:
    first, second = amf.loads(amf.dumps([value, value], version), version)
    assert first == value
    assert second is first
