"""Numbers of the wire that more than one module needs (RTMP 1.0 §5.3-§7.1)."""

from __future__ import annotations

from enum import IntEnum

DEFAULT_CHUNK_SIZE = 128
"""Bytes of payload per chunk until a Set Chunk Size says otherwise (§5.4.1)."""

MAX_CHUNK_SIZE = 0xFFFFFF
"""No message is longer, so a larger chunk size means the same (§5.4.1)."""

MAX_MESSAGE_LENGTH = 0xFFFFFF
"""The header's length field has 24 bits (§5.3.1.2.1)."""

EXTENDED_TIMESTAMP = 0xFFFFFF
"""This value in the header's timestamp field means that 32 bits follow (§5.3.1.3)."""

TIMESTAMP_MODULUS = 1 << 32
"""Times and byte counts wrap here: compare them modulo."""


class MessageType(IntEnum):
    """Message type ids (§5.4, §6, §7.1)."""

    SET_CHUNK_SIZE = 1
    ABORT = 2
    ACKNOWLEDGEMENT = 3
    USER_CONTROL = 4
    WINDOW_ACKNOWLEDGEMENT_SIZE = 5
    SET_PEER_BANDWIDTH = 6
    AUDIO = 8
    VIDEO = 9
    DATA_AMF3 = 15
    SHARED_OBJECT_AMF3 = 16
    COMMAND_AMF3 = 17
    DATA_AMF0 = 18
    SHARED_OBJECT_AMF0 = 19
    COMMAND_AMF0 = 20
    AGGREGATE = 22


class ChunkStreamId(IntEnum):
    """The chunk streams we write on; all in 2..8, since some peers refuse ids from 32 on."""

    CONTROL = 2
    """Types 1 to 6, always (§5.4)."""
    COMMAND = 3
    """Commands and shared objects: npm rtmp-client reads them nowhere else."""
    AUDIO = 4
    DATA = 5
    VIDEO = 6
