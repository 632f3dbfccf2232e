"""Writes a conversation as a capture file: two TCP directions, no network, for tshark to judge."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

CLIENT_PORT, SERVER_PORT = 40_000, 1935
_SYN, _ACK, _PUSH = 0x02, 0x10, 0x08
_SEGMENT = 32_000
_RAW_IP = 101  # the capture's link type


@dataclass
class Conversation:
    """Segments of one TCP connection, in the order they were added."""

    _packets: list[bytes] = field(default_factory=list)
    _sequences: dict[bool, int] = field(default_factory=lambda: {True: 1000, False: 2000})

    def __post_init__(self) -> None:
        self._add(b"", up=True, flags=_SYN)
        self._add(b"", up=False, flags=_SYN | _ACK)
        self._add(b"", up=True, flags=_ACK)

    def add(self, data: bytes, *, up: bool) -> None:
        """What one side wrote; `up` is from the client."""
        for at in range(0, len(data), _SEGMENT):
            self._add(data[at : at + _SEGMENT], up=up, flags=_ACK | _PUSH)

    def write(self, path: Path) -> None:
        records = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, _RAW_IP)]
        for number, packet in enumerate(self._packets):
            records += (struct.pack("<IIII", 0, number, len(packet), len(packet)), packet)
        path.write_bytes(b"".join(records))

    def _add(self, data: bytes, *, up: bool, flags: int) -> None:
        ports = (CLIENT_PORT, SERVER_PORT) if up else (SERVER_PORT, CLIENT_PORT)
        sequence, acknowledged = self._sequences[up], self._sequences[not up]
        acknowledged = acknowledged if flags & _ACK else 0
        tcp = struct.pack(">HHIIBBHHH", *ports, sequence, acknowledged, 0x50, flags, 65_535, 0, 0)
        addresses = (b"\x0a\0\0\x01", b"\x0a\0\0\x02")[:: 1 if up else -1]
        size = 20 + len(tcp) + len(data)
        ip = struct.pack(">BBHHHBBH", 0x45, 0, size, 0, 0, 64, 6, 0) + b"".join(addresses)
        self._packets.append(ip + tcp + data)
        self._sequences[up] += len(data) + bool(flags & _SYN)
