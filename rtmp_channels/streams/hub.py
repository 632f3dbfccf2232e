"""The live streams of one process, on one event loop.

```python
publication = hub.publish("live/show")
publication.take(Packet(MessageType.VIDEO, timestamp, payload))
hub.play("live/show", player)
publication.close()
```
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from rtmp_channels.streams.fanout import Defer
from rtmp_channels.streams.limits import PublisherPolicy, StreamLimits
from rtmp_channels.streams.phases import Phases
from rtmp_channels.streams.player import PlayEnd, Player
from rtmp_channels.streams.publication import Publication
from rtmp_channels.streams.refusals import StreamBusy, StreamLimitExceeded
from rtmp_channels.streams.stats import StreamStats
from rtmp_channels.streams.stream import Stream
from rtmp_channels.streams.ticker import Ticker


class StreamHub:
    """Which streams there are."""

    def __init__(
        self,
        limits: StreamLimits | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        defer: Defer | None = None,
    ) -> None:
        """`defer` is the running loop's `call_soon`, unless a test passes something else."""
        self.limits = limits or StreamLimits()
        self._clock = clock
        self._defer = defer or asyncio.get_running_loop().call_soon
        self._streams: dict[str, Stream] = {}
        self._publications: dict[str, Publication] = {}
        self._phases = Phases(self.limits)
        self._ticker = Ticker(self.limits.tick_ms, self.limits.phases, self._tick)

    def publish(
        self,
        name: str,
        *,
        policy: PublisherPolicy = PublisherPolicy.REFUSE,
        on_taken_over: Callable[[], None] = lambda: None,
        on_tick: Callable[[], None] = lambda: None,
    ) -> Publication:
        """Begins to publish; `on_taken_over` is called when another one takes the stream, `on_tick`
        before players are written to in a moment of the tick: whatever waits may be handed in.

        Raises StreamBusy, unless the policy is TAKE_OVER, and StreamLimitExceeded.
        """
        stream = self._stream(name)
        before = self._publications.get(name)
        if before is not None:
            if policy is not PublisherPolicy.TAKE_OVER:
                raise StreamBusy("somebody else publishes it")
            before.hand_over()
            stream = self._stream(name)  # the first one may have been its only player, too
        publication = self._publications[name] = Publication(
            stream,
            on_taken_over=on_taken_over,
            on_tick=on_tick,
            on_closed=self._unpublished,
        )
        stream.begin(publication)
        self._ticker.start()
        return publication

    async def publish_when_free(
        self,
        name: str,
        *,
        on_taken_over: Callable[[], None] = lambda: None,
        on_tick: Callable[[], None] = lambda: None,
    ) -> Publication:
        """Begins to publish as soon as nobody else does (PublisherPolicy.WAIT).

        Raises StreamBusy when that takes too long, and StreamLimitExceeded.
        """
        try:
            async with asyncio.timeout(self.limits.publish_wait_seconds):
                while name in self._publications:
                    await self._streams[name].queue.wait()
        except TimeoutError:
            seconds = self.limits.publish_wait_seconds
            raise StreamBusy(f"somebody else publishes it, still after {seconds:g} s") from None
        return self.publish(name, on_taken_over=on_taken_over, on_tick=on_tick)

    def play(self, name: str, player: Player) -> Stream:
        """Adds a player; returns the stream, for `leave`, `switch` and `pause`.

        Raises StreamNotFound where players do not wait for a publisher, and StreamLimitExceeded.
        """
        stream = self._stream(name)
        try:
            stream.join(player)
        finally:
            self._forget_if_idle(stream)
        return stream

    def stats(self) -> list[StreamStats]:
        """Every stream's, in the order they came."""
        return [stream.stats() for stream in self._streams.values()]

    async def close(self) -> None:
        """Ends all publications and players."""
        self._ticker.stop()
        for stream in tuple(self._streams.values()):
            stream.end_all(PlayEnd.SHUTDOWN)
        for publication in tuple(self._publications.values()):
            publication.close()

    def _stream(self, name: str) -> Stream:
        stream = self._streams.get(name)
        if stream is not None:
            return stream
        limits = self.limits
        if len(name.encode("utf-8", "surrogatepass")) > limits.name_bytes:
            raise StreamLimitExceeded(f"a stream's name may have {limits.name_bytes} bytes")
        if len(self._streams) >= limits.streams:
            raise StreamLimitExceeded(f"there may be {limits.streams} streams")
        stream = self._streams[name] = Stream(
            name,
            limits=limits,
            phases=self._phases,
            clock=self._clock,
            defer=self._defer,
            on_idle=self._forget_if_idle,
        )
        return stream

    def _unpublished(self, publication: Publication) -> None:
        del self._publications[publication.name]
        if not self._publications:
            self._ticker.stop()

    def _forget_if_idle(self, stream: Stream) -> None:
        if stream.is_idle and self._streams.get(stream.name) is stream:
            del self._streams[stream.name]

    def _tick(self, phase: int) -> None:
        for name, publication in tuple(self._publications.items()):
            if publication.is_open:
                publication.on_tick()
            stream = self._streams.get(name)
            if stream is not None:  # the end of a player may have taken its own stream along
                stream.flush(phase)
