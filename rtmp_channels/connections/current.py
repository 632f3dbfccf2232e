"""The running loop's connections, over the project's channel layer if that joins processes."""

from __future__ import annotations

from rtmp_channels.connections.roster import Roster
from rtmp_channels.layer import joining_layer
from rtmp_channels.loop_local import LoopLocal


def _make_roster() -> Roster:
    return Roster(layer=joining_layer())


rosters: LoopLocal[Roster] = LoopLocal(_make_roster)
"""`rosters.get()` in a session; `await rosters.close()` at shutdown."""
