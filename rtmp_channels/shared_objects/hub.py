"""The shared objects of one process: between the connections and the sequencer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

from rtmp_channels.relay import ChannelLayer
from rtmp_channels.shared_objects.fanout import Fanout, Subscriber
from rtmp_channels.shared_objects.grants import Authorise
from rtmp_channels.shared_objects.lookout import Lookout
from rtmp_channels.shared_objects.operations import Batch, Commit, ObjectKey
from rtmp_channels.shared_objects.persistence import Keeper
from rtmp_channels.shared_objects.port import SharedObjectPort
from rtmp_channels.shared_objects.refusals import (
    BAD_PERSISTENCE,
    SequencerUnavailable,
    SharedObjectRefused,
)
from rtmp_channels.shared_objects.rules import SharedObjectRules
from rtmp_channels.shared_objects.sequencers.base import (
    FAREWELL,
    Sequencer,
    SharedSequencer,
    arrived,
)
from rtmp_channels.shared_objects.state import ObjectState
from rtmp_channels.shared_objects.turns import Told, Turns


class SharedObjectHub:
    """Opens objects for the connections of this process and tells them what happens."""

    def __init__(
        self,
        sequencer: Sequencer,
        rules: SharedObjectRules,
        *,
        layer: ChannelLayer | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        """`layer` carries hints between processes; only a shared sequencer has a use for it.

        Without a `keeper` persistent objects last as long as the sequencer keeps them: refused if
        that is in memory.
        """
        self.sequencer = sequencer
        self.rules = rules
        self._objects: dict[ObjectKey, Turns] = {}
        self._opening: Counter[ObjectKey] = Counter()
        self._held_for: set[object] = set()
        self._keeper = keeper
        self._lookout = (
            Lookout(sequencer, self._objects, layer=layer)
            if isinstance(sequencer, SharedSequencer)
            else None
        )

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
        self.hold_for(subscriber.id)
        return port

    def disconnect(self, port: SharedObjectPort) -> None:
        """The connection has ended."""
        self.let_go(port.subscriber.id)

    def hold_for(self, holder: object) -> None:
        """From now on what server code opens in that name stays open: a connection's id, say."""
        self._held_for.add(holder)

    def let_go(self, holder: object) -> None:
        """Whoever it is has ended: what was held open in its name is released; harmless twice."""
        if holder in self._held_for:
            self._held_for.discard(holder)
            for key in tuple(self._objects):
                self.release(key, holder=holder)

    def is_held_for(self, holder: object) -> bool:
        """Whether what is opened in that name stays open."""
        return holder in self._held_for

    async def open(
        self, key: ObjectKey, *, holder: object, persistent: bool, create: bool
    ) -> Fanout:
        """Opens the object for the holder, until `release`.

        Raises SharedObjectRefused and SequencerUnavailable.
        """
        if self._lookout is not None and self._lookout.is_sequencer_away:
            fanout = self._open_without_sequencer(key, persistent=persistent)
        else:
            self._opening[key] += 1
            try:
                fanout = await self._open(key, persistent=persistent, create=create)
            finally:
                self._opening[key] -= 1
                self._forget_unopened(key)
        fanout.holders.add(holder)
        return fanout

    async def _open(self, key: ObjectKey, *, persistent: bool, create: bool) -> Fanout:
        if self._lookout is not None:
            await self._lookout.follow(key)
        seed = await self._load(key) if persistent and key not in self._objects else None
        state = await arrived(
            self.sequencer.open(
                key, persistent=persistent, create=create or seed is not None, seed=seed
            )
        )
        turns = self._objects.get(key)
        if turns is None:
            fanout = Fanout(key, state)
            turns = Turns(
                fanout, self.sequencer, committed=self._committed, finished=self._close_unheld
            )
            self._objects[key] = turns
        return turns.fanout

    def _open_without_sequencer(self, key: ObjectKey, *, persistent: bool) -> Fanout:
        """What others have in use here may be read, unless the rules are against it."""
        turns = self._objects.get(key)
        if turns is None or self.rules.without_sequencer == "refuse":
            raise SequencerUnavailable("the sequencer does not answer")
        if turns.fanout.state.persistent is not persistent:
            raise SharedObjectRefused(BAD_PERSISTENCE, "it exists with the other persistence")
        return turns.fanout

    def _forget_unopened(self, key: ObjectKey) -> None:
        """Nothing is kept of a name that was refused."""
        if self._opening[key]:
            return
        del self._opening[key]
        if key not in self._objects and self._lookout is not None:
            self._lookout.unfollow(key)

    def release(self, key: ObjectKey, *, holder: object) -> None:
        """The holder is done with the object; harmless if it did not hold it."""
        turns = self._objects.get(key)
        if turns is not None and holder in turns.fanout.holders:
            turns.fanout.holders.discard(holder)
            self._close_unheld(turns)

    def submit(self, key: ObjectKey, batch: Batch, told: Told) -> None:
        """Has the sequencer decide on the batch; `told` is called after the others were told."""
        turns = self._objects.get(key)
        if turns is None:  # the hub is closed
            told(None)
        else:
            turns.submit(batch, told)

    async def refresh(self, key: ObjectKey) -> None:
        """Follows what other processes have committed up to now; the object must be open."""
        if self.sequencer.shared:
            turns = self._objects[key]
            turns.look()
            await turns.settled()

    async def close(self) -> None:
        """Lets go of all objects; a sequencer that does not answer is not waited for long."""
        if self._lookout is not None:
            await self._lookout.close()
        await self._settle()
        for key in tuple(self._objects):
            del self._objects[key]
            self.sequencer.close(key)
        await self.sequencer.finish()
        if self._keeper is not None:
            await self._keeper.close()

    async def _settle(self) -> None:
        settling = [asyncio.ensure_future(turns.settled()) for turns in self._objects.values()]
        if settling:
            _, late = await asyncio.wait(settling, timeout=FAREWELL)
            for task in late:
                task.cancel()

    async def _load(self, key: ObjectKey) -> ObjectState | None:
        if self._keeper is not None:
            return await self._keeper.load(key)
        if not self.sequencer.shared:
            raise SharedObjectRefused(BAD_PERSISTENCE, "nothing here keeps persistent objects")
        return None

    def _close_unheld(self, turns: Turns) -> None:
        """Closes an object that nobody holds, once all that was asked of it is done."""
        key = turns.fanout.key
        if not turns.fanout.holders and not turns.is_busy and self._objects.get(key) is turns:
            del self._objects[key]
            self.sequencer.close(key)
            if self._lookout is not None and not self._opening[key]:
                self._lookout.unfollow(key)

    def _committed(self, turns: Turns, commits: Sequence[Commit]) -> None:
        fanout = turns.fanout
        if self._lookout is not None:
            self._lookout.committed(turns, commits)
        if self._keeper is not None and fanout.state.persistent:
            self._keeper.changed(fanout.key, fanout.state)
