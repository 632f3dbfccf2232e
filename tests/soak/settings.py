"""The demo site's settings, with less patience: what a soak waits for should happen in it."""

from project.settings import *  # noqa: F403
from project.settings import RTMP_CHANNELS as _DEMO

RTMP_CHANNELS = {
    **_DEMO,
    "HANDSHAKE_TIMEOUT": 3.0,
    "STALL_TIMEOUT": 3.0,
    "TUNNEL_TIMEOUT": 3.0,
    "PRESENCE_INTERVAL": 2.0,
    "MAX_UNSENT_BYTES": 1_048_576,
    "STREAMS": {**_DEMO["STREAMS"], "PLAYER_BYTES": 262_144, "SLOW_SECONDS": 3.0},
}
