"""`SharedObject`: a copy of a remote shared object, kept as the server says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from rtmp_channels.client.errors import SharedObjectFailed
from rtmp_channels.protocol.shared_object import (
    ECHO,
    PERSISTENT,
    Change,
    Clear,
    Echo,
    Release,
    Remove,
    RequestChange,
    RequestClear,
    RequestRemove,
    SendMessage,
    SharedObjectEvent,
    SharedObjectMessage,
    Status,
    Success,
    Use,
    UseSuccess,
)

if TYPE_CHECKING:
    from rtmp_channels.client.net_connection import NetConnection

logger = logging.getLogger(__name__)

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Sync:
    """One thing that happened to the copy, as an entry of Flash's SyncEvent.changeList."""

    code: Literal["clear", "success", "reject", "change", "delete"]
    """success: our change stands; reject: somebody else's stands in its place."""
    key: str = ""
    old_value: Any = None
    """None: there was none."""


class SharedObject(Mapping[str, Any]):
    """Slots by name; `NetConnection.shared_object` makes it.

    ```python
    async with connection.shared_object("scores") as scores:
        scores.set("ann", 3)
        await scores.until(lambda slots: slots.get("ann") == 3)
    ```
    The copy changes when the server says so. With `echo` False, for servers that acknowledge
    without the value (event 5 instead of 13), it shows own changes at once, as Flash does.

    When the connection has ended the copy stays, and `use` on the next one asks only for what
    changed since.
    """

    def __init__(
        self,
        connection: NetConnection,
        name: str,
        *,
        persistent: bool = False,
        echo: bool = True,
        object_encoding: int = 0,
    ) -> None:
        self.name = name
        self.version = 0
        """The object's, as far as the copy has come."""
        self.in_use = False
        """Whether the server has granted the use, and nobody has ended it."""
        self.on_sync: Callable[[Sequence[Sync]], None] | None = None
        """Called once for each message that changed something."""
        self.on_status: Callable[[str, str], None] | None = None
        """Called with code and level when the server refuses something."""
        self._connection = connection
        self._flags = PERSISTENT * persistent | ECHO * echo
        self._object_encoding = object_encoding
        self._slots: dict[str, Any] = {}
        self._handlers: dict[str, Callable[..., Any]] = {}
        self._answered: asyncio.Future[None] | None = None
        self._waiters: dict[asyncio.Future[None], Callable[[SharedObject], object]] = {}

    async def __aenter__(self) -> Self:
        await self.use()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.release()

    # the copy

    def __getitem__(self, key: str) -> Any:
        return self._slots[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._slots)

    def __len__(self) -> int:
        return len(self._slots)

    def __repr__(self) -> str:
        return f"<SharedObject {self.name!r} {self._slots!r}>"

    async def until(self, predicate: Callable[[SharedObject], object]) -> None:
        """Waits until the predicate holds of this object; asks it again after each message.

        Raises TimeoutError after the connection's timeout, and ConnectionClosed.
        """
        if predicate(self):
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = predicate
        try:
            async with asyncio.timeout(self._connection.timeout):
                await waiter
        finally:
            del self._waiters[waiter]

    # what we ask for

    async def use(self) -> None:
        """Uses the object, with what the copy has from before; on return it is up to date.

        Raises SharedObjectFailed when the server refuses, TimeoutError and ConnectionClosed.
        """
        if not self._flags & ECHO:
            self.version = 0  # what the copy shows of our own may never have been decided
        self._answered = asyncio.get_running_loop().create_future()
        self._say(Use())
        async with asyncio.timeout(self._connection.timeout):
            await self._answered

    def release(self) -> None:
        """Ends the use; harmless when the connection is gone."""
        if self.in_use and self._connection.is_connected:
            self._say(Release())
        self.in_use = False

    def set(self, key: str, value: Any) -> None:
        """Asks to set a slot; None removes it. Raises LocalProtocolError for what AMF cannot hold,
        and ConnectionClosed; so do all that follow."""
        self.update({key: value})

    def update(self, changes: Mapping[str, Any]) -> None:
        """Asks to set several slots together, under one new version."""
        self._say(RequestChange(tuple(changes.items())))
        if not self._flags & ECHO:
            for key, value in changes.items():
                self._put(key, value)

    def remove(self, key: str) -> None:
        """Asks to remove a slot."""
        self._say(RequestRemove(key))

    def clear(self) -> None:
        """Asks to remove all slots."""
        self._say(RequestClear())

    def send(self, method: str, *arguments: Any) -> None:
        """Calls a handler on everyone who uses the object, ourselves included."""
        self._say(SendMessage(method, arguments))

    def method(self, name: str) -> Callable[[Handler], Handler]:
        """Registers, as a decorator, what is called for sends under this name."""

        def decorate(function: Handler) -> Handler:
            self._handlers[name] = function
            return function

        return decorate

    # what the connection reports

    def receive(self, message: SharedObjectMessage) -> None:
        """Takes one message about this object."""
        happened: list[Sync] = []
        is_answer = self._is_answer(message)
        for event in message.events:
            self._follow(event, happened, is_answer=is_answer)
        self.version = message.version or self.version
        if happened and self.on_sync is not None:
            self._call(self.on_sync, happened)
        for waiter, predicate in self._waiters.items():
            if not waiter.done() and predicate(self):
                waiter.set_result(None)

    def end(self, error: Exception) -> None:
        """The connection is gone."""
        self.in_use = False
        waiting = [*self._waiters, *([self._answered] if self._answered is not None else [])]
        for waiter in waiting:
            if not waiter.done():
                waiter.set_exception(error)

    # inside

    def _say(self, *events: SharedObjectEvent) -> None:
        message = SharedObjectMessage(
            self.name, self.version, self._flags, events, self._object_encoding
        )
        self._connection.send_shared_object(message)

    def _is_answer(self, message: SharedObjectMessage) -> bool:
        """Whether it answers changes of ours, instead of telling of others' or of all slots.

        What others change raises the version; acknowledgements and refusals come to us alone.
        """
        if any(isinstance(event, Clear | UseSuccess) for event in message.events):
            return False
        is_told = any(isinstance(event, Echo | Success | Status) for event in message.events)
        return is_told or message.version <= self.version

    def _follow(self, event: SharedObjectEvent, happened: list[Sync], *, is_answer: bool) -> None:
        match event:
            case Change(changes):
                for key, value in changes:
                    stands = any(each.code == "success" and each.key == key for each in happened)
                    lost = is_answer and not stands
                    sync = Sync("reject" if lost else "change", key, self._put(key, value))
                    happened.append(sync)
            case Echo(changes):
                for key, value in changes:
                    happened.append(Sync("success", key, self._put(key, value)))
            case Success(key):
                happened.append(Sync("success", key, self._slots.get(key)))
            case Remove(key):
                happened.append(Sync("delete", key, self._slots.pop(key, None)))
            case Clear():
                self._slots.clear()
                happened.append(Sync("clear"))
            case SendMessage(method, arguments):
                handler = self._handlers.get(method)
                if handler is not None:
                    self._call(handler, *arguments)
            case UseSuccess():
                self.in_use = True
                self._settle(None)
            case Status(code, level):
                self._refused(code, level)

    def _put(self, key: str, value: Any) -> Any:
        """Sets or removes the slot; returns what it held."""
        old = self._slots.pop(key, None) if value is None else self._slots.get(key)
        if value is not None:
            self._slots[key] = value
        return old

    def _refused(self, code: str, level: str) -> None:
        self._settle(SharedObjectFailed({"code": code, "level": level}))
        if self.on_status is not None:
            self._call(self.on_status, code, level)

    def _settle(self, error: SharedObjectFailed | None) -> None:
        """Lets `use` go on, if it still waits."""
        if self._answered is None or self._answered.done():
            return
        if error is None:
            self._answered.set_result(None)
        else:
            self._answered.set_exception(error)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Calls what the application gave us: what it raises is not the connection's affair."""
        try:
            function(*arguments)
        except Exception:
            logger.exception("shared object %r: a handler failed", self.name)
