"""What compiled code takes from librt, in plain Python (same names, same meaning)."""

from struct import Struct

_DOUBLE = Struct(">d")
_pack_double = _DOUBLE.pack
_unpack_double = _DOUBLE.unpack_from

i64 = int


class BytesWriter(bytearray):
    """A growing buffer; `append` is bytearray's own."""

    __slots__ = ()

    write = bytearray.extend

    def getvalue(self) -> bytes:
        return bytes(self)

    def truncate(self, size: int) -> None:
        del self[size:]


def write_f64_be(writer: BytesWriter, number: float) -> None:
    writer += _pack_double(number)


def read_f64_be(data: bytes, index: int) -> float:
    """Raises IndexError like its compiled counterpart."""
    if index + 8 > len(data):
        raise IndexError("index out of range")
    number: float = _unpack_double(data, index)[0]
    return number


def read_i64_be(data: bytes, index: int) -> int:
    """Raises IndexError like its compiled counterpart."""
    if index + 8 > len(data):
        raise IndexError("index out of range")
    return int.from_bytes(data[index : index + 8], "big", signed=True)
