"""A connection's publication."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from rtmp_channels.live.current import stream_hubs
from rtmp_channels.live.use import Message, StreamUse
from rtmp_channels.media.packet import Packet
from rtmp_channels.protocol.events import DataReceived, MediaReceived
from rtmp_channels.streams.held import HeldMedia
from rtmp_channels.streams.limits import PublisherPolicy
from rtmp_channels.streams.publication import Publication
from rtmp_channels.streams.refusals import StreamRefused

if TYPE_CHECKING:
    from rtmp_channels.session import Session

logger = logging.getLogger(__name__)


class Publishing(StreamUse):
    """Takes media from the request on: publishers need not wait for the answer."""

    def __init__(self, session: Session, message: Message) -> None:
        super().__init__(session, message)
        self._publication: Publication | None = None
        self._held: HeldMedia | None = HeldMedia(stream_hubs.get().limits.held)
        self._waiting: asyncio.Task[None] | None = None

    def accept(self, answer: Message) -> None:
        """Publishes now, or as soon as the stream is free where the policy is to wait."""
        hub, name = stream_hubs.get(), self.stream_name(answer)
        policy = PublisherPolicy(answer.get("policy") or hub.limits.second_publisher)
        if policy is PublisherPolicy.WAIT:
            self._waiting = asyncio.get_running_loop().create_task(self._publish_when_free(name))
            return
        try:
            publication = hub.publish(
                name,
                policy=policy,
                on_taken_over=self._taken_over,
                on_tick=self.session.read_in_ticks,
            )
        except StreamRefused as refusal:
            self._refuse(refusal)
        else:
            self._begin(publication)

    def take_media(self, event: MediaReceived) -> None:
        """Audio or video."""
        packet = Packet(event.type, event.timestamp, event.payload)
        target = self._publication or self._held
        if target is not None:
            target.take(packet)

    def take_data(self, event: DataReceived) -> None:
        """Metadata, cue points, text."""
        target = self._publication or self._held
        if target is not None:
            target.take_data(event.timestamp, event.values, event.payload, keep=event.is_data_frame)

    def close(self) -> None:
        self._held = None
        if self._waiting is not None:
            self._waiting.cancel()
        if self._publication is not None:
            self._publication.close()
            self.session.read_at_once()

    async def _publish_when_free(self, name: str) -> None:
        try:
            publication = await stream_hubs.get().publish_when_free(
                name, on_taken_over=self._taken_over, on_tick=self.session.read_in_ticks
            )
        except StreamRefused as refusal:
            self._refuse(refusal)
        else:
            self._begin(publication)
            self.session.flush_soon()

    def _begin(self, publication: Publication) -> None:
        self._publication, held, self._held = publication, self._held, None
        logger.info("%s publishes %r", self.session, publication.name)
        self.session.connection.accept_publish(self.message_stream_id)
        if held is not None:
            held.release(publication)

    def _refuse(self, refusal: StreamRefused) -> None:
        logger.info("%s may not publish: %s", self.session, refusal)
        self._held = None
        self.session.connection.reject_publish(
            self.message_stream_id, refusal.code, "The stream is not available."
        )
        self.end()

    def _taken_over(self) -> None:
        logger.info("%s: another publisher took the stream", self.session)
        self.session.connection.reject_publish(
            self.message_stream_id, description="Another publisher took the stream."
        )
        self.session.read_at_once()
        self.end()
