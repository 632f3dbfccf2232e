"""Everything about state: what may happen when, as two tables.

A pair that is missing is a mistake: the peer's for what it sent, ours for what we called.
"""

from __future__ import annotations

from enum import Enum, auto
from types import MappingProxyType

from rtmp_channels.protocol.errors import LocalProtocolError, RemoteProtocolError


class ConnectionState(Enum):
    """Where a connection is; the same names serve both roles."""

    HANDSHAKE = auto()
    """The 3,073 bytes of each side are under way."""
    OPEN = auto()
    """Chunks flow; the client has not sent `connect` yet."""
    CONNECTING = auto()
    """`connect` was sent and waits for its answer."""
    CONNECTED = auto()
    """Calls, streams and shared objects."""
    CLOSED = auto()
    """Rejected, or broken by an error; nothing is read or written any more."""


class ConnectionInput(Enum):
    """What moves a connection on."""

    HANDSHAKE_DONE = auto()
    CONNECT = auto()
    ACCEPT = auto()
    REJECT = auto()
    FAIL = auto()
    RECEIVE = auto()
    """The peer sends something that belongs to an accepted connection."""
    SEND = auto()
    """We do."""


CONNECTION_TRANSITIONS = MappingProxyType(
    {
        (ConnectionState.HANDSHAKE, ConnectionInput.HANDSHAKE_DONE): ConnectionState.OPEN,
        (ConnectionState.OPEN, ConnectionInput.CONNECT): ConnectionState.CONNECTING,
        (ConnectionState.CONNECTING, ConnectionInput.ACCEPT): ConnectionState.CONNECTED,
        (ConnectionState.CONNECTING, ConnectionInput.REJECT): ConnectionState.CLOSED,
        # A server may call before it answers; what a client sends so early is held back unread.
        (ConnectionState.CONNECTING, ConnectionInput.RECEIVE): ConnectionState.CONNECTING,
        (ConnectionState.CONNECTED, ConnectionInput.RECEIVE): ConnectionState.CONNECTED,
        (ConnectionState.CONNECTED, ConnectionInput.SEND): ConnectionState.CONNECTED,
        (ConnectionState.HANDSHAKE, ConnectionInput.FAIL): ConnectionState.CLOSED,
        (ConnectionState.OPEN, ConnectionInput.FAIL): ConnectionState.CLOSED,
        (ConnectionState.CONNECTING, ConnectionInput.FAIL): ConnectionState.CLOSED,
        (ConnectionState.CONNECTED, ConnectionInput.FAIL): ConnectionState.CLOSED,
        (ConnectionState.CLOSED, ConnectionInput.FAIL): ConnectionState.CLOSED,
    }
)


class StreamState(Enum):
    """What a message stream of a server is used for."""

    IDLE = auto()
    PUBLISHING = auto()
    PLAYING = auto()


class StreamInput(Enum):
    """What changes a stream's use."""

    PUBLISH = auto()
    PLAY = auto()
    CLOSE = auto()


STREAM_TRANSITIONS = MappingProxyType(
    {
        (StreamState.IDLE, StreamInput.PUBLISH): StreamState.PUBLISHING,
        (StreamState.IDLE, StreamInput.PLAY): StreamState.PLAYING,
        (StreamState.IDLE, StreamInput.CLOSE): StreamState.IDLE,
        (StreamState.PUBLISHING, StreamInput.CLOSE): StreamState.IDLE,
        (StreamState.PLAYING, StreamInput.CLOSE): StreamState.IDLE,
        # Another `play` switches, or adds to the play list (§7.2.2.1).
        (StreamState.PLAYING, StreamInput.PLAY): StreamState.PLAYING,
    }
)


class StateMachine:
    """A connection's state, moved by what both sides do."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state = ConnectionState.HANDSHAKE

    def on_received(self, happened: ConnectionInput, what: str) -> None:
        """The peer did it; raises RemoteProtocolError where it must not."""
        state = CONNECTION_TRANSITIONS.get((self.state, happened))
        if state is None:
            raise RemoteProtocolError(f"{what} in state {self.state.name}")
        self.state = state

    def on_sent(self, happened: ConnectionInput, what: str) -> None:
        """We do it; raises LocalProtocolError where we must not."""
        state = CONNECTION_TRANSITIONS.get((self.state, happened))
        if state is None:
            raise LocalProtocolError(f"{what} in state {self.state.name}")
        self.state = state
