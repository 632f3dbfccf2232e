"""Captured conversations, mutated and cut to pieces: nothing but clean ends."""

import asyncio
import logging
import random
from pathlib import Path

import pytest

from rtmp_channels.conf import RtmpSettings
from rtmp_channels.consumers import AsyncRtmpConsumer, remote
from rtmp_channels.permissions import ANYONE
from rtmp_channels.phase import Phase
from rtmp_channels.server.shutdown import close_hubs
from rtmp_channels.session import Session
from rtmp_channels.shared_objects.grants import Grant
from tests.server.wire import PEER, FakeTransport

CAPTURES = sorted((Path(__file__).parent.parent / "captures/rtmp").glob("*.bin"))
HANDSHAKE = 1 + 1536 + 1536


class Permissive(AsyncRtmpConsumer):
    may_connect = may_call = ANYONE

    @remote
    async def callme(self, *arguments):
        return await self.call("ping2")

    async def on_publish(self, message):
        return True

    async def on_play(self, message):
        return True

    async def on_shared_object(self, request):
        return Grant()


def mutated(capture, chance):
    data = bytearray(capture)
    del data[chance.randrange(HANDSHAKE, len(data)) + 1 :]
    for _ in range(chance.choice([0, 1, 2, 5, 20])):
        at = chance.randrange(min(HANDSHAKE, len(data) - 1), len(data))
        data[at] = chance.choice([0, 1, 255, chance.randrange(256)])
    return bytes(data)


class Host:
    """Some ends take a trip to a thread (old database connections), so they are waited for."""

    def __init__(self):
        self.is_closed = asyncio.Event()

    def application_started(self, session, task):
        pass

    def session_ending(self, session):
        pass

    def session_closed(self, session):
        self.is_closed.set()


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
async def test_mutated_conversations(path, caplog):
    chance = random.Random(path.stem)
    capture = path.read_bytes()[:30_000]
    before = asyncio.all_tasks()
    with caplog.at_level(logging.WARNING):
        for _ in range(40):
            data = mutated(capture, chance)
            host = Host()
            session = Session(
                FakeTransport(),
                Permissive.as_asgi(),
                peer=PEER,
                settings=RtmpSettings(),
                host=host,
            )
            at = 0
            while at < len(data):
                size = chance.choice([1, 7, 100, 4_096, 65_536])
                session.data_received(data[at : at + size])
                at += size
                if chance.random() < 0.3:
                    await asyncio.sleep(0)
            session.connection_lost(None)
            await asyncio.wait_for(host.is_closed.wait(), 10)
            assert session.phase is Phase.CLOSED
    assert caplog.records == []
    await close_hubs()
    async with asyncio.timeout(10):
        while asyncio.all_tasks() - before:
            await asyncio.sleep(0.001)
