"""The players of one stream: who waits, who is written to, who is too slow."""

from __future__ import annotations

from collections.abc import Callable

from rtmp_channels.media.cache import StreamCache, Wants
from rtmp_channels.media.packet import Packet
from rtmp_channels.streams.fanout import Defer, Fanout
from rtmp_channels.streams.limits import StreamLimits
from rtmp_channels.streams.phases import Phases
from rtmp_channels.streams.player import Player


class Audience:
    """Moves players between waiting for a packet to start with and being written to.

    One whose buffer is full waits for the next keyframe: it skips, and nobody else notices.
    """

    def __init__(
        self,
        limits: StreamLimits,
        *,
        phases: Phases,
        clock: Callable[[], float],
        defer: Defer,
        on_too_slow: Callable[[Player], None],
    ) -> None:
        self.fanout = Fanout(limits, phases=phases, defer=defer, on_behind=self._fell_behind)
        self.cache = StreamCache(gop=limits.gop, head=limits.head)
        self.skips = 0
        self._limits = limits
        self._clock = clock
        self._on_too_slow = on_too_slow
        self._waiting: dict[Player, None] = {}
        self._upgrading: dict[Player, None] = {}
        """Written to, but without the video that they get from the next keyframe on."""
        self._start: tuple[Wants, int, bytes] | None = None
        """What the last one to enter got, for those who enter before the next packet."""

    @property
    def waiting(self) -> int:
        """How many wait for a packet to start with."""
        return len(self._waiting)

    def begin(self) -> None:
        """A publisher begins: what was kept of another's is no use."""
        self.cache = StreamCache(gop=self._limits.gop, head=self._limits.head)
        self._start = None

    def enter(self, player: Player, *, timestamp: int) -> None:
        """Starts a player: with the group of pictures, else at the next keyframe.

        `timestamp` is the stream's latest time.
        """
        player.wants = player.wants_next
        if not self._has_room(player):
            self._wait(player)
        elif not self._needs_keyframe(player):
            self.fanout.add(player)
            self._write(player, self._head(player.wants, timestamp))
        elif self.cache.gop.packets:
            self.fanout.add(player)
            self._write(player, self._start_of(player.wants))
        else:
            self._wait(player)

    def leave(self, player: Player) -> None:
        """Stops the player; harmless twice."""
        self.fanout.remove(player)
        self._waiting.pop(player, None)
        self._upgrading.pop(player, None)

    def switch(self, player: Player, wants: Wants, *, timestamp: int) -> None:
        """The player wants other kinds of media: audio and silence at once, video in time."""
        player.wants_next = wants
        self._upgrading.pop(player, None)
        if player.position is None:
            return
        self.fanout.catch_up(player)
        needs_keyframe = wants.video and not player.wants.video and self.cache.has_video
        if needs_keyframe:
            self._upgrading[player] = None
        self._change(player, wants._replace(video=wants.video and not needs_keyframe), timestamp)

    def take(self, packet: Packet, *, is_start: bool) -> None:
        """Takes the stream's next packet; at a start, those who wait begin with it."""
        if self._waiting:
            self._admit(packet, is_start=is_start)
        if self._upgrading and is_start:
            self._upgrade(packet)
        self._start = None
        self.cache.add(packet)
        self.fanout.append(packet)

    def _needs_keyframe(self, player: Player) -> bool:
        return player.wants.video and self.cache.has_video

    def _has_room(self, player: Player) -> bool:
        """With a margin: who has just skipped should not skip again at once."""
        return player.subscriber.buffered_bytes <= self._limits.player_bytes // 2

    def _wait(self, player: Player) -> None:
        player.waiting_since = self._clock()
        self._waiting[player] = None

    def _admit(self, packet: Packet, *, is_start: bool) -> None:
        heads: dict[Wants, bytes] = {}
        for player in tuple(self._waiting):
            if player not in self._waiting:  # the end of another took it along
                continue
            if self._needs_keyframe(player) and not is_start:
                continue
            if not self._has_room(player):
                self._lose_patience(player)
                continue
            del self._waiting[player]
            wants = player.wants = player.wants_next
            if wants not in heads:
                heads[wants] = self._head(wants, packet.timestamp)
            self.fanout.add(player)
            self._write(player, heads[wants])

    def _upgrade(self, packet: Packet) -> None:
        for player in tuple(self._upgrading):
            self.fanout.catch_up(player)
            if player in self._upgrading:  # catching up may have ended it
                del self._upgrading[player]
                self._change(player, player.wants_next, packet.timestamp)

    def _change(self, player: Player, wants: Wants, timestamp: int) -> None:
        """Changes what a player that is written to gets, headers of what is new first."""
        before, player.wants = player.wants, wants
        added = Wants(
            wants.message_stream_id,
            audio=wants.audio and not before.audio,
            video=wants.video and not before.video,
        )
        if player.position is not None and (added.audio or added.video):
            self._write(player, self._head(added, timestamp))

    def _fell_behind(self, player: Player) -> None:
        self.skips += 1
        self._upgrading.pop(player, None)
        limits = self._limits
        skips = player.count_skip(self._clock(), forgiven_after=limits.slow_seconds)
        if skips > limits.max_skips:
            self._on_too_slow(player)
        else:
            self._wait(player)

    def _lose_patience(self, player: Player) -> None:
        if self._clock() - player.waiting_since > self._limits.slow_seconds:
            self._on_too_slow(player)

    def _head(self, wants: Wants, timestamp: int) -> bytes:
        return wants.encode(self.cache.head(wants, timestamp=timestamp))

    def _start_of(self, wants: Wants) -> bytes:
        end = self.fanout.end
        if self._start is None or self._start[:2] != (wants, end):
            self._start = wants, end, wants.encode(self.cache.start(wants))
        return self._start[2]

    def _write(self, player: Player, data: bytes) -> None:
        if data:
            self.fanout.bytes_sent += len(data)
            player.write(data)
