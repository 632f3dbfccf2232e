"""The interleaving that defeated the first RTMP projects."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

import pytest

from amf_remoting import amf
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.events import (
    CallReceived,
    Event,
    MediaReceived,
    SharedObjectReceived,
)
from rtmp_channels.protocol.shared_object import RequestChange, SharedObjectMessage

from .chunks import basic_header, chunk
from .peers import publishing_server

TIME = 0xFFFFFF + 5


def chunks_of(
    payload: bytes, chunk_stream_id: int, *, type: int, stream: int, time: int
) -> Iterator[bytes]:
    """A message in chunks of 128 bytes."""
    yield chunk(
        0,
        chunk_stream_id,
        payload[:128],
        length=len(payload),
        type=type,
        stream=stream,
        time=time,
    )
    extended = time.to_bytes(4, "big") if time >= 0xFFFFFF else b""
    for at in range(128, len(payload), 128):
        yield basic_header(3, chunk_stream_id) + extended + payload[at : at + 128]


@pytest.mark.parametrize(
    ("seed", "piece"), [(0, 13), (1, 1000), (2, 1448), (3, 65_536), (4, 1 << 20)]
)
def test_a_call_of_300_kb_and_a_shared_object_change_interleaved_with_video(seed, piece):
    rng = random.Random(seed)
    text = "".join(rng.choices("abcdefgh€", k=250_000))
    arguments = [text, {"list": [rng.random() for _ in range(1000)]}]
    change = SharedObjectMessage("room/ü", 7, 0, (RequestChange((("key", text[:5000]),)),))
    frames = [rng.randbytes(rng.randrange(1, 20_000)) for _ in range(40)]

    call = amf.dumps_many(["save", 9, None, *arguments], 0)
    assert len(call) > 300_000
    writers = [
        chunks_of(call, 3, type=20, stream=0, time=0),
        chunks_of(change.serialize(), 7, type=19, stream=0, time=0),
        (
            one
            for number, frame in enumerate(frames)
            for one in chunks_of(frame, 70, type=9, stream=1, time=TIME + number)
        ),
    ]
    data = b""
    while writers:
        writer = rng.choice(writers)
        some = list(islice(writer, rng.randrange(1, 4)))
        data += b"".join(some)
        if not some:
            writers.remove(writer)

    connection, _ = publishing_server()
    events: list[Event] = []
    for at in range(0, len(data), piece):
        events += connection.receive_data(data[at : at + piece])
    media = [event for event in events if isinstance(event, MediaReceived)]
    assert media == [
        MediaReceived(1, MessageType.VIDEO, TIME + number, frame)
        for number, frame in enumerate(frames)
    ]
    others = [event for event in events if not isinstance(event, MediaReceived)]
    assert SharedObjectReceived(change) in others
    assert CallReceived(0, 9, "save", None, arguments) in others
    assert len(others) == 2
