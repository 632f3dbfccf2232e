"""One connection's door to shared objects: what a session hands its messages to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from rtmp_channels.protocol.shared_object import Release, SharedObjectMessage, Use
from rtmp_channels.shared_objects.allowance import Allowance
from rtmp_channels.shared_objects.encoding import ObjectEncoder
from rtmp_channels.shared_objects.fanout import Follower, Subscriber
from rtmp_channels.shared_objects.grants import Authorise
from rtmp_channels.shared_objects.link import Link
from rtmp_channels.shared_objects.operations import ObjectKey
from rtmp_channels.shared_objects.refusals import (
    NO_WRITE_ACCESS,
    OBJECT_CREATION_FAILED,
    SharedObjectError,
)

if TYPE_CHECKING:
    from rtmp_channels.shared_objects.hub import SharedObjectHub

logger = logging.getLogger(__name__)

LOGGED_REFUSALS = 10
"""Lines that one connection's refusals may add to the log: it could be refused for ever."""


class TooMuchWaiting(SharedObjectError):
    """A connection sends while its earlier messages still wait, beyond the limit: close it."""


class SharedObjectPort:
    """Takes a connection's shared-object messages; made by `SharedObjectHub.connect`.

    A session stops reading while `is_congested`, until `on_room` is called; one that goes on
    reading gets TooMuchWaiting from `receive` in the end.
    """

    def __init__(
        self,
        hub: SharedObjectHub,
        subscriber: Subscriber,
        *,
        instance: str,
        authorise: Authorise,
        on_room: Callable[[], None],
    ) -> None:
        self.hub = hub
        self.subscriber = subscriber
        self.authorise = authorise
        self._instance = instance
        self._links: dict[str, Link] = {}
        self._waiting_steps = 0
        self._waiting_bytes = 0
        self._on_room = on_room
        self._congested = False
        self._allowance = Allowance(hub.rules.operations_per_second)
        self._loggable_refusals = LOGGED_REFUSALS
        self._closed = False

    def receive(self, message: SharedObjectMessage) -> None:
        """Takes one message; what it causes is written before this returns, or later in order.

        Raises TooMuchWaiting, and amf.EncodeError for values that cannot be passed on.
        """
        if self._closed:
            return
        link = self._links.get(message.name)
        if link is None:
            if all(isinstance(event, Release) for event in message.events):
                return
            refusal = self._refusal(message)
            if refusal:
                self._refuse(message, refusal)
                return
            link = Link(self, ObjectKey(self._instance, message.name))
            self._links[message.name] = link
        link.feed(message)

    def close(self) -> None:
        """Releases every object, whatever is under way; for every ending, harmless twice."""
        self._closed = True
        links, self._links = self._links, {}
        for link in links.values():
            link.close()
        self.hub.disconnect(self)

    @property
    def is_congested(self) -> bool:
        """Whether so much waits for grants or the sequencer that reading should stop."""
        return self._congested

    def count_waiting(self, steps: int, size: int) -> None:
        """A link keeps count of what waits in it. Raises TooMuchWaiting."""
        rules = self.hub.rules
        self._waiting_steps += steps
        self._waiting_bytes += size
        steps, size = self._waiting_steps, self._waiting_bytes
        if steps > rules.waiting_messages or size > rules.waiting_bytes:
            raise TooMuchWaiting(f"{steps} shared-object messages ({size} bytes) wait")
        was_congested = self._congested
        self._congested = 2 * steps > rules.waiting_messages or 2 * size > rules.waiting_bytes
        if was_congested and not self._congested:
            self._on_room()

    def may_change(self, count: int) -> bool:
        """Whether so many operations are within the connection's rate."""
        return self._allowance.take(count, now=asyncio.get_running_loop().time())

    def log_refusal(self, text: str, *arguments: object) -> None:
        """Logs a refusal, unless the connection has brought enough of them already."""
        if self._loggable_refusals:
            self._loggable_refusals -= 1
            logger.info(text, *arguments)

    def forget(self, link: Link) -> None:
        """Drops a link that is idle."""
        if self._links.get(link.key.name) is link:
            del self._links[link.key.name]

    def _refusal(self, message: SharedObjectMessage) -> str:
        """Why a name that is not in use here stays so, or "": the code for the client."""
        if not any(isinstance(event, Use) for event in message.events):
            return NO_WRITE_ACCESS
        rules = self.hub.rules
        if len(message.name.encode("utf-8", "surrogatepass")) > rules.name_bytes:
            reason = f"a name of more than {rules.name_bytes} bytes"
        elif len(self._links) >= rules.objects_per_connection:
            reason = f"more than {rules.objects_per_connection} objects on one connection"
        else:
            return ""
        self.log_refusal("Shared object %r refused: %s", message.name, reason)
        return OBJECT_CREATION_FAILED

    def _refuse(self, message: SharedObjectMessage, code: str) -> None:
        encoder = ObjectEncoder(message.name, message.persistent)
        Follower(self.subscriber).write(encoder.status(code, message.object_encoding))
