"""The base class of RTMP applications."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar

from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import get_channel_layer
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured

from amf_remoting.dispatch import Call, adispatch
from amf_remoting.exceptions import Fault, FaultCode
from rtmp_channels.background import BackgroundTasks
from rtmp_channels.conf import rtmp_settings
from rtmp_channels.connections.current import rosters
from rtmp_channels.exceptions import WHATEVER_IS_RAISED, CallTimedOut
from rtmp_channels.fresh_users import fresh_users
from rtmp_channels.goodbye import APP_SHUTDOWN, FAILED, REJECTED, Ending
from rtmp_channels.handlers import Decision, MessageHandlers
from rtmp_channels.instances import ApplicationInstance, instances
from rtmp_channels.pending import PendingCalls
from rtmp_channels.permissions import NOBODY, is_allowed
from rtmp_channels.pump import Pump
from rtmp_channels.remote import client_methods, concurrent, hears_layer, remote
from rtmp_channels.scope import room_of
from rtmp_channels.shared_objects.grants import Grant, UseRequest
from rtmp_channels.signals import connection_accepted
from rtmp_channels.stream_table import StreamTable

__all__ = ["AsyncRtmpConsumer", "concurrent", "remote"]

Message = dict[str, Any]


class AsyncRtmpConsumer(MessageHandlers):
    """Hosts one connection.

    Override `connect`, `disconnect`, `on_publish`, `on_play`, `on_shared_object` and `on_data` as
    needed, mark methods with `@remote`, and handle channel-layer messages as in any consumer: type
    "chat.message" calls `chat_message`. A class without such a handler (or `groups`) hears nothing
    from the layer anyway: it gets no channel, which saves a subscription per connection.
    """

    channel_layer_alias: ClassVar[str | None] = DEFAULT_CHANNEL_LAYER
    """The layer of `channel_name` and of groups; None: this consumer uses none."""

    groups: ClassVar[Sequence[str]] = ()
    """Channel-layer groups that every instance joins."""

    serves_registry: ClassVar[bool] = True
    """Whether clients may call the exposed services ("echo.echo") here."""

    instance_class: ClassVar[type[ApplicationInstance] | None] = None
    """The class of `instance`, if all connections of an instance are to share something."""

    may_connect: ClassVar[str] = NOBODY
    """Who: NOBODY, ANYONE, USERS, or a permission. Others are rejected before `connect`.

    Like all that a client may do, it is closed until the application opens it.
    """

    may_call: ClassVar[str] = NOBODY
    """Who may call methods at all; what each method demands comes on top."""

    may_publish: ClassVar[str] = NOBODY
    """What `on_publish` goes by, unless it is overridden."""

    may_play: ClassVar[str] = NOBODY
    """What `on_play` goes by, unless it is overridden."""

    may_use_shared_objects: ClassVar[str] = NOBODY
    """What `on_shared_object` goes by, unless it is overridden; it then grants everything."""

    ping_timeout: ClassVar[float | None] = None
    """PING_TIMEOUT of this application; 0 for clients that do not read while they are idle."""

    _hears_layer: ClassVar[bool] = False

    scope: Message
    user: Any
    room: str
    """Joined when the connection is accepted: application and instance, "lobby/room1"."""
    instance: Any = None
    """What all connections of this application instance share: an `instance_class`."""
    channel_layer: Any = None
    channel_name: str | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._client_methods = client_methods(cls)
        cls._hears_layer = bool(cls.groups) or hears_layer(cls, AsyncRtmpConsumer)

    def __init__(self, **kwargs: Any) -> None:
        """Keyword arguments of `as_asgi` become attributes, as with Django's views."""
        for name, value in kwargs.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no attribute {name!r}")
            setattr(self, name, value)
        settings = rtmp_settings()
        self._call_timeout = settings.call_timeout
        self._calls = PendingCalls()
        self._tasks = BackgroundTasks(settings.max_concurrent_calls)
        self._groups: set[str] = set()
        self._streams = StreamTable()

    @classmethod
    def as_asgi(cls, **initkwargs: Any) -> Callable[..., Awaitable[None]]:
        """The ASGI application: one instance per connection."""

        async def application(scope: Message, receive: Any, send: Any) -> None:
            await cls(**initkwargs)(scope, receive, send)

        functools.update_wrapper(application, cls, updated=())
        application.consumer_class = cls  # type: ignore[attr-defined]
        return application

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        self.scope = scope
        self.base_send = send
        self.user = scope.get("user") or AnonymousUser()
        self.room = room_of(scope)
        # Who may not connect starts no instance, and waits for none.
        if self.instance_class is None or not await is_allowed(self.may_connect, self.user):
            await self._serve(receive)
            return
        async with instances.get().use(self.instance_class, self.room) as self.instance:
            await self._serve(receive)

    async def end(self, code: str) -> None:
        """Leaves the application instance, then as its base."""
        if self.instance is not None:
            self.instance.discard(self)
        users = fresh_users.peek()
        if users is not None:
            users.forget(self)
        await super().end(code)

    def user_read(self, user: Any, /) -> None:
        """The database's user as of now, every USER_RELOAD_INTERVAL."""
        self.user = self.scope["user"] = user

    async def user_gone(self) -> None:
        """See `on_user_gone`."""
        self.user_read(AnonymousUser())
        roster = rosters.peek()
        if roster is not None:
            roster.forget_user(self.connection_id)
        await self.on_user_gone()

    async def _serve(self, receive: Any) -> None:
        settings = rtmp_settings()
        pump = Pump(
            dispatch=self.dispatch,
            refuse=self._refuse_busy,
            calls=self._calls,
            max_messages=settings.max_queued_events,
            max_bytes=settings.max_queued_bytes,
        )
        code = APP_SHUTDOWN
        try:
            receive_from_layer = await self._open_channel()
            await pump.run(receive, receive_from_layer)
        except WHATEVER_IS_RAISED:
            code = FAILED
            raise
        except asyncio.CancelledError as cancelled:
            match cancelled.args:
                case [Ending() as ending]:  # of the connection, some time ago
                    code = ending.code
            raise
        finally:
            await self._clean_up(code)

    # for subclasses to override

    async def connect(self) -> None:
        """The client asks to connect: `await self.accept()` or `await self.close(code)`."""
        await self.accept()

    async def disconnect(self, code: str) -> None:
        """The connection is over, whatever ended it; called once if `connect` was called."""

    async def on_call(self, name: str, arguments: Sequence[Any]) -> Any:
        """The client calls a method: returns its value or raises a Fault."""
        method = self._client_methods.get(name)
        if method is not None:
            return await method.run(self, arguments)
        if not self.serves_registry:
            raise Fault(FaultCode.METHOD_NOT_FOUND, f"Method not found ({name[:200]}).")
        # By position, as in amf_remoting's envelopes.
        return await adispatch(Call(name, arguments, None, self.user, "rtmp", None, self))

    async def on_publish(self, message: Message) -> Decision:
        """Whether the client may publish this stream (`stream_name`, `publish_type`, …).

        A mapping allows it, and says how: {"policy": "take_over", "stream": "another/name"}.
        """
        return await is_allowed(self.may_publish, self.user)

    async def on_play(self, message: Message) -> Decision:
        """Whether the client may play this stream (`stream_name`, `start`, …).

        {"stream": "another/name"} allows it, under the name that it has in this process.
        """
        return await is_allowed(self.may_play, self.user)

    async def on_unpublish(self, message: Message) -> None:
        """A publication that `on_publish` allowed has ended, whatever ended it."""

    async def on_stop(self, message: Message) -> None:
        """A player that `on_play` allowed has stopped, or is gone."""

    async def on_shared_object(self, request: UseRequest) -> Grant | None:
        """What the client may do with a shared object; None: nothing."""
        return Grant() if await is_allowed(self.may_use_shared_objects, self.user) else None

    async def on_user_gone(self) -> None:
        """The user was deleted or deactivated, or their password changed.

        `user` is an AnonymousUser already.
        """
        await self.close(REJECTED, "Your login does not hold any more.")

    async def on_data(self, values: Sequence[Any]) -> None:
        """The client sent a data message to the connection: a handler's name, then arguments."""

    # for subclasses to use

    @property
    def connection_id(self) -> str:
        """Different from every other connection's, over all processes; `push` takes it."""
        return str(self.scope["rtmp"]["connection_id"])

    async def send(self, message: Message) -> None:
        """Sends a message of the ASGI dialect; waits while the client does not read."""
        await self.base_send(message)

    async def accept(self, **information: Any) -> None:
        """Joins the room and accepts the connection; `information` adds to the status object.

        In that order: the client hears the room, in every process, from connect's answer on.
        """
        await self.send({"type": "rtmp.join", "room": self.room})
        message: Message = {"type": "rtmp.accept", "information": information}
        message |= {"user": getattr(self.user, "pk", None), "ping_timeout": self.ping_timeout}
        await self.send(message)
        self._was_accepted = True
        if self.instance is not None:
            self.instance.add(self)
        if self.user.is_authenticated:
            fresh_users.get().watch(self)
        await connection_accepted.asend(type(self), consumer=self, scope=self.scope)

    async def close(self, code: str | None = None, description: str | None = None) -> None:
        """Rejects the connection, or ends it if it was accepted."""
        message = {"type": "rtmp.close", "code": code, "description": description}
        await self.send({key: value for key, value in message.items() if value is not None})

    async def call(
        self,
        method: str,
        *arguments: Any,
        timeout: float | None = None,  # noqa: ASYNC109 - what callers expect to find
    ) -> Any:
        """Calls a method of the client and returns its answer; works inside of handlers.

        `timeout` in seconds, CALL_TIMEOUT by default. Raises CallTimedOut, CallFailed, and
        ConnectionClosed, which are Faults.
        """
        transaction_id, future = self._calls.open()
        message = {"type": "rtmp.call", "name": method, "arguments": list(arguments)}
        try:
            async with asyncio.timeout(self._call_timeout if timeout is None else timeout):
                await self.send({**message, "transaction_id": transaction_id})
                return await future
        except TimeoutError:
            raise CallTimedOut(method) from None
        finally:
            self._calls.forget(transaction_id)

    async def notify(self, method: str, *arguments: Any) -> None:
        """Calls a method of the client without waiting for an answer."""
        await self.send({"type": "rtmp.call", "name": method, "arguments": list(arguments)})

    async def broadcast(
        self, method: str, *arguments: Any, include_self: bool = False, room: str | None = None
    ) -> None:
        """Calls a method of everyone in the room, in every process, without answers."""
        message = {"type": "rtmp.broadcast", "room": room or self.room, "name": method}
        await self.send({**message, "arguments": list(arguments), "include_self": include_self})

    async def join(self, room: str) -> None:
        """Joins a further room."""
        await self.send({"type": "rtmp.join", "room": room})

    async def leave(self, room: str) -> None:
        """Leaves a room."""
        await self.send({"type": "rtmp.leave", "room": room})

    async def group_add(self, group: str) -> None:
        """Joins a channel-layer group until the connection ends.

        Raises ImproperlyConfigured where nothing would hear it.
        """
        if self.channel_name is None:
            raise ImproperlyConfigured(
                "group_add: this consumer has no handler of the layer's messages, or no layer"
            )
        await self.channel_layer.group_add(group, self.channel_name)
        self._groups.add(group)

    async def group_discard(self, group: str) -> None:
        """Leaves it again."""
        self._groups.discard(group)
        await self.channel_layer.group_discard(group, self.channel_name)

    async def _open_channel(self) -> Callable[[], Awaitable[Message]] | None:
        if self.channel_layer_alias is None:
            return None
        self.channel_layer = layer = get_channel_layer(self.channel_layer_alias)
        if layer is None or not self._hears_layer:
            return None
        self.channel_name = await layer.new_channel()
        for group in self.groups:
            await self.group_add(group)
        return functools.partial(layer.receive, self.channel_name)

    async def _clean_up(self, code: str) -> None:
        """Every ending comes by here, cancellation included; `code` is for one nobody told us."""
        self._calls.close()
        await self._tasks.cancel()
        try:
            await self.end(code)
        finally:
            for group in tuple(self._groups):
                await self.group_discard(group)
