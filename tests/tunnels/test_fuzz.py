"""Requests and frames in any order and of any content: an answer, or an end, and nothing left."""

import asyncio
import logging
import random

import pytest

from rtmp_channels.routing import RtmpRouter
from rtmp_channels.tunnels.rtmpt import RtmptTunnel
from rtmp_channels.tunnels.websocket import WebSocketTunnel
from tests.protocol.fuzz import CORPUS, mutate

from .applications import Lobby, pages
from .peers import FramedClient, post

CASES = 60


def pieces(rng):
    """A mutated conversation, cut anywhere."""
    data = mutate(rng, rng.choice(CORPUS))[:20_000]
    while data:
        size = rng.choice([1, 100, 1537, 10_000])
        yield data[:size]
        data = data[size:]


@pytest.fixture
def application():
    return RtmpRouter({name: Lobby.as_asgi() for name in ("lobby", "live", "app")})


@pytest.mark.parametrize("seed", range(3))
async def test_requests_in_any_order(application, settings, sessions, caplog, seed):
    settings.RTMP_CHANNELS = {"TUNNEL_HOLD": 0.0, "TUNNEL_REQUEST_BYTES": 9_000}
    rng, tunnel = random.Random(seed), RtmptTunnel(application, pages)
    seen = set()
    with caplog.at_level(logging.ERROR):
        for _ in range(CASES):
            response = await post(tunnel, "/open/1")
            name, number = response.content.decode().strip(), rng.choice([0, 0, 0, 1, 2])
            for piece in pieces(rng):
                command = rng.choice(["send"] * 8 + ["idle", "close"])
                response = await post(tunnel, f"/{command}/{name}/{number}", piece)
                seen.add(response.status)
                if response.status != 200:
                    break
                number += rng.choice([1] * 30 + [0, 2, -1])
    assert seen == {200, 400, 404, 413}
    assert [one.getMessage() for one in caplog.records if "rtmp" in one.name] == []
    sessions.end_all()
    for transport in tuple(tunnel._transports.values()):
        transport.lose()
    await sessions.all_closed(20)
    assert (len(sessions), tunnel._transports) == (0, {})


@pytest.mark.parametrize("seed", range(3))
async def test_frames_of_any_content(application, sessions, caplog, seed):
    rng, tunnel = random.Random(seed), WebSocketTunnel(application)
    with caplog.at_level(logging.ERROR):
        for _ in range(CASES):
            client = FramedClient(tunnel)
            for piece in pieces(rng):
                client.send(piece)
            if rng.random() < 0.2:
                client.to_server.put_nowait({"type": "websocket.receive", "text": "hello"})
            client.to_server.put_nowait({"type": "websocket.disconnect", "code": 1000})
            await asyncio.wait_for(client.task, 20)
    assert [one.getMessage() for one in caplog.records if "rtmp" in one.name] == []
    await sessions.all_closed(20)
    assert len(sessions) == 0
