"""The limits and announcements of one connection."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from amf_remoting import amf


class Role(Enum):
    """Which side of the connection we are."""

    SERVER = "server"
    CLIENT = "client"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionConfig:
    """What a `Connection` announces and how much it takes from its peer; bytes, unless said."""

    chunk_size: int = 65_536
    """The size of our chunks, announced before connect's answer."""

    window_acknowledgement_size: int = 2_500_000
    """How many bytes we let the peer send before it owes an Acknowledgement."""

    peer_bandwidth: int = 2_500_000
    """The window that Set Peer Bandwidth asks of the peer, limit type "dynamic"."""

    server_version: str = "FMS/5,0,17,0"
    """`fmsVer` in connect's answer."""

    digest_handshake: bool = True
    """Whether a client offers the digest handshake. A server answers in kind anyway."""

    max_message_length: int = 4 * 1024 * 1024
    """The longest message accepted after `connect` (a keyframe, a call's arguments)."""

    max_connect_length: int = 65_536
    """The longest message accepted before `connect` is answered; all that are unfinished, too."""

    max_partial_bytes: int = 8 * 1024 * 1024
    """Bytes of unfinished messages held, over all chunk streams."""

    max_chunk_streams: int = 64
    """Different chunk stream ids a peer may use."""

    min_peer_chunk_size: int = 64
    """Smaller chunks than that cost more work than the bytes are worth: refused."""

    max_message_streams: int = 64
    """Streams open at a time; createStream answers `_error` beyond that."""

    max_held_bytes: int = 262_144
    """Bytes that may wait behind a `connect` that the application has not answered yet."""

    max_ping_answers: int = 16
    """Ping Requests answered per `receive_data` call; a flood's rest is dropped."""

    max_shared_object_events: int = 4_096
    """Events in one shared-object message."""

    messages_per_turn: int | None = None
    """Messages handled by one `receive_data`, whose rest `receive_more` handles; None: all."""

    max_aggregated_messages: int = 4_096
    """Messages in one aggregate."""

    amf_limits: amf.Limits | None = field(default_factory=lambda: amf.Limits(values=250_000))
    """The budget for decoding one message; None means the codec's own defaults."""

    random_bytes: Callable[[int], bytes] = field(default=os.urandom, repr=False)
    """Where the handshake's filling comes from; tests pass a seeded one."""
