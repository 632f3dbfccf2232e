"""Writes a stream's packets to its players: as they come, or a tick's worth in one piece.

Packets are numbered. A player's position is the first it has not got; players at the same position
that want the same share one buffer, so the cost is one write per player and tick.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from rtmp_channels.media.cache import Wants
from rtmp_channels.media.packet import Packet
from rtmp_channels.streams.limits import StreamLimits
from rtmp_channels.streams.phases import Phases
from rtmp_channels.streams.player import Player

Defer: TypeAlias = Callable[[Callable[[], None]], object]
"""Calls a function soon: `loop.call_soon`, so that what one read brings is written in one piece."""


class Fanout:
    """The packets that not everyone has got yet, and those who get them."""

    def __init__(
        self,
        limits: StreamLimits,
        *,
        phases: Phases,
        defer: Defer,
        on_behind: Callable[[Player], None],
    ) -> None:
        self.bytes_sent = 0
        self._defer = defer
        self._is_deferred = False
        self._limits = limits
        self._on_behind = on_behind
        self._shared_phases = phases
        self._phases: list[dict[Player, None]] = [{} for _ in phases.players]
        self._flushed = [0] * len(self._phases)
        """Per phase: everything before this packet is written."""
        self._packets: list[Packet] = []
        self._first = 0
        """The number of the first packet held."""
        self._bytes = 0

    @property
    def end(self) -> int:
        """The number of the next packet."""
        return self._first + len(self._packets)

    def add(self, player: Player) -> None:
        """Writes to the player from the next packet on."""
        player.position = self.end
        player.phase = self._shared_phases.take()
        self._phases[player.phase][player] = None

    def remove(self, player: Player) -> None:
        """Stops writing to the player; harmless twice."""
        player.position = None
        if player in self._phases[player.phase]:
            del self._phases[player.phase][player]
            self._shared_phases.give_back(player.phase)

    def append(self, packet: Packet) -> None:
        """Takes the next packet."""
        self._packets.append(packet)
        self._bytes += len(packet.payload)
        if self._bytes > self._limits.tick_bytes:
            self.flush_all()
        elif not self._limits.tick_ms and not self._is_deferred:
            self._is_deferred = True
            self._defer(self._flush_deferred)

    def _flush_deferred(self) -> None:
        self._is_deferred = False
        self.flush_all()

    def flush_all(self) -> None:
        """Writes what every player has not got."""
        for phase in range(len(self._phases)):
            self.flush(phase)

    def flush(self, phase: int) -> None:
        """Writes what the players of one phase have not got; hands out who is behind."""
        end, limit = self.end, self._limits.player_bytes
        batches: dict[tuple[int, Wants], bytes] = {}
        position: int | None = None
        wants: Wants | None = None
        data = b""
        sent = 0
        for player in tuple(self._phases[phase]):
            # What each packet to each player pays for: most are where the one before was, and get
            # the same.
            if player.position != position or player.wants is not wants:
                if player.position is None or player.position >= end:
                    continue
                position, wants = key = player.position, player.wants
                if key not in batches:
                    batches[key] = self._encode(wants, position)
                data = batches[key]
            player.position = end
            if not data:
                continue
            try:
                has_room = player.subscriber.write_within(data, limit)
            except Exception:
                player.log_broken()
                continue
            if has_room:
                sent += len(data)
            else:
                self._fall_behind(player)
        self.bytes_sent += sent
        self._flushed[phase] = max(self._flushed[phase], end)
        self._trim()

    def catch_up(self, player: Player) -> None:
        """Writes what one player has not got, before something changes for it."""
        if player.position is not None and player.position < self.end:
            self._write(player, self._encode(player.wants, player.position), self.end)

    def _write(self, player: Player, data: bytes, end: int) -> None:
        if player.subscriber.buffered_bytes > self._limits.player_bytes:
            self._fall_behind(player)
            return
        player.position = end
        if data:
            self.bytes_sent += len(data)
            player.write(data)

    def _fall_behind(self, player: Player) -> None:
        self.remove(player)
        self._on_behind(player)

    def _encode(self, wants: Wants, position: int) -> bytes:
        return wants.encode(self._packets[position - self._first :])

    def _trim(self) -> None:
        written = min(self._flushed) - self._first
        if written <= 0:
            return
        self._bytes -= sum(len(packet.payload) for packet in self._packets[:written])
        del self._packets[:written]
        self._first += written
