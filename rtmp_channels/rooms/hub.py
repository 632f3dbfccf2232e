"""The rooms of one process: members served directly, other processes through a `Relay`.

A broadcast is encoded once as an AMF0 command (message type 20), which every client reads,
whichever `objectEncoding` it asked for; then it is chunked once, and the same bytes are written to
every member. The command's body goes to other processes, where it is chunked once as well.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Protocol

from rtmp_channels.protocol.chunk import Message
from rtmp_channels.protocol.commands import Command
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.names import method_name
from rtmp_channels.protocol.outbound import encode_message
from rtmp_channels.relay import ChannelLayer, Relay, group_name
from rtmp_channels.rooms.limits import RoomLimitExceeded, RoomLimits

logger = logging.getLogger(__name__)

KIND = "room"
"""The prefix of a room's group in the channel layer."""


class RoomMember(Protocol):
    """A connection in a room; compared by identity."""

    def write_shared(self, data: bytes, /) -> None:
        """Writes chunked bytes that all members share; must neither block nor wait."""


def room_group(room_name: str) -> str:
    """The layer's group for a room."""
    return group_name(KIND, room_name)


def encode_broadcast(method: str, arguments: Sequence[Any], *, limit: int) -> bytes:
    """A broadcast's body in the layer's message: a command without a result (RTMP 1.0 §7.1.1).

    Raises LocalProtocolError for values that AMF cannot hold, and RoomLimitExceeded beyond
    `limit` bytes.
    """
    body = Command(method_name(method), 0, None, list(arguments)).serialize(0)
    if len(body) > limit:
        raise RoomLimitExceeded(f"a broadcast of {len(body)} bytes ({limit} at most)")
    return body


class RoomHub:
    """Who is in which room of this process, on one event loop."""

    def __init__(
        self, *, layer: ChannelLayer | None = None, limits: RoomLimits | None = None
    ) -> None:
        self.limits = limits or RoomLimits()
        self._relay = Relay(layer, self._deliver) if layer is not None else None
        self._rooms: dict[str, _Room] = {}
        self._groups: dict[str, _Room] = {}
        self._memberships: dict[RoomMember, set[str]] = {}

    async def join(self, room_name: str, member: RoomMember) -> None:
        """Adds the member; a second time changes nothing. It hears all processes on return.

        While the layer fails, the member hears this process only, and the others as soon as the
        layer answers. Raises RoomLimitExceeded.
        """
        room = self._rooms.get(room_name) or _Room(room_name)
        self._check_limits(room, member)
        self._rooms[room_name] = self._groups[room.group] = room
        room.members[member] = None
        self._memberships.setdefault(member, set()).add(room_name)
        if self._relay is not None:
            await self._relay.follow(room.group)

    def leave(self, room_name: str, member: RoomMember) -> None:
        """Takes the member out of the room; harmless if it is not in it."""
        rooms = self._memberships.get(member)
        if rooms is None or room_name not in rooms:
            return
        rooms.discard(room_name)
        if not rooms:
            del self._memberships[member]
        room = self._rooms[room_name]
        del room.members[member]
        if not room.members:
            self._forget(room)

    def leave_all(self, member: RoomMember) -> None:
        """Takes the member out of all rooms; for every kind of ending, harmless twice."""
        for room_name in tuple(self._memberships.get(member, ())):
            self.leave(room_name, member)

    def members(self, room_name: str) -> tuple[RoomMember, ...]:
        """The room's members in this process, in the order they came."""
        room = self._rooms.get(room_name)
        return tuple(room.members) if room is not None else ()

    async def broadcast(
        self,
        room_name: str,
        method: str,
        arguments: Sequence[Any] = (),
        *,
        exclude: RoomMember | None = None,
    ) -> None:
        """Calls `method` on every member, in every process, without waiting for results.

        Local members are written before this first waits. Raises LocalProtocolError (values
        that AMF cannot hold) and RoomLimitExceeded before anything is written.
        """
        body = encode_broadcast(method, arguments, limit=self.limits.broadcast_bytes)
        await self.broadcast_encoded(room_name, body, exclude=exclude)

    async def broadcast_encoded(
        self, room_name: str, body: bytes, *, exclude: RoomMember | None = None
    ) -> None:
        """The same with what `encode_broadcast` made."""
        self.write(room_name, body, exclude=exclude)
        if self._relay is not None:
            await self._relay.send(room_group(room_name), body)

    def write(self, room_name: str, body: bytes, *, exclude: RoomMember | None = None) -> None:
        """Writes what `encode_broadcast` made to this process's members."""
        room = self._rooms.get(room_name)
        if room is not None:
            room.write(body, exclude=exclude)

    async def close(self) -> None:
        """Empties all rooms and leaves the layer."""
        self._rooms.clear()
        self._groups.clear()
        self._memberships.clear()
        if self._relay is not None:
            await self._relay.close()

    def _check_limits(self, room: _Room, member: RoomMember) -> None:
        limits = self.limits
        if member in room.members:
            return
        if len(room.name.encode("utf-8", "surrogatepass")) > limits.name_bytes:
            raise RoomLimitExceeded(f"a room's name may have {limits.name_bytes} bytes")
        if len(room.members) >= limits.members:
            raise RoomLimitExceeded(f"a room may have {limits.members} members here")
        if len(self._memberships.get(member, ())) >= limits.rooms_per_member:
            raise RoomLimitExceeded(f"a member may be in {limits.rooms_per_member} rooms")

    def _forget(self, room: _Room) -> None:
        del self._rooms[room.name]
        del self._groups[room.group]
        if self._relay is not None:
            self._relay.unfollow(room.group)

    def _deliver(self, group: str, body: bytes) -> None:
        room = self._groups.get(group)
        if room is not None:
            room.write(body)


class _Room:
    __slots__ = ("group", "members", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.group = room_group(name)
        self.members: dict[RoomMember, None] = {}

    def write(self, body: bytes, *, exclude: RoomMember | None = None) -> None:
        data = encode_message(Message(MessageType.COMMAND_AMF0, 0, 0, body))
        for member in tuple(self.members):
            if member is exclude:
                continue
            try:
                member.write_shared(data)
            except Exception:
                logger.exception("A member of room %r could not be written", self.name)
