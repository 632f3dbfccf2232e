"""The demo site with heartbeats that tests need not wait for."""

from project.settings import *  # noqa: F403

RTMP_CHANNELS = {**RTMP_CHANNELS, "PRESENCE_INTERVAL": 0.5}  # noqa: F405
