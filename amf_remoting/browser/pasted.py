"""Bytes that somebody pasted as text, or uploaded."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from .formats import MAX_BYTES

_BETWEEN = re.compile(r"\s|[,:;]|\\x|\b0x")
_HEXADECIMAL = re.compile(r"(?:[0-9a-fA-F]{2})+")
_DUMP = re.compile(
    r"^[0-9a-f]{4,8}:? {1,2}((?:[0-9a-f]{2,4} {1,2})*[0-9a-f]{2,4})(?: {2,}.*)?$", re.I
)
"""A line of a hex dump: offset, bytes, letters."""


class NoBytes(Exception):
    """Neither hexadecimal nor Base64, or too much; the text is for the one who pasted."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """Bytes, and how many there were."""

    data: bytes
    size: int

    @property
    def is_cut(self) -> bool:
        """Whether there is more than is looked at."""
        return self.size > len(self.data)


def beginning_of(upload: Any) -> Beginning:
    """As much of an uploaded file as is looked at."""
    return Beginning(bytes(upload.read(MAX_BYTES)), upload.size)


def bytes_of(text: str, upload: Any = None) -> bytes:
    """The bytes of an uploaded file, else of hexadecimal, of a hex dump or of Base64."""
    if upload is not None:
        found = beginning_of(upload)
        if found.is_cut:
            raise NoBytes(f"{MAX_BYTES} bytes at most, the file has {found.size}")
        return found.data
    if len(text) > 4 * MAX_BYTES:
        raise NoBytes(f"{MAX_BYTES} bytes at most")
    data = _decoded(text)
    if not data:
        raise NoBytes("Paste the bytes in hexadecimal or Base64, or choose a file.")
    if len(data) > MAX_BYTES:
        raise NoBytes(f"{MAX_BYTES} bytes at most, not {len(data)}")
    return data


def _decoded(text: str) -> bytes:
    lines = [_DUMP.match(line.rstrip()) for line in text.strip().splitlines()]
    dumped = [match[1] for match in lines if match]
    digits = _BETWEEN.sub("", "".join(dumped) if dumped and len(dumped) == len(lines) else text)
    if _HEXADECIMAL.fullmatch(digits):
        return bytes.fromhex(digits)
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        raise NoBytes("This is neither hexadecimal nor Base64.") from None


def page_number(text: str) -> int:
    """A number that somebody sent; 0 for what is none."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else 0
