"""The shared objects of one process: between the connections and the sequencer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rtmp_channels.shared_objects.fanout import Fanout, Subscriber
from rtmp_channels.shared_objects.grants import Authorise
from rtmp_channels.shared_objects.operations import Batch, ObjectKey, Outcome
from rtmp_channels.shared_objects.port import SharedObjectPort
from rtmp_channels.shared_objects.rules import SharedObjectRules
from rtmp_channels.shared_objects.sequencers.base import Sequencer, Soon, arrived


class SharedObjectHub:
    """Opens objects for the connections of this process and tells them what happens."""

    def __init__(self, sequencer: Sequencer, rules: SharedObjectRules) -> None:
        self.sequencer = sequencer
        self.rules = rules
        self._fanouts: dict[ObjectKey, Fanout] = {}
        self._connected: dict[object, SharedObjectPort] = {}

    def connect(
        self,
        subscriber: Subscriber,
        *,
        instance: str,
        authorise: Authorise,
        on_room: Callable[[], None] = lambda: None,
    ) -> SharedObjectPort:
        """A connection's port. `instance` is its path without slashes around, "lobby/room1".

        `on_room` is called when the port is congested no more.
        """
        port = SharedObjectPort(
            self, subscriber, instance=instance, authorise=authorise, on_room=on_room
        )
        self._connected[subscriber.id] = port
        return port

    def disconnect(self, port: SharedObjectPort) -> None:
        """The connection has ended: what server code held open in its name is released."""
        if self._connected.pop(port.subscriber.id, None) is not None:
            for key, fanout in tuple(self._fanouts.items()):
                if port.subscriber.id in fanout.holders:
                    self.release(key, holder=port.subscriber.id)

    def is_connected(self, connection_id: object) -> bool:
        """Whether a connection of this process has that id."""
        return connection_id in self._connected

    async def open(
        self, key: ObjectKey, *, holder: object, persistent: bool, create: bool
    ) -> Fanout:
        """Opens the object for the holder, until `release`.

        Raises SharedObjectRefused and SequencerUnavailable.
        """
        state = await arrived(self.sequencer.open(key, persistent=persistent, create=create))
        fanout = self._fanouts.get(key)
        if fanout is None:
            fanout = self._fanouts[key] = Fanout(key, state)
        fanout.holders.add(holder)
        return fanout

    def release(self, key: ObjectKey, *, holder: object) -> None:
        """The holder is done with the object; harmless if it did not hold it."""
        fanout = self._fanouts.get(key)
        if fanout is None or holder not in fanout.holders:
            return
        fanout.holders.discard(holder)
        if not fanout.holders:
            del self._fanouts[key]
            self.sequencer.close(key)

    def commit(self, key: ObjectKey, batch: Batch) -> Soon[Outcome]:
        """Has the sequencer decide on the batch and tells everyone but its writer."""
        outcome = self.sequencer.commit(key, batch)
        if isinstance(outcome, Outcome):
            self._deliver(key, outcome)
            return outcome
        return self._deliver_later(key, outcome)

    async def close(self) -> None:
        """Lets go of all objects."""
        fanouts, self._fanouts = self._fanouts, {}
        for key in fanouts:
            self.sequencer.close(key)

    async def _deliver_later(self, key: ObjectKey, pending: Awaitable[Outcome]) -> Outcome:
        outcome = await pending
        self._deliver(key, outcome)
        return outcome

    def _deliver(self, key: ObjectKey, outcome: Outcome) -> None:
        fanout = self._fanouts.get(key)
        if fanout is not None and outcome.commit is not None:
            fanout.deliver(outcome.commit)
