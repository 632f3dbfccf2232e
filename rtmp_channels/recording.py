"""Conversations recorded for the packet inspector, while staff has packets recorded.

A session that is not recorded costs nothing. What this process knows of the switch may be old: a
session that begins then is recorded until the database has said whether it shall be.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar

from amf_remoting.conf import remoting_settings
from amf_remoting.recorder import Entry, recorder
from rtmp_channels.application import ASGIApplication
from rtmp_channels.conf import RtmpSettings
from rtmp_channels.explanation.redaction import redacted
from rtmp_channels.goodbye import printable
from rtmp_channels.session import Session, SessionHost
from rtmp_channels.transport import Peer, Transport

AT_MOST = 20
"""Conversations of a process that are recorded at a time."""
SECONDS = 30.0
"""How long one is recorded: it is to be seen before it ends."""


def session_class() -> type[Session]:
    """What a new connection gets: a session, or one that is recorded."""
    wanted = recorder.is_on or not recorder.is_known
    return RecordedSession if wanted and RecordedSession.active < AT_MOST else Session


class _Side:
    """The beginning of what one side sent."""

    def __init__(self, limit: int) -> None:
        self.data = bytearray()
        self.size = 0
        self._limit = limit

    def add(self, data: bytes) -> None:
        """Counts the bytes, and keeps what there is room for."""
        self.size += len(data)
        if len(self.data) < self._limit:
            self.data += data[: self._limit - len(self.data)]

    def stop(self) -> None:
        """Forgets all, and keeps nothing from now on."""
        self._limit = 0
        self.data = bytearray()


class _RecordedTransport:
    """Another transport, whose bytes are looked at on their way out."""

    def __init__(self, transport: Transport, side: _Side) -> None:
        self._transport = transport
        self._side = side
        self.silence = transport.silence
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.join_writes = transport.join_writes
        self.gather = transport.gather
        self.read_now = transport.read_now
        self.close = transport.close
        self.abort = transport.abort

    @property
    def buffered_bytes(self) -> int:
        """As the transport says."""
        return self._transport.buffered_bytes

    @property
    def unread_bytes(self) -> int:
        """As the transport says."""
        return self._transport.unread_bytes

    def write(self, data: bytes, /) -> int:
        """Keeps a copy."""
        self._side.add(data)
        return self._transport.write(data)


class RecordedSession(Session):
    """Keeps the beginning of both directions, once: at its end, or after SECONDS."""

    active: ClassVar[int] = 0
    """Sessions of this process that are being recorded."""

    def __init__(
        self,
        transport: Transport,
        application: ASGIApplication,
        *,
        peer: Peer,
        settings: RtmpSettings,
        host: SessionHost | None = None,
    ) -> None:
        limit = remoting_settings().recorded_packet_size
        self._heard, self._said = _Side(limit), _Side(limit)
        recorded = _RecordedTransport(transport, self._said)
        super().__init__(recorded, application, peer=peer, settings=settings, host=host)
        RecordedSession.active += 1
        self._is_recorded = True
        self._end_of_recording = self._loop.call_later(SECONDS, partial(self._keep, goes_on=True))
        self._asking = None if recorder.is_on else self._loop.create_task(self._ask())

    def data_received(self, data: bytes) -> None:
        """As ever."""
        self._heard.add(data)
        super().data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        """As ever; what was recorded is kept."""
        super().connection_lost(error)
        self._keep()

    async def _ask(self) -> None:
        if not await recorder.ais_on():
            self._stop()

    def _keep(self, *, goes_on: bool = False) -> None:
        if self._is_recorded and recorder.is_on:
            recorder.add(
                Entry(
                    recorded_at=datetime.now(UTC),
                    form="rtmp",
                    title=printable(self.path),
                    redact=redacted,
                    request=bytes(self._heard.data),
                    response=bytes(self._said.data),
                    request_size=self._heard.size,
                    response_size=self._said.size,
                    goes_on=goes_on,
                )
            )
        self._stop()

    def _stop(self) -> None:
        if not self._is_recorded:
            return
        self._is_recorded = False
        RecordedSession.active -= 1
        self._end_of_recording.cancel()
        if self._asking is not None and self._asking is not asyncio.current_task(self._loop):
            self._asking.cancel()
        self._heard.stop()
        self._said.stop()
