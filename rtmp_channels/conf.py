"""The settings dict `RTMP_CHANNELS`: every limit of the server, with its default."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Literal

from django.conf import settings

from amf_remoting.conf import load_settings
from rtmp_channels.protocol.config import ConnectionConfig
from rtmp_channels.rooms.limits import RoomLimits
from rtmp_channels.shared_objects.rules import SharedObjectRules
from rtmp_channels.streams.limits import StreamLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class RtmpSettings:
    """The keys of `RTMP_CHANNELS`, there in upper case; sizes in bytes, times in seconds."""

    endpoints: tuple[str, ...] = ("rtmp:port=1935:interface=127.0.0.1",)
    """What `manage.py runserver` opens beside HTTP, in daphne's `-e` syntax."""

    max_connections: int = 10_000
    """RTMP connections of one process; further ones are closed at once."""

    max_connections_per_address: int = 2_000
    """RTMP connections from one client address (many users may share one)."""

    handshake_timeout: float = 10.0
    """From the socket's opening to the end of the handshake."""

    connect_timeout: float = 10.0
    """From the end of the handshake to the `connect` command."""

    accept_timeout: float = 20.0
    """From `connect` to the application's answer."""

    ping_interval: float = 4.0
    """Between two pings to each client, which measure its round-trip time; one that takes what
    it is sent meanwhile gets every fourth. 0: no pings."""

    ping_timeout: float = 9.0
    """A client that says nothing for so long, pings unanswered, is dead; 0: see IDLE_TIMEOUT."""

    idle_timeout: float = 600.0
    """The same for applications that do not demand answers to pings; 0: never."""

    stall_timeout: float = 30.0
    """How long a client may read nothing of what waits for it."""

    close_timeout: float = 5.0
    """From our decision to close until the socket is cut, whatever is still unsent."""

    disconnect_timeout: float = 5.0
    """From `rtmp.disconnect` until an application that goes on is cancelled."""

    shutdown_timeout: float = 5.0
    """How long a server that stops waits for its applications before it cancels them."""

    max_queued_events: int = 64
    """Events that wait for the application; then the socket is not read."""

    max_queued_bytes: int = 262_144
    """The same limit by the size that the events had on the wire."""

    write_high_water: int = 262_144
    """Unsent bytes from which on the application's `send` waits for the client."""

    max_unsent_bytes: int = 4_194_304
    """Unsent bytes at which a reader is cut whom broadcasts and shared objects overrun."""

    max_pending_calls: int = 1_000
    """Calls to the client without an answer yet; the oldest is forgotten beyond that."""

    max_calls_in_flight: int = 1_000
    """Calls of one client without an answer yet; further ones are refused."""

    max_calls_per_second: int = 20_000
    """Calls of one client, on average; as many may come at once. Further ones are refused."""

    max_concurrent_calls: int = 16
    """Handlers marked concurrent that one connection may have running."""

    call_timeout: float = 10.0
    """How long `await consumer.call(…)` waits for the client unless it says otherwise."""

    max_message_length: int = 4_194_304
    """The longest RTMP message taken from a client."""

    messages_per_turn: int = 32
    """Messages of one connection that are handled before other connections have their turn."""

    max_chunk_streams: int = 64
    """Chunk streams that one client may use."""

    max_partial_bytes: int = 8_388_608
    """Unfinished messages of one client, together."""

    max_held_bytes: int = 536_870_912
    """What all connections of a process hold together of unfinished messages, of what waits for
    applications and for clients; beyond it those that hold most are cut. 0: no limit."""

    tunnel_timeout: float = 10.0
    """RTMPT: how long a client may stay away between two requests."""

    tunnel_hold: float = 0.1
    """RTMPT: how long an idle request waits for something to answer."""

    tunnel_request_bytes: int = 4_194_304
    """RTMPT: the longest body of a request, and what may wait in the server to be read."""

    rooms: RoomLimits = field(default_factory=RoomLimits)
    """A dict in turn: limits of rooms."""

    sequencer: Literal["memory", "redis"] = "memory"
    """Who decides on the order of shared objects' events: this process, or Redis for all."""

    redis_url: str = ""
    """The Redis of the redis sequencer: "redis://127.0.0.1:6379/0"."""

    persistence: Literal["none", "database"] = "database"
    """Where persistent shared objects are written down."""

    persist_delay: float = 2.0
    """Seconds until a change is: what a process that is killed may lose."""

    shared_objects: SharedObjectRules = field(default_factory=SharedObjectRules)
    """A dict in turn: limits of shared objects, and what becomes of lost changes."""

    streams: StreamLimits = field(default_factory=StreamLimits)
    """A dict in turn: the tick, and the limits of live streams."""

    user_reload_interval: float = 30.0
    """Between two looks at the users of open connections; 0: as they were when they connected."""

    presence_interval: float = 10.0
    """Between two heartbeats, which keep the admin's list of connections; 0: there is none. A
    process that misses three counts as dead."""

    token_max_age: int = 86_400
    """How long a token of `auth.make_token` is good for."""

    http_backpressure: bool = True
    """Whether daphne's HTTP and WebSocket doors hold no more than they must, either: senders wait
    for slow readers, clients for slow applications, long request bodies in files."""

    freeze_loaded: bool = True
    """Whether what is loaded when an endpoint opens is left out of garbage collections."""

    gc_threshold: int = 20_000
    """After how many new objects the garbage collector looks for cycles, in place of Python's 700;
    a higher threshold of the site's own (`gc.set_threshold`), or none, stays."""

    def connection_config(self) -> ConnectionConfig:
        """The part that the protocol floor enforces."""
        return _connection_config(
            self.max_message_length,
            self.max_chunk_streams,
            self.max_partial_bytes,
            self.messages_per_turn,
        )


@functools.lru_cache(maxsize=8)
def _connection_config(
    max_message_length: int, max_chunk_streams: int, max_partial_bytes: int, messages_per_turn: int
) -> ConnectionConfig:
    """Connections that are limited alike share one."""
    return ConnectionConfig(
        max_message_length=max_message_length,
        max_chunk_streams=max_chunk_streams,
        max_partial_bytes=max_partial_bytes,
        messages_per_turn=messages_per_turn,
    )


def allowed_hosts() -> list[str]:
    """Hosts whose pages may use this site: Django's ALLOWED_HOSTS, as Channels reads it."""
    local = ["localhost", "127.0.0.1", "[::1]"]
    return list(settings.ALLOWED_HOSTS) or (local if settings.DEBUG else [])


def session_cookie_name() -> str:
    """Under which name Django's session key travels."""
    return str(settings.SESSION_COOKIE_NAME)


rtmp_settings = load_settings(RtmpSettings, "RTMP_CHANNELS")
"""`rtmp_settings()`: the settings now."""
