"""The sessions of this process, whatever carries them: how many may be open, and their end."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator

from rtmp_channels import descriptors, goodbye
from rtmp_channels.application import ASGIApplication
from rtmp_channels.conf import RtmpSettings
from rtmp_channels.counters import Limit, counters
from rtmp_channels.goodbye import Ending
from rtmp_channels.held_memory import held_memory
from rtmp_channels.loop_local import LoopLocal
from rtmp_channels.recording import session_class
from rtmp_channels.serving import serves
from rtmp_channels.session import Session
from rtmp_channels.transport import Peer, Transport

logger = logging.getLogger(__name__)


class SessionHolder:
    """Looks after one session until its transport is gone and its application has ended."""

    session: Session
    """Set when the session is opened."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<RTMP connection {self.session}>"

    def shut_down(self) -> None:
        """The server stops: tells the client, gives the application time to end by itself."""
        description = "The server is shutting down."
        self.session.end(Ending(goodbye.APP_SHUTDOWN, "the server stops", description))

    def cut(self) -> asyncio.Task[None] | None:
        """Cuts the transport and cancels the application; its task, if it was still running."""
        self.session.cut()
        if self._task is not None and not self._task.done():
            self._task.cancel()
            return self._task
        return None

    # what the session reports

    def application_started(self, session: Session, task: asyncio.Task[None], /) -> None:
        """The application has a task, which has not run yet."""
        self._task = task

    def session_ending(self, session: Session, /) -> None:
        """Nothing more is taken from or sent to the client."""

    def session_closed(self, session: Session, /) -> None:
        """All is over."""
        open_sessions.get().forget(self)


class OpenSessions:
    """Opens sessions within the limits, and ends them when the server stops."""

    def __init__(self) -> None:
        self._holders: dict[SessionHolder, None] = {}
        self._per_address: Counter[str] = Counter()
        self._is_stopping = False
        self._is_refusing = False
        self._all_closed: asyncio.Event | None = None

    def __len__(self) -> int:
        return len(self._holders)

    def __iter__(self) -> Iterator[Session]:
        """All sessions, from their first byte until nothing is left of them."""
        return iter([holder.session for holder in self._holders])

    def open(
        self,
        transport: Transport,
        application: ASGIApplication,
        *,
        peer: Peer,
        settings: RtmpSettings,
        holder: SessionHolder | None = None,
    ) -> Session | None:
        """A session for a new connection; None, and one log line per burst, beyond a limit."""
        refusal = self._refusal(peer, settings)
        if refusal is not None:
            limit, reason = refusal
            if limit is not None:
                counters.count(limit)
            if not self._is_refusing:
                logger.warning("%s: refused: %s", peer, reason)
            self._is_refusing = True
            return None
        self._is_refusing = False
        if not self._holders:
            serves(self)
            held_memory.get().sessions = self
        holder = holder or SessionHolder()
        make = session_class()
        holder.session = make(transport, application, peer=peer, settings=settings, host=holder)
        self._holders[holder] = None
        if peer.client is not None:
            self._per_address[peer.client[0]] += 1
        return holder.session

    def forget(self, holder: SessionHolder) -> None:
        """Nothing is left of its session."""
        del self._holders[holder]
        client = holder.session.peer.client
        if client is not None:
            self._per_address[client[0]] -= 1
            if not self._per_address[client[0]]:
                del self._per_address[client[0]]
        if self._all_closed is not None and not self._holders:
            self._all_closed.set()

    def end_all(self) -> None:
        """Ends all sessions, and takes no new ones."""
        self._is_stopping = True
        for holder in tuple(self._holders):
            holder.shut_down()

    async def all_closed(self, timeout: float) -> None:  # noqa: ASYNC109
        """Returns when all sessions are over; those that last longer than `timeout` are cut."""
        if not self._holders:
            return
        self._all_closed = asyncio.Event()
        try:
            async with asyncio.timeout(timeout):
                await self._all_closed.wait()
        except TimeoutError:
            await self._cut_rest()

    async def close(self) -> None:
        """Cuts whatever is left."""
        self.end_all()
        await self._cut_rest()

    async def _cut_rest(self) -> None:
        if not self._holders:
            return
        logger.warning("%d RTMP connections did not end in time: cut", len(self._holders))
        tasks = [task for holder in tuple(self._holders) if (task := holder.cut()) is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)

    def _refusal(self, peer: Peer, settings: RtmpSettings) -> tuple[Limit | None, str] | None:
        if self._is_stopping:
            return None, "the server stops"
        if len(self._holders) >= settings.max_connections:
            return Limit.CONNECTIONS, f"{settings.max_connections} connections are open"
        if len(self._holders) >= descriptors.most_connections():
            reason = f"{len(self._holders)} connections are open, of as many files as may be"
            return Limit.CONNECTIONS, reason
        address = peer.client[0] if peer.client is not None else ""
        most = settings.max_connections_per_address
        if self._per_address[address] >= most:
            reason = f"{most} connections from that address are open"
            return Limit.CONNECTIONS_PER_ADDRESS, reason
        return None


open_sessions: LoopLocal[OpenSessions] = LoopLocal(OpenSessions)
"""`open_sessions.get()`: the running loop's sessions, of all endpoints and tunnels."""
