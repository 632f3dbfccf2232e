"""Bytes compared where they stand, eight at a time: a slice of them would be an object of its own.

Machine code only: interpreted, a slice is the quickest there is.
"""

from typing import Final

from amf_remoting.amf.native import i64, read_i64_be

WORD: Final = 8
"""Bytes in a machine integer."""
HIGH_BITS: Final = 0x0080808080808080
"""Of all bytes of a word but the first, whose high bit is the word's sign."""
SPREAD: Final = 0x1E3779B97F4A7C15
"""Any large odd number: multiplying by it lets every bit count."""
INTERPRETED: Final = __file__.endswith(".py")
"""Whether this module runs as it stands."""


def same_bytes(data: bytes, one: i64, other: i64, size: i64) -> bool:
    """Whether `size` bytes, one or more, are the same at two places.

    A whole word must be there to read at both, even if `size` is less.
    """
    last = size - WORD
    if last < 0:
        return (read_i64_be(data, one) ^ read_i64_be(data, other)) >> -8 * last == 0
    offset: i64 = 0
    while offset < last:
        if read_i64_be(data, one + offset) != read_i64_be(data, other + offset):
            return False
        offset += WORD
    return read_i64_be(data, one + last) == read_i64_be(data, other + last)


def is_ascii(data: bytes, position: i64, size: i64) -> bool:
    """Whether no byte has its high bit set; with whole words and `size` as in `same_bytes`."""
    last = size - WORD
    if last < 0:
        high = read_i64_be(data, position) >> -8 * last
        return high >= 0 and high & HIGH_BITS == 0
    high = read_i64_be(data, position + last)
    offset: i64 = 0
    while offset < last:
        high |= read_i64_be(data, position + offset)
        offset += WORD
    return high >= 0 and high & HIGH_BITS == 0


def digest(data: bytes, position: i64, size: i64) -> i64:
    """A number whose low bits equal bytes share and others rarely; else as in `same_bytes`."""
    last = size - WORD
    if last < 0:
        mixed = read_i64_be(data, position) >> -8 * last
    else:
        mixed = read_i64_be(data, position) * SPREAD ^ read_i64_be(data, position + last)
    return mixed * SPREAD >> 40
