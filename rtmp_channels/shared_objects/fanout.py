"""One object in this process: a replica, and the connections that follow it."""

from __future__ import annotations

import logging
from typing import Protocol

from rtmp_channels.shared_objects.corrections import Corrections
from rtmp_channels.shared_objects.encoding import ObjectEncoder
from rtmp_channels.shared_objects.operations import Commit, ObjectKey
from rtmp_channels.shared_objects.state import ObjectState

logger = logging.getLogger(__name__)


class Subscriber(Protocol):
    """A connection that uses shared objects."""

    id: str
    """Different from every other connection's, over all processes."""

    def write_shared(self, data: bytes, /) -> None:
        """Writes chunked bytes; must neither block nor wait."""


class Follower:
    """One connection's use of one object."""

    __slots__ = ("corrections", "echo", "object_encoding", "subscriber")

    def __init__(
        self, subscriber: Subscriber, *, object_encoding: int = 0, echo: bool = False
    ) -> None:
        self.subscriber = subscriber
        self.object_encoding = object_encoding
        self.echo = echo
        self.corrections = Corrections()

    def write(self, data: bytes) -> None:
        """Writes, whatever becomes of it: one broken connection is not the others' affair."""
        try:
            self.subscriber.write_shared(data)
        except Exception:
            logger.exception("A user of a shared object could not be written")


class Fanout:
    """Tells the followers of one object what happens to it, in the sequencer's order.

    An event is encoded once per message type. The writer hears of its own events by the answers to
    its requests, everybody else by the commit.
    """

    def __init__(self, key: ObjectKey, state: ObjectState) -> None:
        self.key = key
        self.state = state
        self.encoder = ObjectEncoder(key.name, state.persistent)
        self.followers: dict[str, Follower] = {}
        self.holders: set[object] = set()
        """Everything that keeps the object open here: followers' links, server code."""
        self.delivered = state.sequence
        """The last event that was told."""

    def follow(self, follower: Follower, *, known_version: int) -> None:
        """Adds a follower and writes it the state, or what changed since the version it knows."""
        state = self.state
        changes = state.changes_since(known_version) if known_version else None
        data = self.encoder.state(
            state.version,
            state.values() if changes is None else changes,
            clear=changes is None,
            object_encoding=follower.object_encoding,
        )
        self.followers[follower.subscriber.id] = follower
        follower.write(data)

    def unfollow(self, follower: Follower) -> None:
        """Takes the follower out; harmless twice."""
        if self.followers.get(follower.subscriber.id) is follower:
            del self.followers[follower.subscriber.id]

    def deliver(self, commit: Commit, *, to_writer: bool = False) -> None:
        """Follows the sequencer and tells everyone; the writer only if it will not be answered."""
        self.state.apply(commit)
        if commit.sequence <= self.delivered:
            return
        self.delivered = commit.sequence
        encoded: dict[int, bytes] = {}
        for follower in tuple(self.followers.values()):
            if follower.subscriber.id == commit.writer and not to_writer:
                continue
            data = encoded.get(follower.object_encoding)
            if data is None:
                data = self.encoder.commit(commit, follower.object_encoding)
                encoded[follower.object_encoding] = data
            follower.write(data)

    def resync(self, state: ObjectState) -> None:
        """Starts anew from this state: everyone is told all slots, since some events are lost."""
        self.state = state
        self.delivered = state.sequence
        encoded: dict[int, bytes] = {}
        for follower in tuple(self.followers.values()):
            object_encoding = follower.object_encoding
            if object_encoding not in encoded:
                encoded[object_encoding] = self.encoder.everything(
                    state.version, state.values(), object_encoding
                )
            follower.write(encoded[object_encoding])
            follower.corrections.note_all(state.version)
