"""The group of pictures that a late joiner starts with."""

from __future__ import annotations

from dataclasses import dataclass

from rtmp_channels.media.packet import Packet
from rtmp_channels.media.timeline import difference


@dataclass(frozen=True, slots=True, kw_only=True)
class GopLimits:
    """A group beyond one of these is dropped: who joins then waits for the next keyframe."""

    bytes: int = 1_572_864
    """Payload; about twice that is held while players join."""

    packets: int = 4_096
    """Audio, video and data; bounds what many small packets cost."""

    milliseconds: int = 20_000
    """From the keyframe on; also how far behind live a joiner may start."""


class GopCache:
    """Everything since the last keyframe, within limits."""

    __slots__ = ("_bytes", "_limits", "_packets")

    def __init__(self, limits: GopLimits) -> None:
        self._limits = limits
        self._packets: list[Packet] = []
        self._bytes = 0

    @property
    def packets(self) -> list[Packet]:
        """From the keyframe on, in the order they came; empty if there is nothing to start with."""
        return self._packets

    @property
    def bytes(self) -> int:
        """The payload held."""
        return self._bytes

    def add(self, packet: Packet) -> None:
        """Takes the next packet of the stream; setup messages do not belong here."""
        if packet.is_keyframe:
            self.clear()
        elif not self._packets:
            return
        self._packets.append(packet)
        self._bytes += len(packet.payload)
        if self._is_over_limits(packet):
            self.clear()

    def clear(self) -> None:
        """Forgets the group; the next one begins with the next keyframe."""
        self._packets = []
        self._bytes = 0

    def _is_over_limits(self, latest: Packet) -> bool:
        limits = self._limits
        age = difference(latest.timestamp, self._packets[0].timestamp)
        return (
            self._bytes > limits.bytes
            or len(self._packets) > limits.packets
            or abs(age) > limits.milliseconds
        )
