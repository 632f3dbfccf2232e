"""A position in bytes that moves as they are read; where they end is a DecodeError."""

import struct

from amf_remoting.amf.errors import DecodeError
from amf_remoting.amf.text import repair


class Cursor:
    """For reading that explains itself, where the decoders' speed is not asked for."""

    __slots__ = ("data", "position")

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    @property
    def left(self) -> int:
        """Bytes from here to the end."""
        return len(self.data) - self.position

    def error(self, message: str) -> DecodeError:
        return DecodeError(message, self.position)

    def raw(self, length: int) -> bytes:
        if length > self.left:
            raise self.error(f"{length} bytes expected, {self.left} left")
        start = self.position
        self.position = start + length
        return self.data[start : self.position]

    def next_is(self, byte: int) -> bool:
        """Whether the byte here is this one; the position stays."""
        return self.left > 0 and self.data[self.position] == byte

    def unsigned(self, size: int) -> int:
        """A big-endian integer of so many bytes."""
        return int.from_bytes(self.raw(size), "big")

    def double(self) -> float:
        number: float = struct.unpack(">d", self.raw(8))[0]
        return number

    def text(self, length: int) -> str:
        """UTF-8; what is not is repaired as the decoders do it."""
        data = self.raw(length)
        try:
            return data.decode()
        except UnicodeDecodeError:
            return repair(data)

    def u29(self) -> int:
        """AMF3's integer of one to four bytes; the fourth carries eight bits (§1.3.1)."""
        number = 0
        for _ in range(3):
            byte = self.unsigned(1)
            number = number << 7 | byte & 0x7F
            if byte < 0x80:
                return number
        return number << 8 | self.unsigned(1)
