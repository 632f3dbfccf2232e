"""One RTMP connection, whatever carries it: bytes in, bytes out, deadlines, endings.

The only writer of its transport. What the application sees of it is in `application`.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from datetime import UTC, datetime
from typing import Any, Protocol

from rtmp_channels import goodbye
from rtmp_channels.application import ApplicationLink, ASGIApplication
from rtmp_channels.bursts import bursts
from rtmp_channels.conf import RtmpSettings
from rtmp_channels.connections.current import rosters
from rtmp_channels.connections.facts import Facts
from rtmp_channels.counters import Limit, counters
from rtmp_channels.deadlines import Deadlines, Due
from rtmp_channels.flushing import flush_queues
from rtmp_channels.goodbye import Ending, printable
from rtmp_channels.held_memory import held_memory
from rtmp_channels.inbound import handle
from rtmp_channels.phase import Phase
from rtmp_channels.protocol.config import Role
from rtmp_channels.protocol.connection import Connection
from rtmp_channels.protocol.errors import LimitExceeded, LocalProtocolError, RemoteProtocolError
from rtmp_channels.protocol.events import Event
from rtmp_channels.rooms.current import room_hubs
from rtmp_channels.timers import timer_wheels
from rtmp_channels.transport import Peer, Transport

logger = logging.getLogger(__name__)

_OPEN = Phase.OPEN
"""By itself: the lookup in its class is a good part of what a broadcast costs each connection."""

LARGE_WRITE = 65_536
"""Bytes that are written at once instead of at the end of the loop's turn."""

_NEVER = -math.inf
"""No deadline is earlier: the wheel is asked for no further call."""

_SIGN_OF_LIFE = 1_000
"""Bytes that a client must have taken since the last ping: more than the pings themselves."""

ANSWER_SECONDS = 1.0
"""How long after a ping a publisher is read from at once, though its stream has ticks."""

PINGS_SPARED = 3
"""Pings left out between two, while what the client takes shows that it lives: to all players of a
stream they cost as much as part of the stream, and so do their answers."""


class SessionHost(Protocol):
    """Who looks after sessions: see `open_sessions`."""

    def application_started(self, session: Session, task: asyncio.Task[None], /) -> None:
        """The application has a task; called before it runs."""

    def session_ending(self, session: Session, /) -> None:
        """Nothing more will be taken from or sent to the client; harmless twice."""

    def session_closed(self, session: Session, /) -> None:
        """The transport is gone and the application has ended."""


class Session:
    """Joins a transport, a protocol `Connection` and an application's task."""

    def __init__(
        self,
        transport: Transport,
        application: ASGIApplication,
        *,
        peer: Peer,
        settings: RtmpSettings,
        host: SessionHost | None = None,
    ) -> None:
        self.id = secrets.token_hex(16)
        """Different from every other session's, over all processes."""
        self.peer = peer
        self.settings = settings
        self.phase = Phase.HANDSHAKE
        self.path = ""
        """Application and instance, once `connect` came."""
        self.round_trip: int | None = None
        """Milliseconds to the client and back, by its last answer to a ping."""
        self.opened = datetime.now(UTC)
        self.user: Any = None
        """The primary key of who it is, by the application; None for nobody."""
        self.program = ""
        """What the client says it is (`flashVer`), once `connect` came."""
        self.connection = Connection(Role.SERVER, settings.connection_config())
        self.application = ApplicationLink(self, application)
        self._loop = asyncio.get_running_loop()
        self._wheel = timer_wheels.get()
        self._transport = transport
        self._host = host
        self._lost = False
        self._is_broken = False
        """The client broke the protocol: nothing can be said to it."""
        self._wire_bytes = 0
        """Bytes received since the last event."""
        self._sent_bytes = 0
        """What was handed to the transport until the last ping."""
        self._pings_spared = PINGS_SPARED  # the first one tells the round trip
        self._is_reading = True
        self._congestion_level = logging.INFO
        """Of the next line about it: the first one says enough."""
        self._answer_due = -math.inf
        """How long the answer to the last ping is waited for."""
        self._waits_for_turn = False
        """To handle the rest of what was received."""
        self._flushes = flush_queues.get()
        self._memory = held_memory.get()
        self._is_flush_due = False
        self._drain_waiters: list[asyncio.Future[None]] | None = None
        """A list while the transport holds too much."""
        self._deadlines = Deadlines(settings, self._loop.time())
        self._next_check = math.inf
        """When the wheel will call; deadlines that moved later are looked at then."""
        self._schedule_check()

    def __str__(self) -> str:
        return f"{self.peer} /{printable(self.path)}" if self.path else str(self.peer)

    # what the transport reports

    def data_received(self, data: bytes) -> None:
        """Takes what was read; the rest of many messages has its turn when others had theirs."""
        if self.phase >= Phase.CLOSING:
            return
        now = self._loop.time()
        self._deadlines.heard(now)
        self._wire_bytes += len(data)
        self._memory.grow(len(data))
        self._handle(data, now)

    def _handle(self, data: bytes | None, now: float = 0.0) -> None:
        """Takes what was read, or what was left of it."""
        connection = self.connection
        try:
            if data is None:
                events = connection.receive_more()
            else:
                events = connection.receive_data(data, now)
            if events:
                self.handle_events(events)
            self.flush()
            if connection.has_more:
                self.go_on_soon()
            elif self._is_overrun:
                self._pause_reading()
        except RemoteProtocolError as error:
            self.broken(error)
        except Exception:
            logger.exception("%s: what the client sent could not be handled", self)
            self.fail()

    def pause_writing(self) -> None:
        """The transport holds more than it likes: senders wait."""
        if self._drain_waiters is None:
            self._drain_waiters = []
            self._deadlines.stalled(self._loop.time(), self.buffered_bytes)
            self._schedule_check()

    def resume_writing(self) -> None:
        """The transport has drained."""
        self._deadlines.drained()
        waiters, self._drain_waiters = self._drain_waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)
        self.read_on()

    def connection_lost(self, error: Exception | None) -> None:
        """The transport is gone; the last call it makes."""
        self._lost = True
        self._deadlines.done(Due.ABORT)
        if self.phase < Phase.CLOSING:
            reason = f"connection lost: {error}" if error else "closed by the client"
            self.end(Ending(goodbye.CLOSED, reason))
        self.phase = Phase.CLOSED
        self.resume_writing()
        self._closed_if_over()

    # what the application and the hubs write

    @property
    def transport(self) -> Transport:
        """For who writes what `connection.pass_on` hands back, and limits what waits."""
        return self._transport

    @property
    def buffered_bytes(self) -> int:
        """Bytes that wait for the client."""
        return self._transport.buffered_bytes + self.connection.queued_bytes

    @property
    def held_bytes(self) -> int:
        """Bytes of what came and of what should leave: what it costs the process beyond itself."""
        transport, connection = self._transport, self.connection
        waiting = transport.unread_bytes + connection.unfinished_bytes
        return self.buffered_bytes + waiting + self.application.waiting_bytes

    @property
    def closed(self) -> bool:
        """Whether writing is pointless."""
        return self.phase >= Phase.CLOSING

    def write_shared(self, data: bytes) -> None:
        """Writes chunked bytes that other sessions write as well; neither blocks nor waits.

        A client that does not read is cut when too much waits for it.
        """
        if self.phase is not _OPEN or self._is_broken:
            return
        self.connection.send_raw(data)
        if self._drain_waiters is not None and self._is_overrun:
            self.end(goodbye.overrun(self.buffered_bytes))
        elif self._is_flush_due:
            self.flush_soon()
        else:  # as there, but this is a good part of what a broadcast costs each connection
            self._is_flush_due = True
            self._flushes.add(self)

    def write_joined(self, data: bytes) -> None:
        """As `write_shared`, but now: for who has joined what this turn of the loop brings."""
        if self.phase is not _OPEN or self._is_broken:
            return
        self._transport.write(self.connection.pass_on(data))
        if self._drain_waiters is not None and self._is_overrun:
            self.end(goodbye.overrun(self.buffered_bytes))

    def flush_soon(self) -> None:
        """Writes, with whatever else this turn of the loop brings, in one piece.

        Not so soon that the piece grows large: a writer that never waits would be the only one.
        """
        if self.connection.queued_bytes > LARGE_WRITE:
            self.flush()
        elif not self._is_flush_due:
            self._is_flush_due = True
            self._flushes.add(self)

    def flush(self) -> None:
        """Writes what is queued."""
        self._is_flush_due = False
        data = self.connection.data_to_send()
        if data and not self._lost:
            self._transport.write(data)

    @property
    def is_write_paused(self) -> bool:
        """Whether `drained` would wait."""
        return self._drain_waiters is not None

    async def drained(self) -> None:
        """Waits until the client has read enough, or is gone."""
        if self._drain_waiters is None or self._lost:
            return
        waiter = self._loop.create_future()
        self._drain_waiters.append(waiter)
        await waiter

    # what happens on the connection

    def handle_events(self, events: list[Event]) -> None:
        """Hands each event to whom it concerns."""
        size = self._wire_bytes // len(events)
        self._wire_bytes = 0
        for event in events:
            if self.phase >= Phase.CLOSING:
                return
            handle(self, event, size)
        if self.application.is_congested:
            counters.count(Limit.QUEUED)
            level, self._congestion_level = self._congestion_level, logging.DEBUG
            logger.log(level, "%s: is not read until the application has caught up", self)
            self._pause_reading()

    def read_on(self) -> None:
        """The application, or the client, has caught up."""
        if self.phase >= Phase.CLOSING or self._is_behind:
            return
        if self.connection.has_more:
            self.go_on_soon()
        elif not self._is_reading:
            self._is_reading = True
            self._deadlines.heard(self._loop.time())  # it may have said a lot meanwhile
            self._transport.resume_reading()

    def go_on_soon(self) -> None:
        """Messages wait in what was received: in a later turn, and nothing is read until then."""
        self._pause_reading()
        if not self._waits_for_turn:
            self._waits_for_turn = True
            bursts.get().add(self)

    def go_on(self) -> None:
        """It is this session's turn."""
        self._waits_for_turn = False
        if self.phase < Phase.CLOSING and not self._is_behind:
            self._handle(None)
            self.read_on()

    def read_in_ticks(self) -> None:
        """Reads what a publisher has sent since the last moment of its stream's tick.

        Nothing but much of it wakes the loop between two, so that packets are handled together.
        The answer to a ping is not kept waiting: it tells the round trip.
        """
        self._transport.gather(self._loop.time() >= self._answer_due)
        self._transport.read_now()

    def read_at_once(self) -> None:
        """The ticks are over, or something is expected."""
        self._transport.gather(False)

    def _pause_reading(self) -> None:
        self._is_reading = False
        self._transport.pause_reading()

    @property
    def _is_behind(self) -> bool:
        """Whether somebody should catch up before more is read."""
        return self.application.is_congested or self._is_overrun

    @property
    def _is_overrun(self) -> bool:
        """Whether the client reads so little that what it asks for should wait, too."""
        is_paused = self._drain_waiters is not None
        return is_paused and self.buffered_bytes > self.settings.max_unsent_bytes

    def enter(self, phase: Phase) -> None:
        """Moves on, with the deadline of the new phase."""
        self.phase = phase
        self._sent_bytes = self.connection.sent_bytes + self.connection.queued_bytes
        self._deadlines.enter(self._loop.time())
        self._schedule_check()

    def broken(self, error: RemoteProtocolError) -> None:
        """The client broke the protocol: what came before counts, then the end."""
        if self.phase >= Phase.CLOSING:
            return
        self._is_broken = True
        self.application.media.stop_playing()
        for event in error.events:
            self._handle_last(event)
        reason = f"protocol error: {error}"
        limit = Limit(error.limit) if isinstance(error, LimitExceeded) else Limit.PROTOCOL
        self.end(Ending(goodbye.FAILED, reason, level=logging.INFO, tell=False, limit=limit))

    def _handle_last(self, event: Event) -> None:
        if self.phase >= Phase.CLOSING:
            return
        try:
            handle(self, event, 0)
        except LocalProtocolError:
            logger.debug("%s: no way to answer %s", self, type(event).__name__)

    # endings

    def end(self, ending: Ending) -> None:
        """Ends the connection, once: tells the client and the application, closes the transport."""
        before = self.phase
        if before >= Phase.CLOSING:
            return
        self.phase = Phase.CLOSING
        self._deadlines.enter(self._loop.time())
        self._schedule_check()  # before anything can raise: the transport is cut in any case
        if ending.level:
            logger.log(ending.level, "%s: %s", self, printable(ending.reason))
        if ending.limit is not None:
            counters.count(ending.limit)
        self._leave_hubs()
        self.connection.drop_unfinished()
        self.application.finish(ending)
        if self._lost or ending.abort:
            self._transport.abort()
        else:
            self._say(before, ending)
            self.flush()
            self._transport.close()
        self.resume_writing()
        if self._host is not None:
            self._host.session_ending(self)

    def cut_for_memory(self, held: int) -> None:
        """Ends the connection now, for the sake of all others; also one that is ending."""
        self.end(goodbye.holds_most(held))
        self.cut()

    def fail(self) -> None:
        """Ends the connection after a bug of ours, which is logged already."""
        self.end(Ending(goodbye.FAILED, "internal error", "Internal error."))

    def cut(self) -> None:
        """Closes the transport at once; the rest follows from that."""
        self._deadlines.done(Due.ABORT)
        self._transport.abort()

    def application_started(self, task: asyncio.Task[None]) -> None:
        """The application has its task, which has not run yet."""
        if self._host is not None:
            self._host.application_started(self, task)

    def application_ended(self) -> None:
        """The application's task is done; if it was cancelled, nobody has ended us yet."""
        reason = "the application was cancelled"
        self.end(Ending(goodbye.CLOSED, reason, level=logging.WARNING))
        self._closed_if_over()

    def facts(self) -> Facts:
        """What the list of connections holds of it."""
        return Facts(
            connection_id=self.id,
            user=self.user,
            address=self.peer.client[0] if self.peer.client else "",
            transport=self.peer.scheme,
            path=self.path,
            program=self.program,
            opened=self.opened,
            round_trip=self.round_trip,
            received=self.connection.received_bytes,
            sent=self.connection.sent_bytes,
        )

    def kick(self, description: str, /) -> None:
        """Ends the connection for people who say so, wherever they are."""
        self.end(Ending(goodbye.CLOSED, f"kicked: {description}", description, logging.INFO))

    def _leave_hubs(self) -> None:
        hub, roster = room_hubs.peek(), rosters.peek()
        if hub is not None:
            hub.leave_all(self)
        if roster is not None:
            roster.discard(self)

    def _say(self, phase: Phase, ending: Ending) -> None:
        try:
            goodbye.say(self.connection, phase, ending)
        except LocalProtocolError:
            logger.debug("%s: no way to say %s", self, ending.code, exc_info=True)

    def _closed_if_over(self) -> None:
        if self._lost and not self.application.is_running:
            self._wheel.discard(self)
            self._next_check = _NEVER
            host, self._host = self._host, None
            if host is not None:
                host.session_closed(self)
            # They hold each other: the garbage collector would have to find out that nobody else
            # does, and for every connection that costs as much as its whole handshake.
            del self.application

    # deadlines

    def expect_answers(self, timeout: float) -> None:
        """How long the client may say nothing although it is pinged; 0: IDLE_TIMEOUT."""
        self._deadlines.silence = timeout or self.settings.idle_timeout
        self._schedule_check()

    def deadline_reached(self, now: float) -> float | None:
        """The timer wheel's call; returns when to look again."""
        self._next_check = math.inf
        upcoming = self._deadlines.next(self.phase)
        if upcoming is not None and now >= upcoming[0]:
            self._act(upcoming[1], now)
            upcoming = self._deadlines.next(self.phase)
        if upcoming is None or self._next_check == _NEVER:
            return None
        self._next_check = upcoming[0]
        return upcoming[0]

    def _act(self, due: Due, now: float) -> None:
        match due:
            case Due.END if self.phase is Phase.OPEN and not self._is_reading:
                self._deadlines.heard(now)  # it is we who do not listen
            case Due.END:
                silence = self._deadlines.silence
                self.end(goodbye.timed_out(self.phase, self.settings, silence=silence))
            case Due.PING:
                self._ping(now)
            case Due.STALLED if self._deadlines.has_progress(self.buffered_bytes):
                self._deadlines.stalled(now, self.buffered_bytes)
            case Due.STALLED:
                self.end(goodbye.stalled(self.buffered_bytes, self.settings))
            case Due.ABORT:
                self.cut()
            case Due.CANCEL:
                self._deadlines.done(due)
                self.application.cancel()

    def _ping(self, now: float) -> None:
        """Asks for a sign of life, unless there is one: some clients never answer a ping."""
        self._deadlines.pinged(now)
        if self._takes_what_it_is_sent(now) and self._pings_spared < PINGS_SPARED:
            self._pings_spared += 1
        else:
            self._pings_spared = 0
            self._answer_due = now + ANSWER_SECONDS
            self.read_at_once()
            self.connection.send_ping(now)
            self.flush()
        self._sent_bytes = self.connection.sent_bytes

    def ping_answered(self, round_trip: int) -> None:
        """It took the client so many milliseconds."""
        self.round_trip = round_trip
        self._answer_due = -math.inf

    def _takes_what_it_is_sent(self, now: float) -> bool:
        """Whether the client has confirmed some of it since the last ping, which is life."""
        taken = self.connection.sent_bytes - self._sent_bytes
        if taken <= _SIGN_OF_LIFE or self.buffered_bytes:
            return False
        silence = self._transport.silence()
        self._deadlines.heard(now - silence)
        return silence < self.settings.ping_interval

    def _schedule_check(self) -> None:
        upcoming = self._deadlines.next(self.phase)
        if upcoming is not None and upcoming[0] < self._next_check:
            self._next_check = upcoming[0]
            self._wheel.schedule(self, upcoming[0])
