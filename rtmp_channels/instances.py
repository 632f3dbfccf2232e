"""Application instances: what all connections of one `rtmp://host/app/instance` share."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from rtmp_channels.exceptions import WHATEVER_IS_RAISED, ConnectionClosed
from rtmp_channels.loop_local import LoopLocal
from rtmp_channels.rooms.current import room_hubs
from rtmp_channels.shared_objects.current import shared_object_hubs

logger = logging.getLogger(__name__)

STOP_SECONDS = 5.0
"""How long a server that stops waits for `on_stop`."""


class ApplicationInstance:
    """The state of one application instance in this process; a consumer names its class.

    ```python
    class Table(ApplicationInstance):
        async def on_start(self):
            self.deck = shuffled()

    class GameConsumer(AsyncRtmpConsumer):
        instance_class = Table          # then self.instance is the Table of "game/table7"
    ```
    Made for the first connection, before its `connect`, and over with the last, after its
    `disconnect`: each once, whatever the connections meet (refusals, errors, cancellation). Runs on
    the event loop of the connections: without an `await` in between, nobody else sees or changes
    its attributes. Other processes have instances of their own; what these share is a shared
    object.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        """Application and instance, "lobby/room1": the path, and the name of the room."""
        self.id = f"instance {secrets.token_hex(16)}"
        """Different from every other instance's and connection's, over all processes."""
        self._members: dict[Any, None] = {}

    async def on_start(self) -> None:
        """The first connection is about to connect; others wait. An error refuses them all."""

    async def on_stop(self) -> None:
        """The last connection is over. A next one waits for this, and gets a new instance."""

    @property
    def members(self) -> tuple[Any, ...]:
        """The consumers of accepted connections in this process, in the order they came."""
        return tuple(self._members)

    @property
    def scope(self) -> dict[str, Any]:
        """What `shared_object` and `update_shared_object` want to be told.

        What is opened by it stays open as long as the instance: until `on_stop` has returned.
        """
        return {"path": f"/{self.name}", "rtmp": {"connection_id": self.id}}

    async def broadcast(self, method: str, *arguments: Any) -> None:
        """Calls a method of everyone in the instance, in every process, without answers."""
        await room_hubs.get().broadcast(self.name, method, arguments)

    def add(self, consumer: Any) -> None:
        """A connection was accepted; consumers see to it."""
        self._members[consumer] = None

    def discard(self, consumer: Any) -> None:
        """It is over, or was never accepted."""
        self._members.pop(consumer, None)


Instance = TypeVar("Instance", bound=ApplicationInstance)
_Key = tuple[type[ApplicationInstance], str]


class Instances:
    """The instances of one event loop: each lives while somebody uses it."""

    def __init__(self) -> None:
        self._lives: dict[_Key, _Life] = {}

    def __len__(self) -> int:
        return len(self._lives)

    @asynccontextmanager
    async def use(self, instance_class: type[Instance], name: str) -> AsyncIterator[Instance]:
        """The instance of that class and name, started; made if there is none."""
        life = await self._life(instance_class, name)
        life.users += 1
        try:
            await life.started()
            assert isinstance(life.instance, instance_class)
            yield life.instance
        finally:
            life.leave()

    async def close(self) -> None:
        """Stops all of them, used or not, within STOP_SECONDS."""
        lives = list(self._lives.values())
        for life in lives:
            life.users = 1
            life.leave()
        if lives:
            _, late = await asyncio.wait([life.task for life in lives], timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _life(self, instance_class: type[ApplicationInstance], name: str) -> _Life:
        key = (instance_class, name)
        while (life := self._lives.get(key)) is not None and life.is_stopping:
            await asyncio.wait([life.task])
        if life is None:
            life = self._lives[key] = _Life(instance_class(name))
            life.task.add_done_callback(lambda _: self._lives.pop(key))
        return life


class _Life:
    """From an instance's start to its end, in a task that no connection can cancel."""

    def __init__(self, instance: ApplicationInstance) -> None:
        loop = asyncio.get_running_loop()
        self.instance = instance
        self.users = 0
        self.is_stopping = False
        self._started: asyncio.Future[None] = loop.create_future()
        self._unused = asyncio.Event()
        self.task = loop.create_task(self._live(), name=f"rtmp instance {instance.name}")

    async def started(self) -> None:
        """Returns when `on_start` has; raises what it raised."""
        await asyncio.shield(self._started)

    def leave(self) -> None:
        """One user fewer."""
        self.users -= 1
        if self.users <= 0:
            self._unused.set()

    async def _live(self) -> None:
        hub = shared_object_hubs.peek()
        if hub is None:  # no server runs here
            await self._run()
            return
        hub.hold_for(self.instance.id)
        try:
            await self._run()
        finally:
            hub.let_go(self.instance.id)

    async def _run(self) -> None:
        if not await self._start():
            return
        while self.users > 0:
            await self._unused.wait()
            self._unused.clear()
        self.is_stopping = True
        try:
            await self.instance.on_stop()
        except WHATEVER_IS_RAISED:
            logger.exception("on_stop of %r failed", self.instance.name)

    async def _start(self) -> bool:
        try:
            await self.instance.on_start()
        except WHATEVER_IS_RAISED as error:
            self._started.set_exception(error)
        except asyncio.CancelledError:
            self._started.set_exception(ConnectionClosed("the server stops"))
        else:
            self._started.set_result(None)
            return True
        self.is_stopping = True  # whoever comes now waits for the next one
        self._started.exception()  # nobody need be waiting for it
        return False


instances: LoopLocal[Instances] = LoopLocal(Instances)
"""`instances.get()` in a consumer; `await instances.close()` at shutdown."""
