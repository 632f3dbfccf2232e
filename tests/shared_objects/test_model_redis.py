"""The model of distant clients again: two processes over Redis, which lose hints and answers."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from rtmp_channels.shared_objects import lookout as lookout_module
from rtmp_channels.shared_objects.hub import SharedObjectHub
from rtmp_channels.shared_objects.refusals import SequencerUnavailable
from rtmp_channels.shared_objects.rules import SharedObjectRules
from rtmp_channels.shared_objects.sequencers.redis import RedisSequencer
from tests.rooms.layers import FakeLayer
from tests.shared_objects.test_model import SharedObjectMachine

pytestmark = pytest.mark.redis


class LossyLayer(FakeLayer):
    """Loses every other message, at random."""

    rng = random.Random(1)

    async def group_send(self, group, message):
        if self.rng.random() < 0.5:
            await super().group_send(group, message)


def lose_answers(sequencer, number, deaf):
    """Redis decides, but its answer is lost to the process of this number while it is deaf."""
    decide = sequencer.exchange

    async def exchange(*arguments):
        decided = await decide(*arguments)
        if number in deaf:
            deaf.discard(number)
            raise SequencerUnavailable("the answer was lost")
        return decided

    sequencer.exchange = exchange


class RedisMachine(SharedObjectMachine):
    """Two hubs on one Redis, whose log is so short that a process may miss more than it holds."""

    url = ""
    log_length = 6

    async def make_hubs(self):
        rules = SharedObjectRules(tombstones=2, log_length=self.log_length)
        self.layer = LossyLayer()
        return [
            SharedObjectHub(RedisSequencer(self.url, rules), rules, layer=self.layer)
            for _ in range(2)
        ]

    def __init__(self):
        self.deaf = set()
        """Processes that will not hear what Redis decides on next."""
        super().__init__()
        for number, hub in enumerate(self.hubs):
            lose_answers(hub.sequencer, number, self.deaf)

    @rule(process=st.integers(0, 1))
    def lose_the_next_answer(self, process):
        self.deaf.add(process)

    async def rest(self):
        async with asyncio.timeout(20):
            while self.is_busy():
                await asyncio.sleep(0.0005)
        await super().rest()

    def is_busy(self):
        return any(
            hub.sequencer._closing or any(turns.is_busy for turns in hub._objects.values())
            for hub in self.hubs
        ) or any(
            link._task
            for client in self.all
            if not client.gone
            for link in client.port._links.values()
        )

    async def catch_up(self):
        self.deaf.clear()
        for hub in self.hubs:
            await hub._lookout._compare(tuple(hub._objects))
        await self.rest()

    def check_sends(self, count):
        """Those that the log held no more are lost, and only those."""
        assert len(self.witness.sent) <= count


class LongLogMachine(RedisMachine):
    """With a log that reaches back, nothing at all is lost."""

    log_length = 1_000

    def check_sends(self, count):
        assert len(self.witness.sent) == count


@pytest.mark.parametrize("machine", [RedisMachine, LongLogMachine])
def test_all_replicas_hold_the_history(machine, redis_url, monkeypatch):
    monkeypatch.setattr(lookout_module, "WATCH_INTERVAL", 3600)
    monkeypatch.setattr(machine, "url", redis_url)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],  # the machine may be busy
        ),
    )
