"""Who is connected to this process, on one event loop.

A connection costs the channel layer nothing: each process has one channel in one group, and
looks up for itself whom an order of another process means.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Protocol

from rtmp_channels.connections.facts import Facts
from rtmp_channels.connections.heartbeat import Heartbeat
from rtmp_channels.connections.orders import GROUP, Audience, Order, Verb
from rtmp_channels.protocol.chunk import Message
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.protocol.outbound import encode_message
from rtmp_channels.relay import ChannelLayer, Relay

logger = logging.getLogger(__name__)


class Connected(Protocol):
    """An accepted connection; compared by identity."""

    id: str
    """Different from every other's, over all processes."""

    def write_shared(self, data: bytes, /) -> None:
        """Writes chunked bytes; neither blocks nor waits."""

    def kick(self, description: str, /) -> None:
        """Ends the connection; the client is told the description."""

    def facts(self) -> Facts:
        """What the list of connections holds of it."""


class Roster:
    """The connections of one loop, by id and by user."""

    def __init__(
        self,
        *,
        layer: ChannelLayer | None = None,
        make_heartbeat: Callable[[Roster], Heartbeat] | None = None,
    ) -> None:
        self._relay = Relay(layer, self._hear) if layer is not None else None
        self._joining: asyncio.Task[None] | None = None
        self._by_id: dict[str, Connected] = {}
        self._by_user: dict[str, dict[str, Connected]] = {}
        self._user_of: dict[str, str] = {}
        self._listed: dict[str, Connected] = {}
        self._make_heartbeat = make_heartbeat
        self._heartbeat: Heartbeat | None = None

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, connection_id: str) -> bool:
        return connection_id in self._by_id

    def list_nobody(self) -> None:
        """This loop's connections do not belong into the list: a test's server."""
        self._make_heartbeat = None

    def joining(self) -> asyncio.Task[None] | None:
        """What to await before orders of other processes are heard; None: nothing any more."""
        if self._relay is None:
            return None
        if self._joining is None:
            self._joining = asyncio.get_running_loop().create_task(self._relay.follow(GROUP))
        return None if self._joining.done() else self._joining

    def add(self, connected: Connected, *, user: str = "", listed: bool = False) -> None:
        """A connection was accepted; `user` is its user's primary key, "" for nobody's.

        `listed`: whether it belongs into the list of connections.
        """
        self._by_id[connected.id] = connected
        if user:
            self._user_of[connected.id] = user
            self._by_user.setdefault(user, {})[connected.id] = connected
        if listed and self._make_heartbeat is not None:
            self._listed[connected.id] = connected
            if self._heartbeat is None:
                self._heartbeat = self._make_heartbeat(self)
            self._heartbeat.changed()

    def discard(self, connected: Connected) -> None:
        """It is over; harmless twice."""
        self._by_id.pop(connected.id, None)
        self.forget_user(connected.id)
        if self._listed.pop(connected.id, None) is not None and self._heartbeat is not None:
            self._heartbeat.changed()

    def forget_user(self, connection_id: str) -> None:
        """It is nobody's from now on: what is meant for the user does not reach it, and the list
        of connections names them no longer."""
        user = self._user_of.pop(connection_id, None)
        if user is not None:
            theirs = self._by_user[user]
            del theirs[connection_id]
            if not theirs:
                del self._by_user[user]

    def listed(self) -> Collection[str]:
        """The ids of those that belong into the list of connections."""
        return self._listed.keys()

    def facts(self, connection_id: str) -> Facts:
        """What is known of one of these."""
        facts = self._listed[connection_id].facts()
        is_known = facts.user is None or connection_id in self._user_of
        return facts if is_known else replace(facts, user=None)

    async def carry(self, order: Order) -> None:
        """Carries out an order here, before this first waits, and tells the other processes."""
        self.obey(order)
        is_done = order.audience is Audience.CLIENT and order.name in self._by_id
        if self._relay is not None and not is_done:
            await self._relay.send(GROUP, order.serialize())

    def obey(self, order: Order) -> None:
        """Carries out an order here."""
        if order.verb is Verb.KICK:
            self._kick(order)
        else:
            self._call(order)

    async def close(self) -> None:
        """Forgets everyone and leaves the layer."""
        self._by_id.clear()
        self._by_user.clear()
        self._user_of.clear()
        self._listed.clear()
        if self._heartbeat is not None:
            await self._heartbeat.close()
        if self._joining is not None:
            self._joining.cancel()
        if self._relay is not None:
            await self._relay.close()

    def _meant(self, order: Order) -> Iterable[Connected]:
        match order.audience:
            case Audience.CLIENT:
                found = self._by_id.get(order.name)
                return () if found is None else (found,)
            case Audience.USER:
                return tuple(self._by_user.get(order.name, {}).values())
            case Audience.EVERYONE:
                return tuple(self._by_id.values())

    def _call(self, order: Order) -> None:
        meant = self._meant(order)
        if not meant:
            return
        data = encode_message(Message(MessageType.COMMAND_AMF0, 0, 0, order.payload))
        for connected in meant:
            try:
                connected.write_shared(data)
            except Exception:
                logger.exception("Connection %s could not be written", connected.id)

    def _kick(self, order: Order) -> None:
        description = order.payload.decode("utf-8", "replace")
        for connected in self._meant(order):
            connected.kick(description)

    def _hear(self, group: str, body: bytes) -> None:
        self.obey(Order.parse(body))
