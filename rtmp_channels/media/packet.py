"""One message of a stream, and its bytes on the wire."""

from __future__ import annotations

from rtmp_channels.media.tags import TagHead, TagKind, read_head
from rtmp_channels.protocol.chunk import Message
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.outbound import encode_message

SHARED_MESSAGE_STREAM_ID = 1
"""A connection's first message stream: where nearly all players play."""


class Packet:
    """Audio, video or data as it was published; immutable, but for bytes made on first use."""

    __slots__ = ("_shared", "head", "payload", "timestamp", "type")

    def __init__(self, type: MessageType, timestamp: int, payload: bytes) -> None:
        self.type = type
        """AUDIO, VIDEO or DATA_AMF0."""
        self.timestamp = timestamp
        """Milliseconds, modulo 2**32."""
        self.payload = payload
        self.head: TagHead = read_head(type, payload)
        self._shared: bytes | None = None

    @property
    def is_keyframe(self) -> bool:
        """Whether a player can start here."""
        return self.head.kind is TagKind.KEYFRAME

    @property
    def is_setup(self) -> bool:
        """Whether those who join later need it first."""
        return self.head.kind is TagKind.SETUP

    def at(self, timestamp: int) -> Packet:
        """The same at another time."""
        return self if timestamp == self.timestamp else Packet(self.type, timestamp, self.payload)

    def encode(self, message_stream_id: int) -> bytes:
        """The packet in chunks for a player on that message stream.

        Kept only for the first stream: a copy for each id that anybody chooses would be a way to
        fill the memory.
        """
        if message_stream_id != SHARED_MESSAGE_STREAM_ID:
            return self._encode(message_stream_id)
        if self._shared is None:
            self._shared = self._encode(message_stream_id)
        return self._shared

    def _encode(self, message_stream_id: int) -> bytes:
        return encode_message(Message(self.type, message_stream_id, self.timestamp, self.payload))
