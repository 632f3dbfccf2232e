"""What machine code does with bytes eight at a time, against slices of them.

Interpreted, the decoder takes slices: the tests below tell it that it is machine code.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amf_remoting import amf
from amf_remoting.amf import amf0_text, names
from amf_remoting.amf.words import digest, is_ascii, same_bytes

from .bytes_of import utf8
from .strategies import values

NAMES = ["n" * length for length in range(1, 70)] + ["ü" * 20, "id", "if", "name", "nape"]


@pytest.fixture
def _by_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "INTERPRETED", False)
    monkeypatch.setattr(amf0_text, "INTERPRETED", False)


def people(count: int, *, long: int = 5000) -> list[Any]:
    return [
        {
            "id": number,
            "first name": f"user {number}",
            "e-mail": f"user.{number}@example.org",
            "city": ("Berlin", "Köln", "Roma", "", "Llanfairpwllgwyngyllgogerychwyrndrobwll")[
                number % 5
            ],
            "long": "x" * (long if number == 3 else 0),
        }
        for number in range(count)
    ]


@given(st.binary(min_size=1, max_size=40), st.binary(min_size=1, max_size=40))
def test_same_bytes(one: bytes, other: bytes) -> None:
    size = min(len(one), len(other))
    data = one + other + bytes(8)
    assert same_bytes(data, 0, 0, size)
    assert same_bytes(data, 0, len(one), size) is (one[:size] == other[:size])
    assert same_bytes(one + b"!" * 8 + one + b"?" * 8, 0, len(one) + 8, len(one))


@pytest.mark.parametrize("size", range(1, 40))
def test_one_other_byte_is_seen(size: int) -> None:
    for place in range(size):
        data = bytearray(2 * size + 8)
        data[size + place] = 1
        assert not same_bytes(bytes(data), 0, size, size)
        data[size + place] = 0x80
        assert is_ascii(bytes(data), 0, size)
        assert not is_ascii(bytes(data), size, size)


def test_a_whole_word_must_be_there() -> None:
    with pytest.raises(IndexError):
        same_bytes(b"1234567", 0, 0, 1)


@given(st.binary(min_size=1, max_size=40), st.binary(min_size=8, max_size=8))
def test_equal_bytes_have_equal_digests(piece: bytes, behind: bytes) -> None:
    at = len(piece) + 8
    data = piece + b"!" * 8 + piece + behind
    assert digest(data, 0, len(piece)) & 0xFF == digest(data, at, len(piece)) & 0xFF
    assert is_ascii(data, 0, len(piece)) is piece.isascii()


@pytest.mark.usefixtures("_by_words")
def test_texts_and_names_that_repeat() -> None:
    for value in (people(300), [dict.fromkeys(NAMES, "v")] * 2, [NAMES, NAMES], people(2)):
        data = amf.dumps(value, 0)
        assert amf.loads(data, 0) == value


@pytest.mark.usefixtures("_by_words")
@given(values)
def test_any_value(value: Any) -> None:
    assert amf.loads(amf.dumps([value, {"v": value}], 0), 0) == [value, {"v": value}]


@pytest.mark.usefixtures("_by_words")
def test_the_end_may_come_anywhere() -> None:
    data = amf.dumps(people(4, long=70), 0)
    for end in range(len(data)):
        with pytest.raises(amf.DecodeError):
            amf.loads(data[:end], 0)


@pytest.mark.usefixtures("_by_words")
def test_names_that_were_read_before_are_no_guess_in_a_second_pass() -> None:
    """The arguments refer to themselves at their end, so that all is read again."""
    members = utf8("a") + b"\x05" + utf8("bb") + b"\x05\0\0\x09"
    data = b"\x0a\0\0\0\x03" + (b"\x03" + members) * 2 + b"\x07\0\0"
    decoded = amf.Decoder(data).decode_arguments()
    assert decoded == [{"a": None, "bb": None}] * 2 + [{"a": None, "bb": None}]
    assert decoded[0] is decoded[2]


@pytest.mark.usefixtures("_by_words")
def test_text_that_is_not_utf8() -> None:
    data = b"\x0a\0\0\0\x03" + (b"\x02" + b"\0\x03\xffab") * 3
    padding = b"\x02" + b"\x05\0" + b"x" * 0x500
    for more, values_ in ((b"", []), (padding, ["x" * 0x500])):
        count = (3 + len(values_)).to_bytes(4, "big")
        decoded = amf.loads(b"\x0a" + count + data[5:] + more, 0)
        assert decoded == ["ÿab"] * 3 + values_
