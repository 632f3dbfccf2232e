"""Tag bodies by hand, as encoders write them."""

from __future__ import annotations

from rtmp_channels.media.packet import Packet
from rtmp_channels.protocol.constants import MessageType

AVC_HEADER = b"\x17\x00\x00\x00\x00avcC"
AAC_HEADER = b"\xaf\x00\x12\x10"
HEVC_HEADER = b"\x90hvc1hvcC"


def video(time: int = 0, payload: bytes = b"") -> Packet:
    """A packet with this body."""
    return Packet(MessageType.VIDEO, time, payload)


def key(time: int = 0, size: int = 0) -> Packet:
    return video(time, b"\x17\x01\x00\x00\x00" + b"K" * size)


def inter(time: int = 0, size: int = 0) -> Packet:
    return video(time, b"\x27\x01\x00\x00\x00" + b"i" * size)


def audio(time: int = 0, size: int = 0) -> Packet:
    return Packet(MessageType.AUDIO, time, b"\xaf\x01" + b"a" * size)


def data(time: int = 0, payload: bytes = b"\x02\x00\x0aonMetaData") -> Packet:
    return Packet(MessageType.DATA_AMF0, time, payload)


def avc_header(time: int = 0, configuration: bytes = b"") -> Packet:
    return video(time, AVC_HEADER + configuration)


def aac_header(time: int = 0) -> Packet:
    return Packet(MessageType.AUDIO, time, AAC_HEADER)
