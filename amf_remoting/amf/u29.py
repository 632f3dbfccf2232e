"""The small unsigned integers of AMF3, ready to be written (§1.3.1)."""

from typing import Final


def u29_bytes(number: int) -> bytes:
    """A 29-bit unsigned integer in one to four bytes; the fourth carries eight bits."""
    if number < 0x80:
        return bytes((number,))
    if number < 0x4000:
        return bytes((number >> 7 | 0x80, number & 0x7F))
    if number < 0x200000:
        return bytes((number >> 14 | 0x80, number >> 7 & 0x7F | 0x80, number & 0x7F))
    high = (number >> 22 | 0x80, number >> 15 & 0x7F | 0x80, number >> 8 & 0x7F | 0x80)
    return bytes((*high, number & 0xFF))


SMALL_U29: Final = [u29_bytes(number) for number in range(0x4000)]
"""Most lengths, counts and references."""
