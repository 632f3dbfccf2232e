"""The RTMP protocol without I/O: bytes in, events out, bytes out again.

`Connection` is the door; `events` says what it reports, `outbound` makes bytes that many
connections can share. Standard library and the AMF codec only.
"""

from rtmp_channels.protocol import chunk_reader
from rtmp_channels.protocol.config import ConnectionConfig, Role
from rtmp_channels.protocol.connection import Connection
from rtmp_channels.protocol.errors import LocalProtocolError, ProtocolError, RemoteProtocolError

COMPILED = not (chunk_reader.__file__ or "").endswith(".py")
"""Whether this floor runs as machine code."""

__all__ = [
    "COMPILED",
    "Connection",
    "ConnectionConfig",
    "LocalProtocolError",
    "ProtocolError",
    "RemoteProtocolError",
    "Role",
]
