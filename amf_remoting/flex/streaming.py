"""The body of Flex's streaming channel: chunks inside a response that stays open."""

from typing import Any, Final

from amf_remoting import amf
from amf_remoting.amf import DecodeError, Limits

KEEP_ALIVE: Final = b"\0"
"""Sent now and then so that nobody in between closes the connection."""
_LENGTH_DIGITS = 8


def chunk(message: object, *, limits: Limits | None = None) -> bytes:
    """One message in AMF3: its length in hexadecimal, CRLF, the value, CRLF."""
    body = amf.dumps(message, 3, limits=limits)
    return b"%X\r\n%b\r\n" % (len(body), body)


class StreamReader:
    """The other direction: bytes as they arrive to messages."""

    def __init__(self, *, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._buffer = bytearray()

    def receive_data(self, data: bytes) -> list[Any]:
        """The messages that are complete now. Raises DecodeError; then the stream is lost."""
        self._buffer += data
        messages = []
        while (body := self._next_body()) is not None:
            messages.append(amf.loads(body, 3, limits=self._limits))
        return messages

    def _next_body(self) -> bytes | None:
        while self._buffer.startswith(KEEP_ALIVE):
            del self._buffer[:1]
        head, separator, _ = self._buffer[: _LENGTH_DIGITS + 2].partition(b"\r\n")
        if not separator:
            if len(head) > _LENGTH_DIGITS:
                raise DecodeError("a chunk begins with its length in hexadecimal")
            return None
        length = self._length(bytes(head))
        start = len(head) + 2
        if len(self._buffer) < start + length + 2:
            return None
        body = bytes(self._buffer[start : start + length])
        if self._buffer[start + length : start + length + 2] != b"\r\n":
            raise DecodeError("a chunk ends with CRLF")
        del self._buffer[: start + length + 2]
        return body

    def _length(self, head: bytes) -> int:
        try:
            length = int(head, 16)
        except ValueError:
            raise DecodeError("a chunk begins with its length in hexadecimal") from None
        if not 0 <= length <= self._limits.input_bytes:
            raise DecodeError(f"a chunk of {length} bytes")
        return length
