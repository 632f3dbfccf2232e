"""One RTMPT session: a connection cut into HTTP requests that are numbered."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable

from rtmp_channels import goodbye
from rtmp_channels.conf import RtmpSettings
from rtmp_channels.protocol.errors import RemoteProtocolError
from rtmp_channels.session import Session
from rtmp_channels.timers import timer_wheels
from rtmp_channels.tunnels.transport import TunnelTransport

FIRST_NUMBERS = (0, 1)
"""ffmpeg and librtmp count from 0, others from 1."""

INTERVALS = (0x01, 0x03, 0x05, 0x09, 0x11, 0x21)
"""How long to wait until the next idle request: the longer, the longer nothing was said."""

_NOTHING = bytes(INTERVALS[:1])
"""The answer that says nothing."""

_IDLE_PER_INTERVAL = 8
_TURNS = 8
"""Turns of the loop that an answer of the application commonly takes."""

Body = Callable[[], Awaitable[bytes]]


class OutOfTurn(Exception):
    """The request's number is not the next one: the session is over."""


class PolledTransport(TunnelTransport):
    """The session's transport, and what is known of its requests."""

    def __init__(self, settings: RtmpSettings, *, on_lost: Callable[[str], None]) -> None:
        super().__init__(high_water=settings.write_high_water)
        self.id = secrets.token_urlsafe(12)
        """96 random bits in 16 characters, as long as Adobe's: Wireshark counts on that."""
        self._settings = settings
        self._on_lost = on_lost
        self._turn = asyncio.Lock()
        self._number: int | None = None
        """That of the last request."""
        self._answer: bytes | None = _NOTHING
        """What was answered to it, for a client that never got it; None if it was too long."""
        self._silent_answers = 0
        self._waiting_requests = 0
        self._last_seen = self._loop.time()
        self._wheel = timer_wheels.get()

    def start(self, session: Session) -> None:
        """The session is there; from now on the client has to ask."""
        self.session = session
        self._wheel.schedule(self, self._last_seen + self._settings.tunnel_timeout)

    async def exchange(
        self, number: int, body: Body, answer: Callable[[bytes], Awaitable[None]], *, is_idle: bool
    ) -> None:
        """Takes one request's body and answers with what the session has to say.

        Requests take turns. One that comes again is answered as before; OutOfTurn is raised for
        any other that is not the next.
        """
        self._waiting_requests += 1
        try:
            async with self._turn:
                if number == self._number and self._answer is not None:
                    await answer(self._answer)
                    return
                self._check(number)
                self._answer = _NOTHING
                data = await body()
                if not is_idle:
                    self._bring(data)
                await self._wait(is_idle=is_idle)
                await self._send(answer)
        finally:
            self._waiting_requests -= 1
            self._last_seen = self._loop.time()

    def lose(self, error: Exception | None = None) -> None:
        """As the base's; the id is not known any more."""
        if not self.is_lost:
            self._wheel.discard(self)
            self._on_lost(self.id)
        super().lose(error)

    def deadline_reached(self, now: float) -> float | None:
        """The timer wheel's call: a client that stays away is gone."""
        timeout = self._settings.tunnel_timeout
        if self._waiting_requests:
            return now + timeout
        if now < self._last_seen + timeout:
            return self._last_seen + timeout
        self.give_up(f"no request for {timeout:g} s")
        return None

    def give_up(self, reason: str) -> None:
        """The client lets us wait for too long: one line in the log, and it is counted."""
        self.session.end(goodbye.stays_away(reason))
        self.lose()

    def _check(self, number: int) -> None:
        is_next = number in FIRST_NUMBERS if self._number is None else number == self._number + 1
        if self.is_lost or not is_next:
            reason = f"RTMPT: request {number} after {self._number}"
            self.session.broken(RemoteProtocolError(reason))
            raise OutOfTurn(reason)
        self._number = number

    def _bring(self, data: bytes) -> None:
        most = self._settings.tunnel_request_bytes
        if self.unread_bytes + len(data) > most:
            reason = f"RTMPT: more than {most} bytes wait to be read"
            self.session.broken(RemoteProtocolError(reason))
        else:
            self.bring(data)

    async def _wait(self, *, is_idle: bool) -> None:
        """Until there is an answer, or room for what the client sends next; never for long."""
        patience = self._settings.tunnel_hold if is_idle else self._settings.tunnel_timeout
        try:
            for _ in range(_TURNS):
                if self.has_output or self.is_closing:
                    break
                await asyncio.sleep(0)
            async with asyncio.timeout(patience):
                while not (self.is_closing or self._has_waited(is_idle=is_idle)):
                    await self.changed()
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            # A server that stops cancels requests, and this one can tell the client why.
            if not self.is_closing:
                raise

    def _has_waited(self, *, is_idle: bool) -> bool:
        return self.has_output if is_idle else self.is_full or not self.unread_bytes

    async def _send(self, answer: Callable[[bytes], Awaitable[None]]) -> None:
        data = self.take() if self.has_output else b""
        self._silent_answers = 0 if data else self._silent_answers + 1
        step = min(self._silent_answers // _IDLE_PER_INTERVAL, len(INTERVALS) - 1)
        content = INTERVALS[step].to_bytes(1, "big") + data
        self._answer = content if len(content) <= self._settings.write_high_water else None
        try:
            await answer(content)
        finally:
            self.left()
