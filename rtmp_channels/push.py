"""Calls clients from Django code anywhere: views, tasks, commands, signals, a shell.

```python
from rtmp_channels import push

push.call_room("lobby/room1", "onNotice", "back in five minutes")
push.call_user(request.user, "onMessage", 17)
await push.acall_everyone("onNews", {"title": "…"})
```
Each function has an async twin with an `a` before its name. Nobody's answer is awaited, and who is
not connected misses it. In a server's process its own clients are called before the function
returns; all others hear through the channel layer. Raises LocalProtocolError (a value that AMF
cannot hold), RoomLimitExceeded (longer than ROOMS' BROADCAST_BYTES), OutOfReach and LayerFailed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from asgiref.sync import async_to_sync

from rtmp_channels.conf import rtmp_settings
from rtmp_channels.connections.current import rosters
from rtmp_channels.connections.orders import GROUP, Audience, Order, Verb
from rtmp_channels.connections.roster import Roster
from rtmp_channels.exceptions import LayerFailed, OutOfReach
from rtmp_channels.layer import joining_layer
from rtmp_channels.loop_local import Closable, LoopLocal
from rtmp_channels.relay import ATTEMPT_TIMEOUT, relay_message
from rtmp_channels.rooms.current import room_hubs
from rtmp_channels.rooms.hub import RoomHub, encode_broadcast, room_group
from rtmp_channels.serving import is_serving

T = TypeVar("T", bound=Closable)

KICKED = "The server closed the connection."


async def acall_client(connection_id: str, method: str, *arguments: Any) -> None:
    """Calls one client, by the `connection_id` of its consumer."""
    await _carry(Verb.CALL, Audience.CLIENT, connection_id, _body(method, arguments))


async def acall_user(user: Any, method: str, *arguments: Any) -> None:
    """Calls every client of a user, given as the user or its primary key."""
    await _carry(Verb.CALL, Audience.USER, _key(user), _body(method, arguments))


async def acall_everyone(method: str, *arguments: Any) -> None:
    """Calls every client of every application."""
    await _carry(Verb.CALL, Audience.EVERYONE, "", _body(method, arguments))


async def acall_room(room: str, method: str, *arguments: Any) -> None:
    """Calls every client in a room: an application instance, "lobby/room1", or any joined."""
    body = _body(method, arguments)
    hub = room_hubs.peek()
    if hub is not None:
        await hub.broadcast_encoded(room, body)

    def write(hub: RoomHub) -> None:
        hub.write(room, body)

    await _spread(room_hubs, write, group=room_group(room), body=body)


async def akick_client(connection_id: str, description: str = KICKED) -> None:
    """Ends one connection, in whichever process it is."""
    await _carry(Verb.KICK, Audience.CLIENT, connection_id, description.encode("utf-8", "replace"))


async def akick_user(user: Any, description: str = KICKED) -> None:
    """Ends every connection of a user."""
    await _carry(Verb.KICK, Audience.USER, _key(user), description.encode("utf-8", "replace"))


def call_client(connection_id: str, method: str, *arguments: Any) -> None:
    """See `acall_client`."""
    async_to_sync(acall_client)(connection_id, method, *arguments)


def call_user(user: Any, method: str, *arguments: Any) -> None:
    """See `acall_user`."""
    async_to_sync(acall_user)(user, method, *arguments)


def call_everyone(method: str, *arguments: Any) -> None:
    """See `acall_everyone`."""
    async_to_sync(acall_everyone)(method, *arguments)


def call_room(room: str, method: str, *arguments: Any) -> None:
    """See `acall_room`."""
    async_to_sync(acall_room)(room, method, *arguments)


def kick_client(connection_id: str, description: str = KICKED) -> None:
    """See `akick_client`."""
    async_to_sync(akick_client)(connection_id, description)


def kick_user(user: Any, description: str = KICKED) -> None:
    """See `akick_user`."""
    async_to_sync(akick_user)(user, description)


def _key(user: Any) -> str:
    key = getattr(user, "pk", user)
    if key is None or key == "":
        raise ValueError("an anonymous user has no clients of their own")
    return str(key)


def _body(method: str, arguments: tuple[Any, ...]) -> bytes:
    return encode_broadcast(method, arguments, limit=rtmp_settings().rooms.broadcast_bytes)


def is_within_reach(connection_id: str) -> bool:
    """Whether calls from here reach a connection that is alive: see `OutOfReach`."""
    return joining_layer() is not None or any(connection_id in one for one in rosters.all())


async def _carry(verb: Verb, audience: Audience, name: str, payload: bytes) -> None:
    order = Order(verb, audience, name, payload)
    roster = rosters.peek()
    if roster is not None:
        await roster.carry(order)

    def obey(roster: Roster) -> None:
        roster.obey(order)

    await _spread(rosters, obey, group=GROUP, body=order.serialize())


async def _spread(hubs: LoopLocal[T], act: Callable[[T], None], *, group: str, body: bytes) -> None:
    """Reaches whom the running loop's hub, if it has one, has not reached."""
    is_here = hubs.peek() is not None
    layer = joining_layer()
    if layer is not None:
        if not is_here:
            await _through_layer(layer.group_send(group, relay_message(group, body, origin="")))
        return
    elsewhere = hubs.elsewhere()
    for loop, hub in elsewhere:
        loop.call_soon_threadsafe(act, hub)
    if not (is_here or elsewhere or is_serving()):
        raise OutOfReach(
            "no client can be reached from here: this process does not serve RTMP, and no channel "
            'layer joins processes (use "channels_redis.pubsub.RedisPubSubChannelLayer")'
        )


async def _through_layer(sending: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(ATTEMPT_TIMEOUT):
            await sending
    except Exception as error:
        raise LayerFailed(f"the channel layer fails: {error or type(error).__name__}") from error
