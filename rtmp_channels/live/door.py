"""A session's way to the live streams: asks the application once per request, then stays out."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from rtmp_channels import goodbye
from rtmp_channels.counters import Limit
from rtmp_channels.goodbye import Ending
from rtmp_channels.live.playing import Playing
from rtmp_channels.live.publishing import Publishing
from rtmp_channels.live.use import Message, StreamUse
from rtmp_channels.protocol.events import (
    DataReceived,
    MediaReceived,
    PauseRequested,
    ReceiveSwitched,
)

if TYPE_CHECKING:
    from rtmp_channels.session import Session


MAX_UNANSWERED = 64
"""Requests of one connection, for applications that never answer."""


class StreamDoor:
    """The uses of a connection's message streams.

    Answers of the application count for the requests of a message stream in their order: a client
    that closes a stream and asks for another one on it gains nothing by the first one's answer.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._uses: dict[int, StreamUse] = {}
        self._unanswered: dict[int, deque[StreamUse]] = {}

    # the client

    def request_publish(self, message: Message, size: int) -> None:
        """`publish`: the application is asked."""
        self._request(Publishing(self._session, message), size)

    def request_play(self, message: Message, size: int) -> None:
        """`play`, perhaps in place of what the message stream played before."""
        self._request(Playing(self._session, message), size)

    def take_media(self, event: MediaReceived) -> None:
        """Audio or video of a publisher."""
        use = self._uses.get(event.message_stream_id)
        if isinstance(use, Publishing):
            use.take_media(event)

    def take_data(self, event: DataReceived) -> None:
        """A publisher's data."""
        use = self._uses.get(event.message_stream_id)
        if isinstance(use, Publishing):
            use.take_data(event)

    def switch(self, event: ReceiveSwitched) -> None:
        """receiveAudio or receiveVideo of a player."""
        use = self._uses.get(event.message_stream_id)
        if isinstance(use, Playing):
            use.switch(event)

    def pause(self, event: PauseRequested) -> None:
        """A player halts, or goes on."""
        use = self._uses.get(event.message_stream_id)
        if isinstance(use, Playing):
            use.pause(paused=event.paused)

    def end(self, message_stream_id: int) -> None:
        """The client is done with the stream; the application hears of it."""
        use = self._uses.get(message_stream_id)
        if use is not None:
            use.close()
            self.forget(use)

    def stop_playing(self) -> None:
        """Nothing can be sent to the client; what it publishes may still reach others."""
        for use in tuple(self._uses.values()):
            if isinstance(use, Playing):
                self.end(use.message_stream_id)

    # the application

    def accept(self, message: Message) -> bool:
        """Whether the answer was for a request of this connection, even one that is over."""
        use = self._answered(message)
        if use is not None and self._uses.get(use.message_stream_id) is use:
            use.accept(message)
        return use is not None

    def reject(self, message: Message) -> bool:
        """Whether the refusal is still to be told to the client."""
        use = self._answered(message)
        if use is None:
            return True
        if self._uses.get(use.message_stream_id) is not use:
            return False
        use.close()
        del self._uses[use.message_stream_id]
        self._session.application.streams.reject(use.message_stream_id)
        return True

    # endings

    def forget(self, use: StreamUse) -> None:
        """The use is over; the application hears of it."""
        if self._uses.get(use.message_stream_id) is use:
            del self._uses[use.message_stream_id]
            application = self._session.application
            message = application.streams.end(use.message_stream_id)
            if message is not None:
                application.put(message, 0)

    def close(self) -> None:
        """Ends all uses with the connection."""
        uses, self._uses = self._uses, {}
        self._unanswered.clear()
        for use in uses.values():
            use.close()

    def _request(self, use: StreamUse, size: int) -> None:
        self.end(use.message_stream_id)
        if sum(len(requests) for requests in self._unanswered.values()) >= MAX_UNANSWERED:
            reason = f"more than {MAX_UNANSWERED} requests for streams wait for the application"
            limit = Limit.UNANSWERED
            self._session.end(Ending(goodbye.FAILED, reason, level=logging.WARNING, limit=limit))
            return
        self._uses[use.message_stream_id] = use
        self._unanswered.setdefault(use.message_stream_id, deque()).append(use)
        application = self._session.application
        application.streams.request(use.request)
        application.put(use.request, size)

    def _answered(self, message: Message) -> StreamUse | None:
        requests = self._unanswered.get(message["message_stream_id"])
        if not requests:
            return None
        use = requests.popleft()
        if not requests:
            del self._unanswered[use.message_stream_id]
        return use
