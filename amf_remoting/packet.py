"""The AMF packet: what one HTTP request or response carries (AMF 0 §4)."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from amf_remoting.amf import AMFError, DecodeError, Decoder, EncodeError, Encoder, Limits, Policy

CONTENT_TYPE: Final = "application/x-amf"
VERSIONS: Final = (0, 1, 3)
"""AMF0, Flash Media Server, AMF3."""
UNKNOWN_LENGTH: Final = 0xFFFFFFFF

_U16: Final = struct.Struct(">H").unpack_from
_TWO_U16: Final = struct.Struct(">HH").unpack_from
_U32: Final = struct.Struct(">I").unpack_from
_FLAG_U32: Final = struct.Struct(">?I").unpack_from
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
    reader = _PacketReader(Decoder(bytes(data), 0, limits=limits, policy=policy))
    try:
        return reader.packet()
    except struct.error:
        raise _ends_early(reader.data) from None


class _PacketReader:
    """Raises struct.error, besides DecodeError, where the packet ends too early."""

    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.data = decoder.data
        self.position = 0
        self.lengths = Lengths(decoder.data)

    def packet(self) -> Packet:
        version, headers = _TWO_U16(self.data)
        if version not in VERSIONS:
            raise DecodeError(f"no AMF packet has version {version}", 0)
        packet = Packet(version)
        self.position = 4
        for _ in range(headers):
            packet.headers.append(self._header())
        (count,) = _U16(self.data, self.position)
        self.position += 2
        for index in range(1, count + 1):
            packet.messages.append(self._message(count - index))
            if self.position < 0:
                break
        return packet

    def _utf8(self) -> str:
        (length,) = _U16(self.data, self.position)
        start = self.position + 2
        self.position = end = start + length
        if end > len(self.data):
            raise _ends_early(self.data)
        return self.data[start:end].decode("utf-8", "replace")

    def _header(self) -> Header:
        name = self._utf8()
        must_understand, _ = _FLAG_U32(self.data, self.position)
        decoder = self.decoder
        decoder.reset()
        decoder.position = self.position + 5
        value = decoder.decode()
        self.position = decoder.position
        return Header(name, must_understand, value)

    def _message(self, further: int) -> Message:
        message = Message(self._utf8(), self._utf8())
        (length,) = _U32(self.data, self.position)
        start = self.position + 4
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

    def _cut(self, message: Message, end: int) -> None:
        """The next message begins at `end`, wherever this one's value ends."""
        if self.position > end:
            message.value = None
            message.error = DecodeError("the body is longer than its length", end)
        self.position = end

    def _after_error(self, end: int, failed_at: int, further: int) -> int:
        """Where to go on behind a broken body: `end` if that looks right, else -1."""
        if not further:
            return -1
        if end < failed_at:
            return end if self.lengths.fit(end, further) else -1
        self.position = end
        try:
            uris = (self._utf8(), self._utf8())
            _U32(self.data, self.position)
        except (DecodeError, struct.error):
            return -1
        return end if uris[0] and "".join(uris).isprintable() else -1


class Lengths:
    """Whether the length fields of a packet's messages can be believed."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._fit: bool | None = None

    def fit(self, position: int, count: int) -> bool:
        """Whether so many messages, as long as they say, fill the rest of the packet.

        Found out once: those of a packet are right or they are not, and a hostile one could ask
        for each.
        """
        if self._fit is None:
            self._fit = self._fill(position, count)
        return self._fit

    def _fill(self, position: int, count: int) -> bool:
        try:
            for _ in range(count):
                for _uri in range(2):
                    position += 2 + int(_U16(self.data, position)[0])
                position += 4 + int(_U32(self.data, position)[0])
        except struct.error:
            return False
        return position == len(self.data)


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
