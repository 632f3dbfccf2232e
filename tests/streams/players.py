"""Subscribers that remember what they got, read by our protocol's client role."""

from __future__ import annotations

from rtmp_channels.media.cache import Wants
from rtmp_channels.media.packet import Packet
from rtmp_channels.protocol.chunk_reader import ChunkReader
from rtmp_channels.streams.player import PlayEnd, Player


class Viewer:
    """One player: its subscriber, its listener, and what both saw."""

    def __init__(self, wants: Wants | None = None) -> None:
        self.buffered_bytes = 0
        self.writes: list[bytes] = []
        self.told: list[object] = []
        self.player = Player(self, self, wants or Wants())

    def write_shared(self, data: bytes) -> None:
        self.writes.append(data)

    def write_within(self, data: bytes, limit: int) -> bool:
        has_room = self.buffered_bytes <= limit
        if has_room:
            self.write_shared(data)
        return has_room

    def play_started(self) -> None:
        self.told.append("started")

    def play_suspended(self) -> None:
        self.told.append("suspended")

    def play_ended(self, reason: PlayEnd) -> None:
        self.told.append(reason)

    def take(self) -> list[tuple[int, int, bytes]]:
        """Type, time and body of every message since the last call."""
        return [(type_, time, payload) for _, type_, time, payload in self.take_all()]

    def take_all(self) -> list[tuple[int, int, int, bytes]]:
        """The same with the message stream id in front."""
        reader = ChunkReader(
            max_message_length=0xFFFFFF, max_partial_bytes=0xFFFFFF, max_chunk_streams=8
        )
        reader.chunk_size = 65_536
        reader.feed(b"".join(self.writes))
        self.writes.clear()
        found = []
        while (message := reader.next_message()) is not None:
            found.append(
                (message.message_stream_id, message.type, message.timestamp, message.payload)
            )
        return found


def seen(*packets: Packet) -> list[tuple[int, int, bytes]]:
    """What `take` gives for these packets."""
    return [(packet.type, packet.timestamp, packet.payload) for packet in packets]
