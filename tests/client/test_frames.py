"""WebSocket frames of the client: what it writes, what it reads, what it refuses."""

from __future__ import annotations

import pytest

from rtmp_channels.client import ConnectFailed
from rtmp_channels.client.frames import FrameReader, Opcode, encode


def unmask(frame: bytes, size: int) -> bytes:
    """The payload behind `size` bytes of header and the mask (RFC 6455 §5.3)."""
    mask, masked = frame[size : size + 4], frame[size + 4 :]
    return bytes(byte ^ mask[at % 4] for at, byte in enumerate(masked))


@pytest.mark.parametrize(
    ("length", "head"),
    [
        (0, b"\x82\x80"),
        (1, b"\x82\x81"),
        (125, b"\x82\xfd"),
        (126, b"\x82\xfe\0\x7e"),
        (65_535, b"\x82\xfe\xff\xff"),
        (65_536, b"\x82\xff\0\0\0\0\0\1\0\0"),
    ],
)
def test_frames_are_final_and_masked(length, head):
    payload = bytes(at % 251 for at in range(length))
    frame = encode(Opcode.BINARY, payload)
    assert frame.startswith(head)
    assert unmask(frame, len(head)) == payload
    assert encode(Opcode.PING, b"12345678") != encode(Opcode.PING, b"12345678"), "masks differ"


SENT = (
    b"\x02\x03abc"  # not final
    b"\x89\x04ping"  # between the fragments
    b"\x80\x02de"
    b"\x82\x00"
    b"\x82\x7e\x01\x00" + b"f" * 256 + b"\x82\x7f" + (65_536).to_bytes(8, "big") + b"g" * 65_536
) + b"\x88\x02\x03\xe8"


@pytest.mark.parametrize("size", [1, 3, 7, 100_000])
def test_whatever_way_it_is_cut(size):
    reader, data, control = FrameReader(), b"", []
    for at in range(0, len(SENT), size):
        for opcode, payload in reader.receive(SENT[at : at + size]):
            if opcode is Opcode.BINARY:
                data += payload
            else:
                control.append((opcode, payload))
    assert data == b"abcde" + b"f" * 256 + b"g" * 65_536
    assert control == [(Opcode.PING, b"ping"), (Opcode.CLOSE, b"\x03\xe8")]


@pytest.mark.parametrize(
    "frame",
    [b"\x81\x01a", b"\x82\x81maska", b"\xc2\x01a", b"\x83\x01a", b"\x89\x7e\x00\x7e"],
    ids=["text", "masked", "compressed", "unknown", "long ping"],
)
def test_what_no_server_of_ours_sends(frame):
    with pytest.raises(ConnectFailed, match="WebSocket frame"):
        list(FrameReader().receive(frame))
