"""One object in this process: a replica, and the connections that follow it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from rtmp_channels.shared_objects.corrections import Corrections
from rtmp_channels.shared_objects.encoding import ObjectEncoder
from rtmp_channels.shared_objects.operations import Commit, ObjectKey
from rtmp_channels.shared_objects.state import ObjectState

logger = logging.getLogger(__name__)

GATHERED_COMMITS = 1_024
"""Commits that one tick gathers; beyond that they are told at once."""


class Subscriber(Protocol):
    """A connection that uses shared objects."""

    id: str
    """Different from every other connection's, over all processes."""

    def write_shared(self, data: bytes, /) -> None:
        """Writes chunked bytes with whatever else this turn of the loop brings; must neither block
        nor wait."""

    def write_joined(self, data: bytes, /) -> None:
        """The same at once: whoever writes it has joined what this turn brought."""


class Follower:
    """One connection's use of one object."""

    __slots__ = ("corrections", "echo", "object_encoding", "subscriber", "told")

    def __init__(
        self, subscriber: Subscriber, *, object_encoding: int = 0, echo: bool = False
    ) -> None:
        self.subscriber = subscriber
        self.object_encoding = object_encoding
        self.echo = echo
        self.corrections = Corrections()
        self.told = 0
        """How many of the gathered commits it has been told."""

    def write(self, data: bytes) -> None:
        """Writes, whatever becomes of it: one broken connection is not the others' affair."""
        try:
            self.subscriber.write_shared(data)
        except Exception:
            self.log_broken()

    def log_broken(self) -> None:
        """Says that writing raised what is being handled."""
        logger.exception("A user of a shared object could not be written")


class Fanout:
    """Tells the followers of one object what happens to it, in the sequencer's order.

    Commits are gathered over a tick, or over one turn of the loop. Each is encoded once per message
    type, and those who only read share the joined bytes: one write for each, which is most of what
    it costs. The writer hears of its own events by the answers to its requests, at once and behind
    all that came before them; everybody else hears by the commit.
    """

    def __init__(self, key: ObjectKey, state: ObjectState) -> None:
        self.key = key
        self.state = state
        self.encoder = ObjectEncoder(key.name, state.persistent)
        self.followers: dict[str, Follower] = {}
        self.holders: set[object] = set()
        """Everything that keeps the object open here: followers' links, server code."""
        self.delivered = state.sequence
        """The last event that followers were told, or will be with the tick."""
        self.is_refused = False
        """Whether followers are told nothing at present."""
        self._tick = state.rules.tick_ms / 1000
        self._gathered: list[_Gathered] = []
        self._writers: set[str] = set()
        """Those of the gathered commits who are told by answers."""
        self._timer: asyncio.Handle | None = None

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
        follower.told = len(self._gathered)
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
        if self.is_refused:
            return
        self._gathered.append(_Gathered(commit, to_writer))
        if not to_writer:
            self._writers.add(commit.writer)
        if len(self._gathered) >= GATHERED_COMMITS:
            self.flush()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            if self._tick:
                self._timer = loop.call_later(self._tick, self.flush)
            else:
                self._timer = loop.call_soon(self.flush)

    def answer(self, follower: Follower, data: bytes) -> None:
        """Writes to one follower, behind all that has happened before."""
        if not self.is_refused:
            self._tell(follower)
            follower.write(data)

    def tell(self, subscriber_id: object) -> None:
        """Tells one connection now what the tick has gathered, if it follows the object."""
        follower = self.followers.get(str(subscriber_id))
        if follower is not None:
            self._tell(follower)

    def flush(self) -> None:
        """Tells everyone what the tick has gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._gathered:
            return
        joined: dict[tuple[int, int], bytes] = {}
        for follower in tuple(self.followers.values()):
            data = self._untold(follower, joined)
            if data:
                try:
                    follower.subscriber.write_joined(data)
                except Exception:
                    follower.log_broken()
        self._gathered = []
        self._writers.clear()
        for follower in self.followers.values():
            follower.told = 0

    def resync(self, state: ObjectState) -> None:
        """Starts anew from this state: everyone is told all slots, since some events are lost."""
        self.flush()
        self.state = state
        self.delivered = state.sequence
        if not self.is_refused:
            self._tell_all(
                lambda encoding: self.encoder.everything(state.version, state.values(), encoding)
            )

    def refuse(self) -> None:
        """Takes the object away from its followers: what they show may be old."""
        self.flush()
        self.is_refused = True
        self._write_all(self.encoder.withdrawal)

    def grant(self) -> None:
        """Gives it back, as it is known here."""
        self.is_refused = False
        state = self.state
        self._tell_all(
            lambda encoding: self.encoder.state(
                state.version, state.values(), clear=True, object_encoding=encoding
            )
        )

    def _tell_all(self, encode: Callable[[int], bytes]) -> None:
        """Tells everyone all slots."""
        self._write_all(encode)
        for follower in self.followers.values():
            follower.corrections.note_all(self.state.version)

    def _write_all(self, encode: Callable[[int], bytes]) -> None:
        encoded: dict[int, bytes] = {}
        for follower in tuple(self.followers.values()):
            object_encoding = follower.object_encoding
            if object_encoding not in encoded:
                encoded[object_encoding] = encode(object_encoding)
            follower.write(encoded[object_encoding])

    def _tell(self, follower: Follower) -> None:
        """Writes to one follower what was gathered and not told."""
        data = self._untold(follower, {})
        if data:
            follower.write(data)

    def _untold(self, follower: Follower, joined: dict[tuple[int, int], bytes]) -> bytes:
        """What is told now; `joined` keeps it for those at the same point."""
        start, follower.told = follower.told, len(self._gathered)
        if start == follower.told:
            return b""
        point = (start, follower.object_encoding)
        if follower.subscriber.id in self._writers:
            return self._join(*point, without=follower.subscriber.id)
        if point not in joined:
            joined[point] = self._join(*point)
        return joined[point]

    def _join(self, start: int, object_encoding: int, *, without: str = "") -> bytes:
        return b"".join(
            gathered.encode(self.encoder, object_encoding)
            for gathered in self._gathered[start:]
            if gathered.to_writer or gathered.commit.writer != without
        )


class _Gathered:
    """A commit that followers are to be told, encoded once per message type."""

    __slots__ = ("_encoded", "commit", "to_writer")

    def __init__(self, commit: Commit, to_writer: bool) -> None:
        self.commit = commit
        self.to_writer = to_writer
        self._encoded: dict[int, bytes] = {}

    def encode(self, encoder: ObjectEncoder, object_encoding: int) -> bytes:
        if object_encoding not in self._encoded:
            self._encoded[object_encoding] = encoder.commit(self.commit, object_encoding)
        return self._encoded[object_encoding]
