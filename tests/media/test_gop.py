import pytest

from rtmp_channels.media.gop import GopCache, GopLimits
from tests.media import flv


@pytest.fixture
def limits():
    return GopLimits(bytes=200, packets=5, milliseconds=1000)


@pytest.fixture
def gop(limits):
    return GopCache(limits)


def test_nothing_before_the_first_keyframe(gop):
    for packet in (flv.audio(), flv.inter(), flv.data()):
        gop.add(packet)
    assert gop.packets == []
    assert gop.bytes == 0


def test_everything_from_the_keyframe_on(gop):
    packets = [flv.key(0), flv.audio(1), flv.inter(40), flv.data(41)]
    for packet in packets:
        gop.add(packet)
    assert gop.packets == packets
    assert gop.bytes == sum(len(packet.payload) for packet in packets)


def test_the_next_keyframe_replaces_the_group(gop):
    second = flv.key(80)
    for packet in (flv.key(0), flv.inter(40), second):
        gop.add(packet)
    assert gop.packets == [second]
    assert gop.bytes == len(second.payload)


@pytest.mark.parametrize(
    "rest",
    [
        [flv.inter(1, 191)],
        [flv.audio(time) for time in range(5)],
        [flv.inter(1001)],
        [flv.inter(-1001 % 2**32)],
        [flv.inter(2**31)],
    ],
    ids=["bytes", "packets", "milliseconds", "back in time", "half the circle away"],
)
def test_a_group_beyond_a_limit_is_dropped_until_the_next_keyframe(gop, rest):
    gop.add(flv.key(0))
    for packet in rest:
        gop.add(packet)
    assert gop.packets == []
    assert gop.bytes == 0
    gop.add(flv.inter(1002))
    assert gop.packets == []
    gop.add(flv.key(1003))
    assert len(gop.packets) == 1


def test_up_to_its_limits_a_group_is_kept(gop, limits):
    gop.add(flv.key(0, 100 - 5))
    for time in (1, 2, 3):
        gop.add(flv.audio(time))
    gop.add(flv.inter(1000, limits.bytes - gop.bytes - 5))
    assert len(gop.packets) == limits.packets
    assert gop.bytes == limits.bytes


def test_a_keyframe_beyond_the_limits_starts_no_group(gop):
    gop.add(flv.key(0, 1000))
    assert gop.packets == []


def test_a_group_across_the_wrap_of_time(gop):
    gop.add(flv.key(2**32 - 20))
    gop.add(flv.inter(20))
    assert len(gop.packets) == 2


def test_defaults():
    assert GopLimits() == GopLimits(bytes=1_572_864, packets=4_096, milliseconds=20_000)
