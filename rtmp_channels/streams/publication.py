"""A publisher's hold on a stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rtmp_channels.media.packet import Packet
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.streams.stream import Stream

METADATA = "onMetaData"
CLEAR_DATA_FRAME = "@clearDataFrame"


class Publication:
    """Takes a publisher's packets until it is closed, whoever closes it, and ignores the rest."""

    def __init__(
        self,
        stream: Stream,
        *,
        on_taken_over: Callable[[], None],
        on_tick: Callable[[], None],
        on_closed: Callable[[Publication], None],
    ) -> None:
        self.on_tick = on_tick
        self._stream = stream
        self._on_taken_over = on_taken_over
        self._on_closed = on_closed

    @property
    def name(self) -> str:
        """The stream's."""
        return self._stream.name

    @property
    def is_open(self) -> bool:
        """Whether this is still the stream's publisher."""
        return self._stream.publisher is self

    def take(self, packet: Packet) -> None:
        """Takes audio or video."""
        if self.is_open:
            self._stream.take(packet)

    def take_data(
        self, timestamp: int, values: Sequence[Any], payload: bytes, *, keep: bool = False
    ) -> None:
        """Takes a data message: its decoded `values`, and the same as a DATA_AMF0 body.

        `keep` is for `@setDataFrame`; `onMetaData` is always kept, since relays send it bare.
        """
        name = values[0] if values else None
        if not self.is_open or not isinstance(name, str):
            return
        packet = Packet(MessageType.DATA_AMF0, timestamp, payload)
        if name == CLEAR_DATA_FRAME:
            self._stream.forget_data(str(values[1]) if len(values) > 1 else METADATA)
        elif keep or name == METADATA:
            self._stream.keep_data(name, packet)
        else:
            self._stream.take(packet)

    def close(self) -> None:
        """Ends the publication: every way to end leads here, and all but the first do nothing."""
        if self.is_open:
            self._on_closed(self)
            self._stream.end()

    def hand_over(self) -> None:
        """Another publisher takes the stream, now; only while this one is open."""
        self._on_closed(self)
        self._stream.end(hand_over=True)
        self._on_taken_over()
