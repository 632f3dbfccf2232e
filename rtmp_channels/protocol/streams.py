"""The message streams of one server connection (RTMP 1.0 §7.2.1.3, §7.2.2)."""

from __future__ import annotations

from dataclasses import dataclass

from rtmp_channels.protocol.state import STREAM_TRANSITIONS, StreamInput, StreamState

_LABEL_LENGTH = 256


@dataclass(slots=True)
class MessageStream:
    """One stream between createStream and deleteStream."""

    id: int
    state: StreamState = StreamState.IDLE
    name: str = ""
    """As the client wrote it, while it publishes or plays."""
    reset: bool = False
    """Whether the play request that waits for an answer ends an earlier play list."""

    @property
    def label(self) -> str:
        """The name's beginning, for descriptions."""
        return self.name[:_LABEL_LENGTH]

    @property
    def is_idle(self) -> bool:
        return self.state is StreamState.IDLE

    def change(self, happened: StreamInput, name: str = "") -> bool:
        """Moves the stream on; False, and nothing changed, where its state does not allow that."""
        state = STREAM_TRANSITIONS.get((self.state, happened))
        if state is None:
            return False
        self.state, self.name = state, name
        return True


class MessageStreams:
    """All streams of a connection, by their ids; 1 is the first, and no id comes twice."""

    def __init__(self, max_streams: int) -> None:
        self._max_streams = max_streams
        self._streams: dict[int, MessageStream] = {}
        self._last_id = 0

    def create(self) -> MessageStream | None:
        """A new stream, or None when there are too many."""
        if len(self._streams) == self._max_streams:
            return None
        self._last_id += 1
        stream = self._streams[self._last_id] = MessageStream(self._last_id)
        return stream

    def get(self, message_stream_id: int) -> MessageStream | None:
        return self._streams.get(message_stream_id)

    def is_publishing(self, message_stream_id: int) -> bool:
        stream = self._streams.get(message_stream_id)
        return stream is not None and stream.state is StreamState.PUBLISHING

    def delete(self, message_stream_id: int) -> bool:
        """Whether there was such a stream."""
        return self._streams.pop(message_stream_id, None) is not None

    def find(self, name: str) -> MessageStream | None:
        """The stream that publishes or plays this name."""
        for stream in self._streams.values():
            if not stream.is_idle and stream.name == name:
                return stream
        return None
