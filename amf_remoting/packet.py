"""The AMF packet: what one HTTP request or response carries (AMF 0 §4)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from amf_remoting.amf import AMFError, DecodeError, Decoder, EncodeError, Encoder, Limits, Policy

CONTENT_TYPE: Final = "application/x-amf"
VERSIONS: Final = (0, 1, 3)
"""AMF0, Flash Media Server, AMF3."""
UNKNOWN_LENGTH: Final = 0xFFFFFFFF

_REPLY = re.compile(r"/on(Result|Status|DebugEvents)$")


@dataclass(slots=True)
class Header:
    """A context header: it belongs to the whole packet (§4.1)."""

    name: str
    must_understand: bool = False
    """Refuse the packet if you do not know it."""
    value: Any = None


@dataclass(slots=True)
class Message:
    """A call, or the answer to one (§4.2)."""

    target_uri: str
    """"service.method" in a call, "/1/onResult" or "/1/onStatus" in an answer."""
    response_uri: str = "null"
    """Where the answer shall go ("/1"); "null" or "" if none is wanted. They may repeat."""
    value: Any = None
    encoding: Literal[0, 3] = field(default=0, kw_only=True)
    """3 if the value is, or contains, AMF3 behind 0x11."""
    error: AMFError | None = field(default=None, kw_only=True)
    """Set if the value could not be decoded; then it is None."""


@dataclass(slots=True)
class Packet:
    version: int = 0
    headers: list[Header] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)

    def serialize(self, *, limits: Limits | None = None, policy: Policy | None = None) -> bytes:
        """The whole packet. Raises EncodeError; each header and message has its own tables."""
        parts = [_u16(self.version), _u16(len(self.headers))]
        for header in self.headers:
            parts += (_utf8(header.name), bytes((header.must_understand,)))
            parts.append(_with_length(_encode(header.value, 0, limits, policy)))
        parts.append(_u16(len(self.messages)))
        for message in self.messages:
            parts += (_utf8(message.target_uri), _utf8(message.response_uri))
            parts.append(_with_length(_encode(message.value, message.encoding, limits, policy)))
        return b"".join(parts)


def parse(data: bytes, *, limits: Limits | None = None, policy: Policy | None = None) -> Packet:
    """The packet in `data`; one decode budget for all of it.

    A message that cannot be decoded has its `error` set; the next ones follow if its length field
    was right, else there are none. Raises DecodeError if the packet itself is broken.
    """
    return _PacketReader(Decoder(data, 0, limits=limits, policy=policy)).packet()


class _PacketReader:
    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.data = decoder.data

    def packet(self) -> Packet:
        version = self._unsigned(2)
        if version not in VERSIONS:
            raise DecodeError(f"no AMF packet has version {version}", 0)
        packet = Packet(version)
        for _ in range(self._unsigned(2)):
            packet.headers.append(self._header())
        count = self._unsigned(2)
        for index in range(count):
            message = self._message(is_last=index == count - 1)
            packet.messages.append(message)
            if message.error is not None and self.decoder.position < 0:
                break
        return packet

    def _raw(self, length: int) -> bytes:
        start = self.decoder.position
        if start + length > len(self.data):
            raise DecodeError("the packet ends too early", len(self.data))
        self.decoder.position = start + length
        return self.data[start : start + length]

    def _unsigned(self, size: int) -> int:
        return int.from_bytes(self._raw(size), "big")

    def _utf8(self) -> str:
        return self._raw(self._unsigned(2)).decode("utf-8", "replace")

    def _header(self) -> Header:
        name = self._utf8()
        must_understand = self._raw(1) != b"\0"
        self._unsigned(4)
        self.decoder.reset()
        return Header(name, must_understand, self.decoder.decode())

    def _message(self, *, is_last: bool) -> Message:
        message = Message(self._utf8(), self._utf8())
        length = self._unsigned(4)
        start = self.decoder.position
        self.decoder.reset()
        try:
            if _REPLY.search(message.target_uri):
                message.value = self.decoder.decode()
            else:
                message.value = self.decoder.decode_arguments()
        except DecodeError as error:
            message.error = error
            self.decoder.position = self._after_error(start + length, is_last=is_last)
        message.encoding = 3 if self.decoder.avmplus_seen else 0
        return message

    def _after_error(self, end: int, *, is_last: bool) -> int:
        """Where to go on behind a broken body: `end` if that looks right, else -1."""
        if is_last or end < self.decoder.position:
            return -1
        self.decoder.position = end
        try:
            uris = (self._utf8(), self._utf8())
            self._unsigned(4)
        except DecodeError:
            return -1
        return end if uris[0] and "".join(uris).isprintable() else -1


def _encode(value: object, encoding: int, limits: Limits | None, policy: Policy | None) -> bytes:
    encoder = Encoder(0, limits=limits, policy=policy)
    if encoding == 3:
        encoder.encode_avmplus(value)
    else:
        encoder.encode(value)
    return encoder.getvalue()


def _with_length(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def _u16(number: int) -> bytes:
    if not 0 <= number <= 0xFFFF:
        raise EncodeError(f"a packet cannot count to {number}")
    return number.to_bytes(2, "big")


def _utf8(text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    return _u16(len(data)) + data
