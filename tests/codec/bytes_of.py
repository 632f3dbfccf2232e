"""Writing bytes in tests: hexadecimal with spaces, and AMF's own pieces."""

import struct


def hexadecimal(text: str) -> bytes:
    return bytes.fromhex(text)


def double(number: float) -> bytes:
    return struct.pack(">d", number)


def utf8(text: str) -> bytes:
    """A u16 length and UTF-8: names and short strings of AMF0."""
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def string0(text: str) -> bytes:
    return b"\x02" + utf8(text)


def number0(number: float) -> bytes:
    return b"\x00" + double(number)


def message(target: str, response: str, body: bytes, length: int | None = None) -> bytes:
    """A message of a packet; its length field is right unless another is given."""
    size = len(body) if length is None else length
    return utf8(target) + utf8(response) + size.to_bytes(4, "big") + body


def packet(*messages: bytes, version: int = 0) -> bytes:
    head = version.to_bytes(2, "big") + b"\0\0" + len(messages).to_bytes(2, "big")
    return head + b"".join(messages)
