import pytest

from rtmp_channels.media.cache import Wants
from rtmp_channels.streams.limits import StreamLimits
from rtmp_channels.streams.player import PlayEnd
from tests.media import flv
from tests.streams.players import Viewer, seen

NAME = "open/a"


@pytest.fixture
def hub(make_hub):
    return make_hub(player_bytes=1000, slow_seconds=20, max_skips=3)


@pytest.fixture
async def publication(hub):
    return hub.publish(NAME)


@pytest.fixture
def feed(publication):
    def feed(*packets):
        for packet in packets:
            publication.take(packet)

    return feed


@pytest.fixture
def play(hub):
    def play(wants=None):
        viewer = Viewer(wants)
        viewer.stream = hub.play(NAME, viewer.player)
        return viewer

    return play


async def test_a_slow_player_skips_to_the_keyframe_while_others_get_everything(hub, feed, play):
    slow, other = play(), play()
    feed(flv.avc_header(), flv.aac_header(), flv.key(0))
    slow.take()
    slow.buffered_bytes = 1001
    feed(flv.inter(40), flv.audio(41))
    slow.buffered_bytes = 0
    feed(flv.inter(80), flv.audio(81))
    assert slow.take() == []
    feed(flv.key(1000), flv.audio(1001))
    assert slow.take() == seen(
        flv.avc_header(1000), flv.aac_header(1000), flv.key(1000), flv.audio(1001)
    )
    times = [time for _, time, _ in other.take()]
    assert times == [0, 0, 0, 40, 41, 80, 81, 1000, 1001]
    assert hub.stats()[0].skips == 1
    assert slow.player.skips == 1


async def test_at_its_limit_a_player_is_still_written_to(feed, play):
    viewer = play()
    viewer.buffered_bytes = 1000
    feed(flv.key(0))
    assert viewer.take() == seen(flv.key(0))


async def test_a_header_that_changed_meanwhile_comes_first(feed, play):
    slow = play()
    feed(flv.avc_header(), flv.key(0))
    slow.buffered_bytes = 1001
    feed(flv.inter(40), flv.avc_header(80, b"new"))
    slow.buffered_bytes = 0
    slow.take()
    feed(flv.key(120))
    assert slow.take() == seen(flv.avc_header(120, b"new"), flv.key(120))


async def test_who_has_not_drained_half_skips_the_keyframe_too(feed, play):
    slow = play()
    feed(flv.key(0))
    slow.take()
    slow.buffered_bytes = 1001
    feed(flv.inter(40))
    slow.buffered_bytes = 501
    feed(flv.key(80))
    assert slow.take() == []
    slow.buffered_bytes = 500
    feed(flv.inter(120), flv.key(160))
    assert slow.take() == seen(flv.key(160))


async def test_without_video_a_slow_player_goes_on_as_soon_as_it_can(feed, play):
    slow = play()
    feed(flv.aac_header(), flv.audio(0))
    slow.take()
    slow.buffered_bytes = 1001
    feed(flv.audio(20), flv.audio(40))
    slow.buffered_bytes = 0
    feed(flv.audio(60), flv.audio(80))
    assert slow.take() == seen(flv.aac_header(60), flv.audio(60), flv.audio(80))


async def test_a_player_that_stays_slow_is_ended(hub, feed, play, clock):
    slow = play()
    feed(flv.key(0))
    slow.buffered_bytes = 1001
    feed(flv.inter(40))
    clock.now += 20
    feed(flv.key(80))
    assert slow.told == ["started"]
    clock.now += 0.1
    feed(flv.key(120))
    assert slow.told == ["started", PlayEnd.TOO_SLOW]
    assert (hub.stats()[0].ended_players, hub.stats()[0].players) == (1, 0)


def skip_once(viewer, feed):
    viewer.buffered_bytes = 1001
    feed(flv.inter(40))
    viewer.buffered_bytes = 0
    feed(flv.key(80))


async def test_a_player_that_skips_again_and_again_is_ended(hub, feed, play, clock):
    slow = play()
    feed(flv.key(0))
    for _ in range(3):
        skip_once(slow, feed)
        clock.now += 20
    assert slow.told == ["started"]
    skip_once(slow, feed)
    assert slow.told == ["started", PlayEnd.TOO_SLOW]
    assert hub.stats()[0].skips == 4


async def test_skips_are_forgiven_after_a_while(feed, play, clock):
    slow = play()
    feed(flv.key(0))
    for _ in range(10):
        skip_once(slow, feed)
        clock.now += 20.1
    assert slow.told == ["started"]
    assert slow.player.skips == 10


async def test_a_joiner_with_a_full_buffer_waits(feed, play, hub):
    feed(flv.key(0))
    viewer = Viewer()
    viewer.buffered_bytes = 501
    hub.play(NAME, viewer.player)
    assert viewer.writes == []
    viewer.buffered_bytes = 0
    feed(flv.inter(40), flv.key(80))
    assert viewer.take() == seen(flv.key(80))


async def test_falling_behind_while_waiting_for_video(feed, play):
    feed(flv.avc_header(), flv.key(0))
    viewer = play(Wants(video=False))
    viewer.stream.switch(viewer.player, Wants())
    viewer.buffered_bytes = 1001
    feed(flv.audio(40))
    viewer.buffered_bytes = 0
    feed(flv.key(80), flv.audio(81))
    assert viewer.take() == seen(flv.avc_header(80), flv.key(80), flv.audio(81))


async def test_ending_one_may_take_another_along(feed, play, clock):
    one, two = play(), play()
    one.play_ended = lambda reason: two.stream.leave(two.player)
    feed(flv.key(0))
    for viewer in (one, two):
        viewer.take()
        viewer.buffered_bytes = 1001
    feed(flv.inter(40))
    clock.now += 21
    feed(flv.key(80))
    assert two.told == ["started"]
    assert two.writes == []


def test_defaults():
    limits = StreamLimits()
    assert limits.player_bytes > limits.gop.bytes + limits.head.bytes
    assert (limits.player_bytes, limits.slow_seconds, limits.max_skips) == (2_097_152, 20.0, 10)
    assert (limits.tick_ms, limits.phases, limits.tick_bytes) == (0, 4, 524_288)
    assert (limits.keyframe_patience, limits.players, limits.streams) == (1_500, 10_000, 1_000)
    assert (limits.name_bytes, limits.wait_seconds, limits.linger_seconds) == (512, 10.0, 0.0)
    assert (limits.held.bytes, limits.held.packets) == (262_144, 512)
    assert limits.second_publisher == "refuse"
    assert (limits.waiting_publishers, limits.publish_wait_seconds) == (8, 10.0)
