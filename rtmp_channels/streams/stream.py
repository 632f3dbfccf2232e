"""One live stream: a publisher at a time, and its players."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from rtmp_channels.media.cache import Wants
from rtmp_channels.media.packet import Packet
from rtmp_channels.media.starts import Start, StartFinder
from rtmp_channels.media.timeline import Timeline
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.streams.audience import Audience
from rtmp_channels.streams.fanout import Defer
from rtmp_channels.streams.limits import StreamLimits
from rtmp_channels.streams.phases import Phases
from rtmp_channels.streams.player import PlayEnd, Player
from rtmp_channels.streams.publishers import PublisherQueue
from rtmp_channels.streams.refusals import StreamLimitExceeded, StreamNotFound
from rtmp_channels.streams.stats import StreamStats

logger = logging.getLogger(__name__)


class Stream:
    """Moves packets from its publisher to its players; made, found and dropped by the hub."""

    def __init__(  # noqa: PLR0913  # by keyword, all from the hub
        self,
        name: str,
        *,
        limits: StreamLimits,
        phases: Phases,
        clock: Callable[[], float],
        defer: Defer,
        on_idle: Callable[[Stream], None],
    ) -> None:
        self.name = name
        self.publisher: object | None = None
        """Whoever publishes, by identity."""
        self.queue = PublisherQueue(limits)
        self._limits = limits
        self._on_idle = on_idle
        self._audience = Audience(
            limits, phases=phases, clock=clock, defer=defer, on_too_slow=self._end_too_slow
        )
        self._players: dict[Player, None] = {}
        self._timeline = Timeline()
        self._starts = StartFinder(patience=limits.keyframe_patience)
        self._codecs = {MessageType.AUDIO: "", MessageType.VIDEO: ""}
        self._publications = 0
        self._packets = 0
        self._bytes = 0
        self._useless_packets = 0
        self._ended_players = 0

    @property
    def is_idle(self) -> bool:
        """Whether nobody publishes, plays or waits."""
        return self.publisher is None and not self._players and not len(self.queue)

    # the publisher

    def begin(self, publisher: object) -> None:
        """A publisher has the stream; players that are there go on."""
        self.publisher = publisher
        self._publications += 1
        self._audience.begin()
        self._timeline.join()
        self._starts = StartFinder(patience=self._limits.keyframe_patience)
        self._codecs = dict.fromkeys(self._codecs, "")
        for player in tuple(self._players):
            if player.deadline is not None:
                player.cancel_deadline()
                self._start(player)

    def end(self, *, hand_over: bool = False) -> None:
        """The publisher is gone.

        With `hand_over` the next one begins at once, and players notice nothing.
        """
        self.publisher = None  # first: the end of a player may end the publication once more
        self._audience.fanout.flush_all()
        if hand_over:
            return
        for player in tuple(self._players):
            self._lose_publisher(player)
        self.queue.call_next()
        self._check_idle()

    def take(self, packet: Packet) -> None:
        """Takes the publisher's next packet."""
        self._packets += 1
        self._bytes += len(packet.payload)
        if packet.type in self._codecs and packet.head.codec:
            self._codecs[packet.type] = packet.head.codec
        start = self._starts.judge(packet)
        if start is Start.USELESS:
            self._useless_packets += 1
        else:
            packet = packet.at(self._timeline.place(packet.timestamp))
            self._audience.take(packet, is_start=start is Start.HERE)

    def keep_data(self, name: str, packet: Packet) -> None:
        """Takes metadata: for everyone now, and for those who join later."""
        self.take(packet)
        self._audience.cache.keep_data(name, packet)

    def forget_data(self, name: str) -> None:
        """Keeps it no more."""
        self._audience.cache.forget_data(name)

    def flush(self, phase: int) -> None:
        """One moment of the tick."""
        self._audience.fanout.flush(phase)

    # players

    def join(self, player: Player) -> None:
        """Adds a player: `play_started` is called, now or when a publisher comes.

        Raises StreamNotFound where players do not wait for one, and StreamLimitExceeded.
        """
        if len(self._players) >= self._limits.players:
            raise StreamLimitExceeded(f"a stream may have {self._limits.players} players here")
        if self.publisher is None and not self._limits.wait_seconds:
            raise StreamNotFound("nobody publishes it")
        self._players[player] = None
        if self.publisher is None:
            self._await_publisher(player, self._limits.wait_seconds, PlayEnd.NOT_FOUND)
        else:
            self._start(player)

    def leave(self, player: Player) -> None:
        """The player goes; harmless twice."""
        if player not in self._players:
            return
        del self._players[player]
        player.cancel_deadline()
        self._audience.leave(player)
        self._check_idle()

    def switch(self, player: Player, wants: Wants) -> None:
        """The player wants audio or video, or does not any more (§7.2.2.4, §7.2.2.5)."""
        self._audience.switch(player, wants, timestamp=self._timeline.latest)

    def pause(self, player: Player, *, paused: bool) -> None:
        """A paused player gets nothing; afterwards it goes on live, at a keyframe."""
        if player.is_paused == paused or player not in self._players:
            return
        player.is_paused = paused
        if paused:
            self._audience.leave(player)
        elif self.publisher is not None:
            self._audience.enter(player, timestamp=self._timeline.latest)

    def end_all(self, reason: PlayEnd) -> None:
        """Ends every player."""
        for player in tuple(self._players):
            self._end(player, reason)

    def stats(self) -> StreamStats:
        """What is known of the stream now."""
        audience = self._audience
        return StreamStats(
            name=self.name,
            is_published=self.publisher is not None,
            publications=self._publications,
            players=len(self._players),
            waiting=audience.waiting,
            video_codec=self._codecs[MessageType.VIDEO],
            audio_codec=self._codecs[MessageType.AUDIO],
            packets_received=self._packets,
            bytes_received=self._bytes,
            bytes_sent=audience.fanout.bytes_sent,
            skips=audience.skips,
            ended_players=self._ended_players,
            dropped_packets=self._useless_packets,
            cached_bytes=audience.cache.gop.bytes,
        )

    def _start(self, player: Player) -> None:
        player.listener.play_started()
        if player in self._players and not player.is_paused:
            self._audience.enter(player, timestamp=self._timeline.latest)

    def _await_publisher(self, player: Player, seconds: float, reason: PlayEnd) -> None:
        loop = asyncio.get_running_loop()
        player.deadline = loop.call_later(seconds, self._end, player, reason)

    def _lose_publisher(self, player: Player) -> None:
        if player not in self._players:  # the end of another took it along
            return
        if not self._limits.linger_seconds:
            self._end(player, PlayEnd.UNPUBLISHED)
            return
        self._audience.leave(player)
        self._await_publisher(player, self._limits.linger_seconds, PlayEnd.UNPUBLISHED)
        player.listener.play_suspended()

    def _end_too_slow(self, player: Player) -> None:
        self._ended_players += 1
        self._end(player, PlayEnd.TOO_SLOW)

    def _end(self, player: Player, reason: PlayEnd) -> None:
        if player not in self._players:
            return
        self.leave(player)
        player.listener.play_ended(reason)

    def _check_idle(self) -> None:
        if self.is_idle:
            self._on_idle(self)
