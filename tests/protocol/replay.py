"""Replays what a client once sent to another server; see tests/captures/rtmp."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rtmp_channels.protocol import Connection
from rtmp_channels.protocol.events import ConnectRequested, Event, PlayRequested, PublishRequested

CAPTURES = Path(__file__).parents[1] / "captures" / "rtmp"
NAMES = sorted(path.stem for path in CAPTURES.glob("*.bin"))


def captured(name: str) -> bytes:
    """Everything one client wrote, from C0 on."""
    return (CAPTURES / f"{name}.bin").read_bytes()


def replay(connection: Connection, pieces: Iterator[bytes]) -> list[Event]:
    """Feeds the pieces and agrees to whatever the client asks for."""
    events: list[Event] = []
    for piece in pieces:
        new = connection.receive_data(piece)
        for event in new:  # grows while it is read: what was held back comes behind
            match event:
                case ConnectRequested():
                    new += connection.accept_connect()
                case PublishRequested(message_stream_id=stream):
                    connection.accept_publish(stream)
                case PlayRequested(message_stream_id=stream) if event is new[-1]:
                    connection.accept_play(stream)
        events += new
    return events
