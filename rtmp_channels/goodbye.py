"""How a connection ends, and what client, application and log are told of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from rtmp_channels.conf import RtmpSettings
from rtmp_channels.counters import Limit
from rtmp_channels.phase import Phase
from rtmp_channels.protocol.connection import Connection

CLOSED = "NetConnection.Connect.Closed"
FAILED = "NetConnection.Connect.Failed"
REJECTED = "NetConnection.Connect.Rejected"
INVALID_APP = "NetConnection.Connect.InvalidApp"
APP_SHUTDOWN = "NetConnection.Connect.AppShutdown"
IDLE_TIMEOUT = "NetConnection.Connect.IdleTimeOut"


_PRINTED = 200
"""Characters of what a client sent that a log line shows."""


def printable(text: str) -> str:
    """Text in which a client may have put anything, as part of ONE line of a log."""
    shown = text[:_PRINTED]
    return shown if shown.isprintable() else shown.encode("unicode_escape").decode()


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a connection ends."""

    code: str
    """The status code that client and application get."""
    reason: str
    """One line for the log and the application; never sent to the client."""
    description: str = "Connection closed."
    """What the client gets."""
    level: int = 0
    """The log's level; 0: the ending is not worth a line, or has one already."""
    tell: bool = True
    """Whether the client is told."""
    abort: bool = False
    """Whether what is unsent is lost."""
    limit: Limit | None = None
    """The limit that was met, if it was one: it is counted."""


def say(connection: Connection, phase: Phase, ending: Ending) -> None:
    """Queues what the client is told: the refusal of its `connect`, or a status (§7.2.2)."""
    if not ending.tell:
        return
    if phase is Phase.ACCEPT:
        code = REJECTED if ending.code == CLOSED else ending.code
        connection.reject_connect(code, ending.description)
    elif phase is Phase.OPEN:
        level = "error" if ending.code == FAILED else "status"
        information = {"level": level, "code": ending.code, "description": ending.description}
        connection.send_status(0, information)


def timed_out(phase: Phase, settings: RtmpSettings, *, silence: float) -> Ending:
    """The deadline of `phase` has passed; once open, nothing came for `silence` seconds."""
    match phase:
        case Phase.HANDSHAKE:
            limit = Limit.HANDSHAKE_TIME
            reason = f"no complete handshake within {settings.handshake_timeout:g} s"
        case Phase.CONNECT:
            limit = Limit.CONNECT_TIME
            reason = f"no connect command within {settings.connect_timeout:g} s"
        case Phase.ACCEPT:
            reason = f"the application did not accept within {settings.accept_timeout:g} s"
            text, limit = "The application is too busy.", Limit.ACCEPT_TIME
            return Ending(FAILED, reason, text, logging.ERROR, limit=limit)
        case _:
            reason = f"nothing received for {silence:g} s"
            text, limit = "Idle for too long.", Limit.IDLE_TIME
            return Ending(IDLE_TIMEOUT, reason, text, logging.INFO, limit=limit)
    return Ending(CLOSED, reason, level=logging.INFO, tell=False, limit=limit)


def stays_away(reason: str) -> Ending:
    """RTMPT: the client lets its next request, or the rest of one, wait for too long."""
    return Ending(CLOSED, reason, level=logging.INFO, abort=True, limit=Limit.IDLE_TIME)


def stalled(waiting: int, settings: RtmpSettings) -> Ending:
    """The client reads nothing of what waits for it."""
    reason = f"cut: nothing read for {settings.stall_timeout:g} s, {waiting} bytes wait"
    limit = Limit.STALL_TIME
    return Ending(CLOSED, reason, level=logging.WARNING, abort=True, limit=limit)


def holds_most(held: int) -> Ending:
    """All connections together hold more than they may, and this one most of it."""
    reason = f"cut: it held {held} bytes, and all connections together too many"
    return Ending(CLOSED, reason, level=logging.INFO, abort=True, limit=Limit.HELD_BYTES)


def overrun(waiting: int) -> Ending:
    """More waits for the client than may."""
    reason, limit = f"cut: it reads too slowly, {waiting} bytes wait", Limit.UNSENT_BYTES
    return Ending(CLOSED, reason, level=logging.WARNING, abort=True, limit=limit)
