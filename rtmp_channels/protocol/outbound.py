"""Messages as chunked bytes that many connections can share.

Made once for a room, a shared object or a stream, and written to every connection whose chunk size
is `chunk_size` (each server connection's, from `accept_connect` on): `Connection.send_raw`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rtmp_channels.protocol.chunk import Message, serialize_message
from rtmp_channels.protocol.commands import Command
from rtmp_channels.protocol.constants import ChunkStreamId, MessageType
from rtmp_channels.protocol.shared_object import SharedObjectMessage

SHARED_CHUNK_SIZE = 65_536
"""What every server connection announces unless its configuration says otherwise."""

_CHUNK_STREAM_IDS: dict[int, ChunkStreamId] = {
    **dict.fromkeys(range(1, 7), ChunkStreamId.CONTROL),
    MessageType.AUDIO: ChunkStreamId.AUDIO,
    MessageType.VIDEO: ChunkStreamId.VIDEO,
    MessageType.DATA_AMF0: ChunkStreamId.DATA,
    MessageType.DATA_AMF3: ChunkStreamId.DATA,
}


def chunk_stream_id_of(message_type: int) -> ChunkStreamId:
    """The chunk stream that messages of this type are written on."""
    return _CHUNK_STREAM_IDS.get(message_type, ChunkStreamId.COMMAND)


def encode_message(message: Message, *, chunk_size: int = SHARED_CHUNK_SIZE) -> bytes:
    """Any message: media for all players of a stream, for example."""
    return serialize_message(
        message, chunk_stream_id=chunk_stream_id_of(message.type), chunk_size=chunk_size
    )


def encode_call(
    name: str,
    arguments: Sequence[Any] = (),
    *,
    object_encoding: int = 0,
    chunk_size: int = SHARED_CHUNK_SIZE,
) -> bytes:
    """A call without a result (transaction id 0), as a room's broadcast needs it.

    `object_encoding` 0 is understood by every client; 3 only by those that asked for it.
    Raises LocalProtocolError for values that AMF cannot hold.
    """
    command = Command(name, 0, None, list(arguments))
    message_type = MessageType.COMMAND_AMF3 if object_encoding == 3 else MessageType.COMMAND_AMF0
    payload = command.serialize(object_encoding)
    return encode_message(Message(message_type, 0, 0, payload), chunk_size=chunk_size)


def encode_shared_object(
    message: SharedObjectMessage, *, chunk_size: int = SHARED_CHUNK_SIZE
) -> bytes:
    """A shared object's events, as its subscribers need them."""
    return encode_message(Message(message.type, 0, 0, message.serialize()), chunk_size=chunk_size)
