"""WebSocket frames as a client writes and reads them (RFC 6455 §5)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from enum import IntEnum

from rtmp_channels.client.errors import ConnectFailed

_FINAL, _MASKED = 0x80, 0x80
_TWO_BYTES, _EIGHT_BYTES = 126, 127


class Opcode(IntEnum):
    """What a frame is (§5.2)."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


def encode(opcode: Opcode, payload: bytes) -> bytes:
    """One final frame, masked as a client must."""
    length = len(payload)
    if length < _TWO_BYTES:
        size = bytes((_MASKED | length,))
    elif length < 65_536:
        size = bytes((_MASKED | _TWO_BYTES,)) + length.to_bytes(2, "big")
    else:
        size = bytes((_MASKED | _EIGHT_BYTES,)) + length.to_bytes(8, "big")
    mask = os.urandom(4)
    pattern = (mask * (length // 4 + 1))[:length]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")
    return bytes((_FINAL | opcode,)) + size + mask + masked.to_bytes(length, "big")


class FrameReader:
    """Takes what a server writes; hands out data as it comes, control frames when complete."""

    def __init__(self) -> None:
        self._unread = bytearray()
        self._left = 0
        """Bytes of the data frame at hand that have not come yet."""

    def receive(self, data: bytes) -> Iterator[tuple[Opcode, bytes]]:
        """(BINARY, a piece), or a control frame. Raises ConnectFailed for what is no such frame."""
        self._unread += data
        while self._unread:
            if self._left:
                piece = bytes(self._unread[: self._left])
                del self._unread[: len(piece)]
                self._left -= len(piece)
                yield Opcode.BINARY, piece
                continue
            head = self._head()
            if head is None:
                return
            opcode, size, length = head
            if opcode in {Opcode.BINARY, Opcode.CONTINUATION}:
                del self._unread[:size]
                self._left = length
                continue
            if len(self._unread) < size + length:
                return
            payload = bytes(self._unread[size : size + length])
            del self._unread[: size + length]
            yield opcode, payload

    def _head(self) -> tuple[Opcode, int, int] | None:
        """(opcode, bytes of the header, bytes of the payload) of the next frame, once all came."""
        if len(self._unread) < 2:
            return None
        first, length = self._unread[:2]
        try:
            opcode = Opcode(
                first & 0x7F
            )  # reserved bits belong to extensions, which we ask not for
        except ValueError:
            raise ConnectFailed({"description": f"WebSocket frame {first:#x}"}) from None
        if opcode is Opcode.TEXT or length & _MASKED or (opcode >= Opcode.CLOSE and length > 125):
            raise ConnectFailed({"description": f"WebSocket frame {first:#x}, {length:#x}"})
        wide = {_TWO_BYTES: 2, _EIGHT_BYTES: 8}.get(length, 0)
        if len(self._unread) < 2 + wide:
            return None
        if wide:
            length = int.from_bytes(self._unread[2 : 2 + wide], "big")
        return opcode, 2 + wide, length
