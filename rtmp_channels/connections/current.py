"""The running loop's connections, over the project's channel layer if that joins processes."""

from __future__ import annotations

from rtmp_channels.conf import rtmp_settings
from rtmp_channels.connections.heartbeat import Heartbeat
from rtmp_channels.connections.roster import Roster
from rtmp_channels.layer import joining_layer
from rtmp_channels.loop_local import LoopLocal


def _make_roster() -> Roster:
    interval = rtmp_settings().presence_interval
    return Roster(layer=joining_layer(), make_heartbeat=_make_heartbeat if interval else None)


def _make_heartbeat(roster: Roster) -> Heartbeat:
    from rtmp_channels.connections.database import DatabasePresence  # needs loaded apps

    return Heartbeat(roster, DatabasePresence(), interval=rtmp_settings().presence_interval)


rosters: LoopLocal[Roster] = LoopLocal(_make_roster)
"""`rosters.get()` in a session; `await rosters.close()` at shutdown."""
