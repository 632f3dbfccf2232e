"""Reads back what the hub wrote: whole messages, format 0, chunk stream 3."""

from __future__ import annotations

from rtmp_channels.protocol.shared_object import SharedObjectMessage

HEADER = 12


def parse_chunks(data):
    """The shared-object messages in chunked bytes; asserts the header every client can read."""
    position = 0
    while position < len(data):
        header = data[position : position + HEADER]
        assert header[0] == 3, "format 0 on chunk stream 3"
        assert header[1:4] == b"\0\0\0", "time 0"
        assert header[8:12] == b"\0\0\0\0", "message stream 0"
        length = int.from_bytes(header[4:7], "big")
        object_encoding = {19: 0, 16: 3}[header[7]]
        position += HEADER
        payload = b""
        while len(payload) < length:
            take = min(65_536, length - len(payload))
            payload += data[position : position + take]
            position += take
            if len(payload) < length:
                assert data[position] == 0xC3
                position += 1
        yield SharedObjectMessage.parse(payload, object_encoding=object_encoding)
