import pytest

from rtmp_channels.streams.hub import StreamHub
from rtmp_channels.streams.limits import StreamLimits


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def make_hub(clock):
    """Hubs that write at once, without ticks, rather than in the loop's next turn."""
    hubs = []

    def make(**limits):
        hubs.append(StreamHub(StreamLimits(**limits), clock=clock, defer=lambda flush: flush()))
        return hubs[-1]

    yield make
    for hub in hubs:
        await hub.close()


@pytest.fixture
def hub(make_hub):
    return make_hub()
