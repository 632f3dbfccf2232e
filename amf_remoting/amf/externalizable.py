"""Classes that write their own body (AMF 3 §3.12, flash.utils.IExternalizable).

The bodies of Flex's own classes are made of bytes and AMF3 values; `DataInput` and `DataOutput`
offer those, with the names of flash.utils.IDataInput and IDataOutput.
"""

from __future__ import annotations

from typing import Protocol, cast


class Amf3Writer(Protocol):
    """What a DataOutput needs of an AMF3 encoder."""

    def encode(self, value: object) -> None: ...

    def write_raw(self, data: bytes) -> None: ...


class Amf3Reader(Protocol):
    """What a DataInput needs of an AMF3 decoder."""

    def decode(self) -> object: ...

    def read_raw(self, length: int) -> bytes: ...


class DataOutput:
    """Handed to `write_external`; values share the tables of the message around them."""

    __slots__ = ("_writer",)

    def __init__(self, writer: Amf3Writer) -> None:
        self._writer = writer

    def write_object(self, value: object) -> None:
        self._writer.encode(value)

    def write_byte(self, byte: int) -> None:
        self._writer.write_raw(bytes((byte & 0xFF,)))

    def write_bytes(self, data: bytes) -> None:
        self._writer.write_raw(data)

    def write_utf(self, text: str) -> None:
        """A u16 length and UTF-8; at most 65,535 bytes (ValueError)."""
        data = text.encode()
        if len(data) > 0xFFFF:
            raise ValueError(f"write_utf: {len(data)} bytes do not fit in 65535")
        self._writer.write_raw(len(data).to_bytes(2, "big") + data)


class DataInput:
    """Handed to `read_external`; raises DecodeError where the data ends."""

    __slots__ = ("_reader",)

    def __init__(self, reader: Amf3Reader) -> None:
        self._reader = reader

    def read_object(self) -> object:
        return self._reader.decode()

    def read_unsigned_byte(self) -> int:
        return self._reader.read_raw(1)[0]

    def read_bytes(self, length: int) -> bytes:
        return self._reader.read_raw(length)

    def read_utf(self) -> str:
        """A u16 length and UTF-8, with U+FFFD for what is not."""
        length = int.from_bytes(self._reader.read_raw(2), "big")
        return self._reader.read_raw(length).decode("utf-8", "replace")


class Externalizable(Protocol):
    """What `alias(..., externalizable=True)` asks of a class."""

    def read_external(self, source: DataInput) -> None: ...

    def write_external(self, output: DataOutput) -> None: ...


def read_external(instance: object, source: DataInput) -> None:
    cast(Externalizable, instance).read_external(source)


def write_external(instance: object, output: DataOutput) -> None:
    cast(Externalizable, instance).write_external(output)
