"""Clients of shared objects without a network: what they are written, parsed back to events."""

from __future__ import annotations

import asyncio
from collections import deque

from rtmp_channels.protocol.shared_object import (
    ECHO,
    Change,
    Clear,
    Echo,
    Release,
    Remove,
    RequestChange,
    RequestRemove,
    SendMessage,
    SharedObjectMessage,
    Use,
)
from rtmp_channels.shared_objects.grants import Grant
from rtmp_channels.shared_objects.hub import SharedObjectHub
from rtmp_channels.shared_objects.rules import SharedObjectRules
from rtmp_channels.shared_objects.sequencers.memory import MemorySequencer
from tests.shared_objects.chunks import parse_chunks


def make_hub(*, first_version=10, **rules):
    rules = SharedObjectRules(**rules)
    return SharedObjectHub(MemorySequencer(rules, first_version=first_version), rules)


class Client:
    """A connection that keeps a replica, and every event it got.

    Like a Flash client it shows its own changes at once, and takes an acknowledgement for granted;
    with flag 16 it waits for the echo, like npm rtmp-client. The version it sends is the last it
    saw. `events()` hands out the events since the last call.
    """

    def __init__(self, hub, name="client", *, instance="lobby/room1", flags=0, encoding=0):
        self.id = name
        self.flags = flags
        self.encoding = encoding
        self.version = 0
        self.data = {}
        self.sent = []  # what `send` brought, in order
        self.messages = []
        self.grants = {}
        self._fresh = []
        self.port = hub.connect(self, instance=instance, authorise=self.authorise)

    async def authorise(self, request):
        answer = self.grants.get(request.name, Grant())
        if isinstance(answer, asyncio.Future):
            answer = await answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    def write_shared(self, data):
        for message in parse_chunks(data):
            self.messages.append(message)
            for event in message.events:
                self._fresh.append(event)
                self._follow(event)
            if message.version:
                self.version = message.version

    def write_joined(self, data):
        self.write_shared(data)

    def events(self):
        fresh, self._fresh = self._fresh, []
        return fresh

    # What a client says

    def say(self, *events, name="scores", version=None, flags=None):
        message = SharedObjectMessage(
            name,
            self.version if version is None else version,
            self.flags if flags is None else flags,
            events,
            self.encoding,
        )
        payload = message.serialize()  # as the wire carries it
        self.transmit(SharedObjectMessage.parse(payload, object_encoding=self.encoding))

    def transmit(self, message):
        self.port.receive(message)
        end_turn(self.port.hub)

    async def use(self, **options):
        self.say_use(**options)
        await settle()

    def say_use(self, **options):
        self.say(Use(), **options)

    def set(self, key, value, **options):
        if not self.flags & ECHO:
            self.show(key, value)
        self.say(RequestChange(((key, value),)), **options)

    def show(self, key, value):
        if value is None:
            self.data.pop(key, None)
        else:
            self.data[key] = value

    def remove(self, key, **options):
        self.say(RequestRemove(key), **options)

    def send(self, method, *arguments, **options):
        self.say(SendMessage(method, arguments), **options)

    def release(self, **options):
        self.say(Release(), **options)

    # What a client hears

    def _follow(self, event):
        match event:
            case Clear():
                self.data.clear()
            case Change(changes) | Echo(changes):
                self.data.update(changes)
            case Remove(key):
                self.data.pop(key, None)
            case SendMessage(method, arguments):
                self.sent.append((method, *arguments))


class DistantClient(Client):
    """A client whose messages are under way until they are let through, one by one."""

    def __init__(self, hub, name, **options):
        super().__init__(hub, name, **options)
        self.outgoing = deque()
        self.incoming = deque()

    def transmit(self, message):
        self.outgoing.append(message)

    def write_shared(self, data):
        self.incoming.append(data)

    def let_out(self):
        if self.outgoing:
            self.port.receive(self.outgoing.popleft())
            end_turn(self.port.hub)

    def let_in(self):
        if self.incoming:
            super().write_shared(self.incoming.popleft())


def end_turn(hub):
    """Has everyone told what this turn of the loop brought, without the loop."""
    if not hub.rules.tick_ms:
        for turns in hub._objects.values():
            turns.fanout.flush()


async def settle():
    """Lets tasks that wait for nothing but their turn finish."""
    for _ in range(5):
        await asyncio.sleep(0)


async def until(predicate):
    """Waits for what other processes bring about."""
    async with asyncio.timeout(10):
        while not predicate():
            await asyncio.sleep(0.005)
