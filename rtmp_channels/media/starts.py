"""Which packets players can start with."""

from __future__ import annotations

from enum import Enum, auto

from rtmp_channels.media.packet import Packet
from rtmp_channels.media.tags import TagKind
from rtmp_channels.protocol.constants import MessageType


class Start(Enum):
    """What a packet is to those who wait for one to start with."""

    HERE = auto()
    """They start with it."""
    NOT_HERE = auto()
    """They do not."""
    USELESS = auto()
    """A frame before the first keyframe: nobody can show it."""


class StartFinder:
    """Watches one publisher's packets.

    `patience` is the number of video frames without a keyframe after which players start anywhere:
    with intra refresh the only keyframe is the first.
    """

    __slots__ = ("_frames", "_has_started", "_patience")

    def __init__(self, *, patience: int) -> None:
        self._patience = patience
        self._frames = 0
        self._has_started = False

    def judge(self, packet: Packet) -> Start:
        """Takes the next packet."""
        if packet.is_keyframe:
            self._has_started = True
            self._frames = 0
            return Start.HERE
        if packet.type is not MessageType.VIDEO or packet.head.kind is not TagKind.FRAME:
            return Start.NOT_HERE
        self._frames += 1
        if self._frames > self._patience:
            return Start.HERE
        return Start.NOT_HERE if self._has_started else Start.USELESS
