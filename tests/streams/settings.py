"""Settings of the servers that these tests start."""

import os

from tests.server.settings import *  # noqa: F403
from tests.server.settings import RTMP_CHANNELS as SERVER

ASGI_APPLICATION = "tests.streams.site.application"
RTMP_CHANNELS = {
    **SERVER,
    "STREAMS": {
        "TICK_MS": int(os.environ.get("TEST_TICK_MS", "0")),
        "PLAYER_BYTES": int(os.environ.get("TEST_PLAYER_BYTES", "2097152")),
    },
}
