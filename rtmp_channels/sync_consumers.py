"""The base class of RTMP applications whose methods are sync, and may use the ORM as they like."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, TypeVar

from asgiref.sync import async_to_sync
from channels import DEFAULT_CHANNEL_LAYER
from channels.consumer import get_handler_name

from amf_remoting.exceptions import Fault, FaultCode
from amf_remoting.pool import run_in_pool
from rtmp_channels.consumers import AsyncRtmpConsumer
from rtmp_channels.handlers import Decision
from rtmp_channels.instances import ApplicationInstance
from rtmp_channels.permissions import NOBODY
from rtmp_channels.remote import ClientMethod, client_methods, concurrent, hears_layer, remote
from rtmp_channels.shared_objects.grants import Grant, UseRequest

__all__ = ["RtmpConsumer", "concurrent", "remote"]

Message = dict[str, Any]

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Seconds between attempts to run a hook while all threads are taken: doubled each time."""


class RtmpConsumer:
    """Hosts one connection; its methods run in threads, those of one connection one at a time.

    The sync twin of `AsyncRtmpConsumer`: the same hooks, attributes and methods, without `await`.
    The threads are the pool's of sync services (AMF_REMOTING's THREADS). A method that waits for
    the client (`call`) holds one of them. Methods marked `@concurrent` run beside the others.
    Beyond MAX_WAITING_CALLS calls are answered "Server.Busy"; hooks wait for their turn.
    """

    channel_layer_alias: ClassVar[str | None] = DEFAULT_CHANNEL_LAYER
    groups: ClassVar[Sequence[str]] = ()
    serves_registry: ClassVar[bool] = True
    instance_class: ClassVar[type[ApplicationInstance] | None] = None
    may_connect: ClassVar[str] = NOBODY
    may_call: ClassVar[str] = NOBODY
    may_publish: ClassVar[str] = NOBODY
    may_play: ClassVar[str] = NOBODY
    may_use_shared_objects: ClassVar[str] = NOBODY
    ping_timeout: ClassVar[float | None] = None

    _host_class: ClassVar[type[_Host]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._host_class = _host_class(cls)

    def __init__(self, **kwargs: Any) -> None:
        """Keyword arguments of `as_asgi` become attributes, as with Django's views."""
        for name, value in kwargs.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no attribute {name!r}")
            setattr(self, name, value)
        self._host = self._host_class(self)
        for name in _SHARED & kwargs.keys():
            setattr(self._host, name, kwargs[name])

    @classmethod
    def as_asgi(cls, **initkwargs: Any) -> Callable[..., Awaitable[None]]:
        """The ASGI application: one instance per connection."""

        async def application(scope: Message, receive: Any, send: Any) -> None:
            await cls(**initkwargs)._host(scope, receive, send)

        application.consumer_class = cls  # type: ignore[attr-defined]
        return application

    # what there is to know

    @property
    def scope(self) -> Message:
        """The connection's scope."""
        return self._host.scope

    @property
    def user(self) -> Any:
        """Who it is, or an AnonymousUser."""
        return self._host.user

    @property
    def room(self) -> str:
        """Application and instance, "lobby/room1"."""
        return self._host.room

    @property
    def instance(self) -> Any:
        """What all connections of this application instance share; needs a lock of yours."""
        return self._host.instance

    @property
    def connection_id(self) -> str:
        """Different from every other connection's, over all processes; `push` takes it."""
        return self._host.connection_id

    @property
    def channel_name(self) -> str | None:
        """This consumer's channel in the channel layer."""
        return self._host.channel_name

    # for subclasses to override; see `AsyncRtmpConsumer`

    def connect(self) -> None:
        """The client asks to connect: `self.accept()` or `self.close(code)`."""
        self.accept()

    def disconnect(self, code: str) -> None:
        """The connection is over, whatever ended it; called once."""

    def on_publish(self, message: Message) -> Decision:
        """Whether the client may publish this stream."""
        return self._run(AsyncRtmpConsumer.on_publish, message)

    def on_play(self, message: Message) -> Decision:
        """Whether the client may play this stream."""
        return self._run(AsyncRtmpConsumer.on_play, message)

    def on_unpublish(self, message: Message) -> None:
        """A publication that `on_publish` allowed has ended."""

    def on_stop(self, message: Message) -> None:
        """A player that `on_play` allowed has stopped."""

    def on_shared_object(self, request: UseRequest) -> Grant | None:
        """What the client may do with a shared object; None: nothing."""
        return self._run(AsyncRtmpConsumer.on_shared_object, request)

    def on_data(self, values: Sequence[Any]) -> None:
        """The client sent a data message to the connection."""

    def on_user_gone(self) -> None:
        """The user was deleted or deactivated, or their password changed."""
        self._run(AsyncRtmpConsumer.on_user_gone)

    # for subclasses to use

    def send(self, message: Message) -> None:
        """Sends a message of the ASGI dialect."""
        self._run(AsyncRtmpConsumer.send, message)

    def accept(self, **information: Any) -> None:
        """Joins the room and accepts the connection."""
        self._run(partial(AsyncRtmpConsumer.accept, **information))

    def close(self, code: str | None = None, description: str | None = None) -> None:
        """Rejects the connection, or ends it if it was accepted."""
        self._run(AsyncRtmpConsumer.close, code, description)

    def call(self, method: str, *arguments: Any, timeout: float | None = None) -> Any:
        """Calls a method of the client and returns its answer."""
        calling = partial(AsyncRtmpConsumer.call, timeout=timeout)
        return self._run(calling, method, *arguments)

    def notify(self, method: str, *arguments: Any) -> None:
        """Calls a method of the client without waiting for an answer."""
        self._run(AsyncRtmpConsumer.notify, method, *arguments)

    def broadcast(
        self, method: str, *arguments: Any, include_self: bool = False, room: str | None = None
    ) -> None:
        """Calls a method of everyone in the room, in every process, without answers."""
        broadcast = partial(AsyncRtmpConsumer.broadcast, include_self=include_self, room=room)
        self._run(broadcast, method, *arguments)

    def join(self, room: str) -> None:
        """Joins a further room."""
        self._run(AsyncRtmpConsumer.join, room)

    def leave(self, room: str) -> None:
        """Leaves a room."""
        self._run(AsyncRtmpConsumer.leave, room)

    def group_add(self, group: str) -> None:
        """Joins a channel-layer group until the connection ends."""
        self._run(AsyncRtmpConsumer.group_add, group)

    def group_discard(self, group: str) -> None:
        """Leaves it again."""
        self._run(AsyncRtmpConsumer.group_discard, group)

    def _run(self, method: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> T:
        """Runs a method of the host, on its loop, and waits for it."""
        return async_to_sync(partial(method, self._host))(*arguments)


class _Host(AsyncRtmpConsumer):
    """Carries what arrives on the event loop over to a sync consumer's methods in threads."""

    def __init__(self, consumer: RtmpConsumer) -> None:
        super().__init__()
        self._consumer = consumer

    async def dispatch(self, message: Message) -> None:
        """Channel-layer messages are the sync consumer's."""
        if message["type"].startswith("rtmp."):
            await super().dispatch(message)
            return
        handler = getattr(self._consumer, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']}")
        await _in_its_turn(handler, message)

    async def connect(self) -> None:
        await _in_its_turn(self._consumer.connect)

    async def disconnect(self, code: str) -> None:
        await _in_its_turn(self._consumer.disconnect, code)

    async def on_publish(self, message: Message) -> Decision:
        granted: Decision = await _in_its_turn(self._consumer.on_publish, message)
        return granted

    async def on_play(self, message: Message) -> Decision:
        granted: Decision = await _in_its_turn(self._consumer.on_play, message)
        return granted

    async def on_unpublish(self, message: Message) -> None:
        await _in_its_turn(self._consumer.on_unpublish, message)

    async def on_stop(self, message: Message) -> None:
        await _in_its_turn(self._consumer.on_stop, message)

    async def on_shared_object(self, request: UseRequest) -> Grant | None:
        grant: Grant | None = await _in_its_turn(self._consumer.on_shared_object, request)
        return grant

    async def on_data(self, values: Sequence[Any]) -> None:
        await _in_its_turn(self._consumer.on_data, values)

    async def on_user_gone(self) -> None:
        await _in_its_turn(self._consumer.on_user_gone)


def _host_class(consumer_class: type[RtmpConsumer]) -> type[_Host]:
    """The host of a class: what the async base finds in class attributes, as the class has it."""

    class Host(_Host):
        pass

    for name in _SHARED:
        setattr(Host, name, getattr(consumer_class, name))
    Host._client_methods = _carried(client_methods(consumer_class, are_async=False))
    Host._hears_layer = bool(consumer_class.groups) or hears_layer(consumer_class, RtmpConsumer)
    return Host


def _carried(methods: Mapping[str, ClientMethod]) -> Mapping[str, ClientMethod]:
    return {
        name: replace(method, function=partial(_call_method, method.function))
        for name, method in methods.items()
    }


async def _call_method(function: Callable[..., Any], host: _Host, *arguments: Any) -> Any:
    return await _in_thread(function, host._consumer, *arguments)


async def _in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    return await run_in_pool(partial(function, *arguments))


async def _in_its_turn(hook: Callable[..., Any], *arguments: Any) -> Any:
    """However busy the threads are: a connection has one hook at a time that can wait."""
    has_begun = False

    def run() -> Any:
        nonlocal has_begun
        has_begun = True
        return hook(*arguments)

    pause = FIRST_PAUSE
    while True:
        try:
            return await _in_thread(run)
        except Fault as fault:
            if has_begun or fault.code != FaultCode.BUSY:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


_SHARED = frozenset(name for name in vars(RtmpConsumer)["__annotations__"] if name[0] != "_")
"""Class attributes that steer the host."""

RtmpConsumer._host_class = _host_class(RtmpConsumer)
