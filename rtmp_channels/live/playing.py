"""A connection's player."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from rtmp_channels import goodbye
from rtmp_channels.live.current import stream_hubs
from rtmp_channels.live.use import Message, StreamUse
from rtmp_channels.media.cache import wants_on
from rtmp_channels.protocol import status
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.errors import LocalProtocolError
from rtmp_channels.protocol.events import ReceiveSwitched
from rtmp_channels.streams.player import PlayEnd, Player
from rtmp_channels.streams.refusals import StreamRefused
from rtmp_channels.streams.stream import Stream

if TYPE_CHECKING:
    from rtmp_channels.session import Session

logger = logging.getLogger(__name__)

PUBLISH_NOTIFY = "NetStream.Play.PublishNotify"
UNPUBLISH_NOTIFY = "NetStream.Play.UnpublishNotify"
PAUSE_NOTIFY = "NetStream.Pause.Notify"
UNPAUSE_NOTIFY = "NetStream.Unpause.Notify"


class Outlet:
    """Where a player's bytes go: straight to the transport, since the hub has joined them.

    Every player's is used for each packet, and little of what it needs is still in the processor's
    cache by then: the session is not asked. A session that ends has left its streams before.
    """

    __slots__ = ("_pass_on", "_transport", "_waiting")

    def __init__(self, session: Session) -> None:
        self._pass_on = session.connection.pass_on
        self._transport = session.transport
        self._waiting = 0
        """What the last write left waiting: after nothing, one more is written unasked."""

    @property
    def buffered_bytes(self) -> int:
        """What waits for the client."""
        return self._transport.buffered_bytes

    def write_shared(self, data: bytes, /) -> None:
        """Writes now, behind what is queued."""
        self._waiting = self._transport.write(self._pass_on(data))

    def write_within(self, data: bytes, limit: int, /) -> bool:
        """The same, unless too much waits."""
        transport = self._transport
        if self._waiting and transport.buffered_bytes > limit:
            return False
        self._waiting = transport.write(self._pass_on(data))
        return True


class Playing(StreamUse):
    """Answers `play`, then lets the hub write; itself the listener of its player."""

    def __init__(self, session: Session, message: Message) -> None:
        super().__init__(session, message)
        self._player = Player(Outlet(session), self, wants_on(self.message_stream_id))
        self._stream: Stream | None = None
        self._is_answered = False

    def accept(self, answer: Message) -> None:
        """Plays now, or when the publisher comes: the client is told of its start either way."""
        try:
            self._stream = stream_hubs.get().play(self.stream_name(answer), self._player)
        except StreamRefused as refusal:
            logger.info("%s may not play: %s", self.session, refusal)
            self._reject(refusal.code)
        else:
            self.session.transport.join_writes()
            self._answer()

    def switch(self, event: ReceiveSwitched) -> None:
        """The client wants audio or video, or does not."""
        wants = self._player.wants_next
        if event.type is MessageType.AUDIO:
            wants = wants._replace(audio=event.enabled)
        else:
            wants = wants._replace(video=event.enabled)
        if self._stream is None:
            self._player.wants_next = wants
        else:
            self._stream.switch(self._player, wants)

    def pause(self, *, paused: bool) -> None:
        """The client halts, or goes on with what is live then (§7.2.2.8)."""
        code = PAUSE_NOTIFY if paused else UNPAUSE_NOTIFY
        self._tell(code, "Paused." if paused else "Going on.")
        if self._stream is None:
            self._player.is_paused = paused
        else:
            self._stream.pause(self._player, paused=paused)

    def close(self) -> None:
        if self._stream is not None:
            self._stream.leave(self._player)

    # what the stream tells its player

    def play_started(self) -> None:
        """Answers a client that did not have to wait, and notifies one that did."""
        if self._is_answered:
            self._tell(PUBLISH_NOTIFY, "is now published")
        else:
            self._answer()

    def play_suspended(self) -> None:
        """The publisher may come back."""
        self._tell(UNPUBLISH_NOTIFY, "is now unpublished")

    def play_ended(self, reason: PlayEnd) -> None:
        """Ends the play; the connection too, if it is what cannot keep up."""
        match reason:
            case PlayEnd.TOO_SLOW:
                self.session.end(goodbye.overrun(self.session.buffered_bytes))
                return
            case PlayEnd.NOT_FOUND:
                self._reject(status.PLAY_STREAM_NOT_FOUND)
                return
            case PlayEnd.UNPUBLISHED:
                self._tell(UNPUBLISH_NOTIFY, "is now unpublished")
        with suppress(LocalProtocolError):  # who plays its own stream may have closed both at once
            self.session.connection.finish_play(self.message_stream_id)
        self.end()

    def _answer(self) -> None:
        if not self._is_answered:
            self._is_answered = True
            self.session.connection.accept_play(self.message_stream_id)

    def _reject(self, code: str) -> None:
        self.session.connection.reject_play(self.message_stream_id, code, "No such stream.")
        self.end()

    def _tell(self, code: str, what: str) -> None:
        description = f"{self.request['stream_name']} {what}."
        information = status.status(code, description)
        self.session.connection.send_status(self.message_stream_id, information)
        self.session.flush_soon()
