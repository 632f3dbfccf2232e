"""Random clients at a distance: whatever they do, in the end all hold the sequencer's history."""

from __future__ import annotations

import asyncio

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, multiple, rule

from rtmp_channels.protocol.shared_object import ECHO, RequestChange, RequestClear, Use, UseSuccess
from rtmp_channels.shared_objects.encoding import decode_value
from rtmp_channels.shared_objects.operations import EventKind
from rtmp_channels.shared_objects.sequencers.base import Exchange
from tests.shared_objects.clients import DistantClient, make_hub, settle

keys = st.sampled_from(["a", "b", "ü"])
values = st.one_of(st.integers(0, 3), st.none(), st.just({"x": [1, "é"]}))


def record_commits(sequencer, commits):
    """Adds all that the sequencer decides on to `commits`, by sequence number: the history."""
    decide = sequencer.exchange

    def record(exchange):
        for outcome in exchange.outcomes:
            if outcome.commit is not None:
                assert outcome.commit.sequence not in commits
                commits[outcome.commit.sequence] = outcome.commit
        return exchange

    async def record_later(pending):
        return record(await pending)

    def exchange(key, since, batches):
        exchange = decide(key, since, batches)
        return record(exchange) if isinstance(exchange, Exchange) else record_later(exchange)

    sequencer.exchange = exchange


class SharedObjectMachine(RuleBasedStateMachine):
    """Clients use, change, send, release, vanish and come back; messages travel when they like."""

    clients = Bundle("clients")
    reject_lost_changes = True

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.hubs = self.loop.run_until_complete(self.make_hubs())
        self.commits = {}
        for hub in self.hubs:
            record_commits(hub.sequencer, self.commits)
        self.all = []
        # Somebody is always there, so that the object lives on.
        self.witness = self.make(0)
        for step in (self.witness.say_use, self.witness.let_out, self.witness.let_in):
            self.run(step)
        self.first_version = self.witness.version

    async def make_hubs(self):
        """One hub per process; each client is on one of them."""
        return [make_hub(tombstones=2, reject_lost_changes=self.reject_lost_changes)]

    async def rest(self):
        """Until all that is under way in the server is done."""
        await settle()

    def make(self, process, **options):
        hub = self.hubs[process % len(self.hubs)]
        client = _Replica(hub, f"client {len(self.all)}", **options)
        self.all.append(client)
        return client

    def run(self, function, *arguments):
        async def call():
            function(*arguments)
            await self.rest()

        self.loop.run_until_complete(call())

    @rule(
        target=clients,
        process=st.integers(0, 1),
        flags=st.sampled_from([0, ECHO]),
        encoding=st.sampled_from([0, 3]),
    )
    def connect(self, process, flags, encoding):
        client = self.make(process, flags=flags, encoding=encoding)
        self.run(client.say_use)
        return client

    @rule(client=clients, changes=st.lists(st.tuples(keys, values), min_size=1, max_size=3))
    def change(self, client, changes):
        if client.is_synchronised or (client.using and client.flags & ECHO):
            self.run(client.set_many, changes)

    @rule(client=clients, key=keys)
    def remove(self, client, key):
        if client.using:
            self.run(client.remove, key)

    @rule(client=clients)
    def clear(self, client):
        if client.using:
            self.run(client.say, RequestClear())

    @rule(client=clients, number=st.integers(0, 9))
    def send(self, client, number):
        self.run(client.send, "hello", number)

    @rule(client=clients)
    def release(self, client):
        self.run(client.say_release)

    @rule(client=clients)
    def use(self, client):
        self.run(client.say_use)

    @rule(target=clients, client=clients, process=st.integers(0, 1))
    def vanish_and_come_back(self, client, process):
        """A new connection of a player that still has its data."""
        if client.gone or not client.flags & ECHO:
            return multiple()  # what a Flash client shows need not have been accepted
        self.run(client.vanish)
        successor = self.make(process, flags=client.flags, encoding=client.encoding)
        successor.data, successor.version = dict(client.data), client.version
        self.run(successor.say_use)
        return successor

    @rule(client=clients, count=st.integers(1, 4))
    def let_out(self, client, count):
        for _ in range(count):
            self.run(client.let_out)

    @rule(client=clients, count=st.integers(1, 4))
    def let_in(self, client, count):
        for _ in range(count):
            self.run(client.let_in)

    def teardown(self):
        for client in self.all:
            while client.outgoing:
                self.run(client.let_out)
        try:
            self.loop.run_until_complete(self.catch_up())
            for client in self.all:
                while client.incoming:
                    self.run(client.let_in)
            self.compare()
        finally:
            for client in self.all:
                self.run(client.port.close)
            for hub in self.hubs:
                self.loop.run_until_complete(hub.close())
            self.loop.close()

    async def catch_up(self):
        """Until every process has heard of everything."""

    def compare(self):
        commits = [self.commits[sequence] for sequence in sorted(self.commits)]
        history = self.replay(commits)
        sends = [
            event.data
            for commit in commits
            for event in commit.events
            if event.kind is EventKind.SEND
        ]
        for client in self.all:
            if client.using:
                assert client.data == history, client.id
        self.check_sends(len(sends))

    def check_sends(self, count):
        assert len(self.witness.sent) == count

    def replay(self, commits):
        """The history's end, worked out anew; nothing is missing in between."""
        slots = {}
        version, sequence = self.first_version, 0
        for commit in commits:
            assert commit.previous_sequence == sequence
            sequence = commit.sequence
            for event in commit.events:
                match event.kind:
                    case EventKind.CHANGE:
                        slots[event.key] = decode_value(event.data)
                    case EventKind.REMOVE:
                        del slots[event.key]
                    case EventKind.CLEAR:
                        slots.clear()
            changed = any(event.kind is not EventKind.SEND for event in commit.events)
            assert commit.version == version + changed
            version = commit.version
        return slots


class _Replica(DistantClient):
    """Knows whether it uses the object, and what the server has told it."""

    using = False
    gone = False
    unanswered = 0

    @property
    def is_synchronised(self):
        """Before the answer to its use comes, which starts with a Clear, Flash shows nothing."""
        return self.using and not self.unanswered

    def _follow(self, event):
        super()._follow(event)
        if isinstance(event, UseSuccess):
            self.unanswered -= 1

    def say_use(self):
        if not self.using and not self.gone:
            self.using = True
            self.unanswered += 1
            self.say(Use())

    def say_release(self):
        if self.using:
            self.using = False
            self.release()

    def set_many(self, changes):
        if not self.flags & ECHO:
            for key, value in changes:
                self.show(key, value)
        self.say(RequestChange(tuple(changes)))

    def vanish(self):
        self.gone = True
        self.using = False
        self.outgoing.clear()
        self.incoming.clear()
        self.port.close()


TestSharedObject = SharedObjectMachine.TestCase
TestSharedObject.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # the machine may be busy
)


class LastWinsMachine(SharedObjectMachine):
    """The same where no change is lost."""

    reject_lost_changes = False


TestLastWins = LastWinsMachine.TestCase
TestLastWins.settings = TestSharedObject.settings


class TickMachine(SharedObjectMachine):
    """The same where those who only read are told at the end of ticks."""

    async def make_hubs(self):
        return [make_hub(tombstones=2, tick_ms=3_600_000)]

    @rule()
    def tick(self):
        for turns in self.hubs[0]._objects.values():
            turns.fanout.flush()

    async def catch_up(self):
        self.tick()


TestTick = TickMachine.TestCase
TestTick.settings = TestSharedObject.settings
