"""The message streams of a connection that an application knows of, or has allowed."""

from __future__ import annotations

from typing import Any

_ENDS = {"rtmp.publish": "rtmp.unpublish", "rtmp.play": "rtmp.stop"}


class StreamTable:
    """Which streams are requested or in use, so that each ends once, whatever ends it."""

    def __init__(self) -> None:
        self._streams: dict[int, dict[str, Any]] = {}

    def request(self, message: dict[str, Any]) -> None:
        """The client asks to publish or to play."""
        self._streams[message["message_stream_id"]] = message

    def reject(self, message_stream_id: int) -> None:
        """The application refuses; there is no end to report."""
        self._streams.pop(message_stream_id, None)

    def end(self, message_stream_id: int) -> dict[str, Any] | None:
        """The message that reports the end of a stream, if it was in use."""
        request = self._streams.pop(message_stream_id, None)
        if request is None:
            return None
        return {
            "type": _ENDS[request["type"]],
            "message_stream_id": message_stream_id,
            "stream_name": request["stream_name"],
        }

    def end_all(self) -> list[dict[str, Any]]:
        """The same for every stream, when the connection ends."""
        ends = [self.end(message_stream_id) for message_stream_id in tuple(self._streams)]
        return [end for end in ends if end is not None]
