"""Builds chunks by hand, in every format, so that the tests do not trust our own writer."""

from __future__ import annotations

import struct


def basic_header(chunk_format: int, chunk_stream_id: int) -> bytes:
    """1, 2 or 3 bytes, by the size of the id (RTMP 1.0 §5.3.1.1)."""
    top = chunk_format << 6
    if chunk_stream_id < 64:
        return bytes([top | chunk_stream_id])
    if chunk_stream_id < 320:
        return bytes([top, chunk_stream_id - 64])
    return bytes([top | 1]) + struct.pack("<H", chunk_stream_id - 64)


def chunk(  # one keyword per header field
    chunk_format: int,
    chunk_stream_id: int,
    payload: bytes = b"",
    *,
    time: int = 0,
    length: int | None = None,
    type: int = 9,
    stream: int = 1,
) -> bytes:
    """One chunk; `time` is absolute in format 0 and a delta in 1 and 2."""
    length = len(payload) if length is None else length
    header = basic_header(chunk_format, chunk_stream_id)
    if chunk_format < 3:
        header += min(time, 0xFFFFFF).to_bytes(3, "big")
    if chunk_format < 2:
        header += length.to_bytes(3, "big") + bytes([type])
    if chunk_format == 0:
        header += stream.to_bytes(4, "little")
    if chunk_format < 3 and time >= 0xFFFFFF:
        header += time.to_bytes(4, "big")
    return header + payload


def message(
    payload: bytes, *, type: int, stream: int = 0, time: int = 0, chunk_size: int = 128
) -> bytes:
    """A whole message on chunk stream 3 (2 for types up to 6), cut at `chunk_size`."""
    chunk_stream_id = 2 if type <= 6 else 3
    pieces = [payload[at : at + chunk_size] for at in range(0, len(payload), chunk_size)] or [b""]
    first, *others = pieces
    data = chunk(
        0, chunk_stream_id, first, time=time, length=len(payload), type=type, stream=stream
    )
    extended = time.to_bytes(4, "big") if time >= 0xFFFFFF else b""
    for piece in others:
        data += basic_header(3, chunk_stream_id) + extended + piece
    return data


def u32(*values: int) -> bytes:
    """Big-endian 32-bit numbers: the bodies of control messages."""
    return struct.pack(f">{len(values)}I", *values)
