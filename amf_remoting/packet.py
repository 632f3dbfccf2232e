"""The AMF packet: what one HTTP request or response carries (AMF 0 §4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from amf_remoting.amf import AMFError, DecodeError, Decoder, EncodeError, Encoder, Limits, Policy
from amf_remoting.amf.amf0_encoder import Amf0Encoder
from amf_remoting.amf.limits import DEFAULT_LIMITS, DEFAULT_POLICY
from amf_remoting.amf.native import BytesWriter, i64

CONTENT_TYPE: Final = "application/x-amf"
VERSIONS: Final = (0, 1, 3)
"""AMF0, Flash Media Server, AMF3."""
UNKNOWN_LENGTH: Final = 0xFFFFFFFF

_LONGEST_URI: Final = 0xFFFF - len("/onResult")
"""Bytes of a response URI to which an answer can be addressed."""
_NO_URIS: Final = ("null", "")
_REPLY = re.compile(r"/on(Result|Status|DebugEvents)$")


# Compiled, a dataclass is made fast only without slots, and by a constructor of its own.
@dataclass
class Header:
    """A context header: it belongs to the whole packet (§4.1)."""

    name: str
    must_understand: bool
    """Refuse the packet if you do not know it."""
    value: Any

    def __init__(self, name: str, must_understand: bool = False, value: Any = None) -> None:
        self.name = name
        self.must_understand = must_understand
        self.value = value

    # Compiled, none can be made without its arguments, as copies and pickles else are.
    def __reduce__(self) -> tuple[Any, ...]:
        return Header, (self.name, self.must_understand, self.value)

    def serialize(self, *, limits: Limits | None = None, policy: Policy | None = None) -> bytes:
        """Its bytes inside of a packet. Raises EncodeError."""
        body = _encode(self.value, 0, limits, policy)
        flag = b"\1" if self.must_understand else b"\0"
        return b"".join((_utf8(self.name), flag, len(body).to_bytes(4, "big"), body))


@dataclass
class Message:
    """A call, or the answer to one (§4.2)."""

    target_uri: str
    """"service.method" in a call, "/1/onResult" or "/1/onStatus" in an answer."""
    response_uri: str
    """Where the answer shall go ("/1"); "null" or "" if none is wanted. They may repeat."""
    value: Any
    encoding: Literal[0, 3]
    """3 if the value is, or contains, AMF3 behind 0x11."""
    error: AMFError | None
    """Set if the value could not be decoded; then it is None."""

    def __init__(
        self,
        target_uri: str,
        response_uri: str = "null",
        value: Any = None,
        *,
        encoding: Literal[0, 3] = 0,
        error: AMFError | None = None,
    ) -> None:
        self.target_uri = target_uri
        self.response_uri = response_uri
        self.value = value
        self.encoding = encoding
        self.error = error

    @property
    def wants_answer(self) -> bool:
        """Whether the response URI is one, and not too long to be answered."""
        uri = self.response_uri
        if len(uri) * 4 > _LONGEST_URI and len(uri.encode()) > _LONGEST_URI:
            return False
        return uri not in _NO_URIS

    def __reduce__(self) -> tuple[Any, ...]:
        make = partial(Message, encoding=self.encoding, error=self.error)
        return make, (self.target_uri, self.response_uri, self.value)

    def serialize(self, *, limits: Limits | None = None, policy: Policy | None = None) -> bytes:
        """Its bytes inside of a packet; messages share nothing. Raises EncodeError."""
        body = _encode(self.value, self.encoding, limits, policy)
        target, response = _utf8(self.target_uri), _utf8(self.response_uri)
        return b"".join((target, response, len(body).to_bytes(4, "big"), body))


@dataclass
class Packet:
    version: int
    headers: list[Header]
    messages: list[Message]

    def __init__(
        self,
        version: int = 0,
        headers: list[Header] | None = None,
        messages: list[Message] | None = None,
    ) -> None:
        self.version = version
        self.headers = [] if headers is None else headers
        self.messages = [] if messages is None else messages

    def __reduce__(self) -> tuple[Any, ...]:
        return Packet, (self.version, self.headers, self.messages)

    def serialize(self, *, limits: Limits | None = None, policy: Policy | None = None) -> bytes:
        """The whole packet. Raises EncodeError; each header and message has its own tables."""
        parts = [_u16(self.version), _u16(len(self.headers))]
        parts += [header.serialize(limits=limits, policy=policy) for header in self.headers]
        parts.append(_u16(len(self.messages)))
        parts += [message.serialize(limits=limits, policy=policy) for message in self.messages]
        return b"".join(parts)


class PacketWriter:
    """A packet that is written message by message, with one budget of bytes for all of them.

    A message that cannot be encoded leaves nothing behind; the next one may be written.
    """

    def __init__(
        self, version: int = 0, limits: Limits | None = None, policy: Policy | None = None
    ) -> None:
        self.version = version
        self._limits = limits or DEFAULT_LIMITS
        self._out = BytesWriter()
        self._out.write(_u16(version) + _NO_HEADERS + _NO_MESSAGES)
        self._encoder = Amf0Encoder(self._out, self._limits, policy or DEFAULT_POLICY)
        self._messages = 0

    def write(self, target_uri: str, value: object, encoding: Literal[0, 3] = 0) -> None:
        """A message that wants no answer. Packets of version 3 hold values of AMF3 only.

        Raises EncodeError, and whatever a value's own code raises.
        """
        out = self._out
        start = len(out)
        try:
            out.write(_utf8(target_uri) + _NO_ANSWER)
            self._encode(value, 3 if self.version == 3 else encoding)
        except BaseException:
            out.truncate(start)
            raise
        self._messages += 1

    def write_serialized(self, message: bytes) -> None:
        """A message that is bytes already; the budget does not matter."""
        self._out.write(message)
        self._messages += 1

    def _encode(self, value: object, encoding: int) -> None:
        """The body behind its length."""
        out = self._out
        start = len(out)
        out.write(b"\0\0\0\0")
        encoder = self._encoder
        encoder.reset()
        encoder.depth = self._limits.depth
        try:
            if encoding == 3:
                encoder.encode_avmplus(value)
            else:
                encoder.encode(value)
        except RecursionError:
            raise EncodeError("nested deeper than the stack") from None
        length = len(out) - start - 4
        out[start] = length >> 24
        out[start + 1] = length >> 16 & 0xFF
        out[start + 2] = length >> 8 & 0xFF
        out[start + 3] = length & 0xFF

    def getvalue(self, headers: list[bytes]) -> bytes:
        """The packet, with these serialized headers."""
        out = self._out
        count = _u16(self._messages)
        out[_COUNT_AT] = count[0]
        out[_COUNT_AT + 1] = count[1]
        packet = out.getvalue()
        if not headers:
            return packet
        return b"".join([packet[:2], _u16(len(headers)), *headers, packet[_COUNT_AT:]])


def parse(
    data: bytes | bytearray | memoryview,
    *,
    limits: Limits | None = None,
    policy: Policy | None = None,
) -> Packet:
    """The packet in `data`; one decode budget for all of it.

    A message that cannot be decoded has its `error` set; the next ones follow if its length field
    was right, else there are none. Where a value ends elsewhere than its length says, the value is
    right, unless the lengths of all further messages bear the length out. Raises DecodeError if
    the packet itself is broken.
    """
    reader = _PacketReader(Decoder(data, 0, limits=limits, policy=policy))
    try:
        return reader.packet()
    except IndexError:
        raise _ends_early(reader.data) from None


class _PacketReader:
    """Raises IndexError, besides DecodeError, where the packet ends too early."""

    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.data = decoder.data
        self.position: i64 = 0
        self.lengths = Lengths(decoder.data)

    def packet(self) -> Packet:
        version = self._u16()
        if version not in VERSIONS:
            raise DecodeError(f"no AMF packet has version {version}", 0)
        packet = Packet(version)
        for _ in range(self._u16()):
            packet.headers.append(self._header())
        count = self._u16()
        for index in range(1, count + 1):
            packet.messages.append(self._message(count - index))
            if self.position < 0:
                break
        return packet

    def _u16(self) -> i64:
        position = self.position
        self.position = position + 2
        return _u16_at(self.data, position)

    def _u32(self) -> i64:
        position = self.position
        self.position = position + 4
        return _u32_at(self.data, position)

    def _utf8(self) -> str:
        length = self._u16()
        start = self.position
        self.position = end = start + length
        if end > len(self.data):
            raise _ends_early(self.data)
        return self.data[start:end].decode("utf-8", "replace")

    def _header(self) -> Header:
        name = self._utf8()
        must_understand = self.data[self.position] != 0
        decoder = self.decoder
        decoder.reset()
        decoder.position = self.position + 5
        value = decoder.decode()
        self.position = decoder.position
        return Header(name, must_understand, value)

    def _message(self, further: int) -> Message:
        message = Message(self._utf8(), self._utf8())
        length = self._u32()
        start = self.position
        end = start + length
        decoder = self.decoder
        decoder.reset()
        decoder.position = start
        try:
            if "/on" in message.target_uri and _REPLY.search(message.target_uri):
                message.value = decoder.decode()
            else:
                message.value = decoder.decode_arguments()
        except DecodeError as error:
            message.error = error
            self.position = self._after_error(end, decoder.position, further)
        else:
            self.position = decoder.position
            if self.position != end and further and self.lengths.fit(end, further):
                self._cut(message, end)
        if decoder.avmplus_seen:
            message.encoding = 3
        return message

    def _cut(self, message: Message, end: i64) -> None:
        """The next message begins at `end`, wherever this one's value ends."""
        if self.position > end:
            message.value = None
            message.error = DecodeError("the body is longer than its length", end)
        self.position = end

    def _after_error(self, end: i64, failed_at: i64, further: int) -> i64:
        """Where to go on behind a broken body: `end` if that looks right, else -1."""
        if not further:
            return -1
        if end < failed_at:
            return end if self.lengths.fit(end, further) else -1
        self.position = end
        try:
            uris = (self._utf8(), self._utf8())
            self._u32()
        except (DecodeError, IndexError):
            return -1
        return end if uris[0] and "".join(uris).isprintable() else -1


class Lengths:
    """Whether the length fields of a packet's messages can be believed."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._fit: bool | None = None

    def fit(self, position: i64, count: int) -> bool:
        """Whether so many messages, as long as they say, fill the rest of the packet.

        Found out once: those of a packet are right or they are not, and a hostile one could ask
        for each.
        """
        if self._fit is None:
            self._fit = self._fill(position, count)
        return self._fit

    def _fill(self, position: i64, count: int) -> bool:
        try:
            for _ in range(count):
                for _uri in range(2):
                    position += 2 + _u16_at(self.data, position)
                position += 4 + _u32_at(self.data, position)
        except IndexError:
            return False
        return position == len(self.data)


def _u16_at(data: bytes, position: i64) -> i64:
    """Raises IndexError at the end of the data."""
    high: i64 = data[position]
    low: i64 = data[position + 1]
    return high << 8 | low


def _u32_at(data: bytes, position: i64) -> i64:
    return _u16_at(data, position) << 16 | _u16_at(data, position + 2)


def _ends_early(data: bytes) -> DecodeError:
    return DecodeError("the packet ends too early", len(data))


def _encode(value: object, encoding: int, limits: Limits | None, policy: Policy | None) -> bytes:
    encoder = Encoder(0, limits=limits, policy=policy)
    if encoding == 3:
        encoder.encode_avmplus(value)
    else:
        encoder.encode(value)
    return encoder.getvalue()


def _u16(number: int) -> bytes:
    if not 0 <= number <= 0xFFFF:
        raise EncodeError(f"a packet cannot count to {number}")
    return number.to_bytes(2, "big")


def _utf8(text: str) -> bytes:
    """Behind its length."""
    data = text.encode("utf-8", "replace")
    return _u16(len(data)) + data


_NO_HEADERS: Final = b"\0\0"
_NO_MESSAGES: Final = b"\0\0"
_COUNT_AT: Final = 4
"""Where the number of messages stands in a packet without headers."""
_NO_ANSWER: Final = _utf8("null")
