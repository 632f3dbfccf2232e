"""What a stream keeps for those who join it late."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeVar

from rtmp_channels.media.gop import GopCache, GopLimits
from rtmp_channels.media.packet import Packet
from rtmp_channels.protocol.constants import MessageType

K = TypeVar("K")


class Wants(NamedTuple):
    """What one player gets; players that want the same share their bytes."""

    message_stream_id: int = 1
    audio: bool = True
    video: bool = True

    def select(self, packets: Iterable[Packet]) -> Iterable[Packet]:
        """Those of the packets that the player gets; data always."""
        if self.audio and self.video:
            return packets
        left_out = {MessageType.AUDIO: not self.audio, MessageType.VIDEO: not self.video}
        return [packet for packet in packets if not left_out.get(packet.type)]

    def encode(self, packets: Iterable[Packet]) -> bytes:
        """The player's packets in chunks, joined."""
        return b"".join([packet.encode(self.message_stream_id) for packet in self.select(packets)])


@lru_cache(maxsize=64)
def wants_on(message_stream_id: int) -> Wants:
    """Everything, on that message stream.

    The same object for all players on theirs, as far as it can be: they are compared at each write.
    """
    return Wants(message_stream_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadLimits:
    """How much is kept beside the group of pictures; what exceeds it is relayed, but not kept."""

    bytes: int = 262_144
    """Payload of all metadata and setup messages together."""

    messages: int = 64
    """Their number: data handlers, tracks."""


class StreamCache:
    """Metadata, setup messages (sequence headers) and the group of pictures since the keyframe."""

    def __init__(self, *, gop: GopLimits | None = None, head: HeadLimits | None = None) -> None:
        self.gop = GopCache(gop or GopLimits())
        self.has_video = False
        """Whether any video came: then players start at keyframes."""
        self._limits = head or HeadLimits()
        self._data: dict[str, Packet] = {}
        self._setups: dict[tuple[int, ...], Packet] = {}

    def add(self, packet: Packet) -> None:
        """Takes audio, video, or data that need not be kept."""
        if packet.type is MessageType.VIDEO:
            self.has_video = True
        if packet.is_setup:
            self._keep_setup(packet)
        else:
            self.gop.add(packet)

    def keep_data(self, name: str, packet: Packet) -> None:
        """Takes data that stays true until it is replaced: `onMetaData`, `@setDataFrame`."""
        self._keep(self._data, name, packet)

    def forget_data(self, name: str) -> None:
        """Obeys `@clearDataFrame`."""
        self._data.pop(name, None)

    def head(self, wants: Wants, *, timestamp: int) -> list[Packet]:
        """Metadata, then setup messages.

        These are at the time of the packet that follows them: players measure from the first one,
        and headers hours older would be hours of waiting. Metadata is at 0, as at a stream's start:
        at any other time ffmpeg takes it for subtitles.
        """
        data = [packet.at(0) for packet in self._data.values()]
        return data + [packet.at(timestamp) for packet in wants.select(self._setups.values())]

    def start(self, wants: Wants) -> list[Packet]:
        """The head and the group of pictures; empty if there is no keyframe to start with."""
        if not self.gop.packets:
            return []
        timestamp = self.gop.packets[0].timestamp
        return [*self.head(wants, timestamp=timestamp), *wants.select(self.gop.packets)]

    def _keep_setup(self, packet: Packet) -> None:
        key = packet.head.setup
        before = self._setups.get(key)
        if before is not None and before.payload == packet.payload:
            return
        self.gop.clear()  # it belongs to other headers
        self._keep(self._setups, key, packet)

    def _keep(self, store: dict[K, Packet], key: K, packet: Packet) -> None:
        store.pop(key, None)
        kept = [*self._data.values(), *self._setups.values()]
        size = sum(len(one.payload) for one in kept) + len(packet.payload)
        if size <= self._limits.bytes and len(kept) < self._limits.messages:
            store[key] = packet
