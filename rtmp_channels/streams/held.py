"""What a publisher sends before it may publish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rtmp_channels.media.cache import StreamCache, Wants
from rtmp_channels.media.gop import GopLimits
from rtmp_channels.media.packet import Packet
from rtmp_channels.streams.publication import METADATA, Publication

MAX_DATA_MESSAGES = 16
MAX_DATA_BYTES = 65_536


class HeldMedia:
    """Keeps what a stream cannot do without: metadata, headers, the latest group of pictures.

    Many publishers send their headers once, right behind `publish`: dropping them, while the
    application decides, would leave a stream that nobody can decode.
    """

    def __init__(self, limits: GopLimits) -> None:
        self._cache = StreamCache(gop=limits)
        self._data: list[tuple[int, Sequence[Any], bytes]] = []
        self._data_bytes = 0

    def take(self, packet: Packet) -> None:
        """Takes audio or video."""
        self._cache.add(packet)

    def take_data(
        self, timestamp: int, values: Sequence[Any], payload: bytes, *, keep: bool = False
    ) -> None:
        """Takes a data message, if it is one to keep."""
        size = self._data_bytes + len(payload)
        is_kept = keep or values[:1] == [METADATA]
        if is_kept and size <= MAX_DATA_BYTES and len(self._data) < MAX_DATA_MESSAGES:
            self._data.append((timestamp, values, payload))
            self._data_bytes = size

    def release(self, publication: Publication) -> None:
        """Hands everything on, in the order that players need."""
        for timestamp, values, payload in self._data:
            publication.take_data(timestamp, values, payload, keep=True)
        gop = self._cache.gop.packets
        timestamp = gop[0].timestamp if gop else 0
        for packet in [*self._cache.head(Wants(), timestamp=timestamp), *gop]:
            publication.take(packet)
