import asyncio

import pytest

from rtmp_channels.media.cache import Wants
from rtmp_channels.streams.player import PlayEnd
from rtmp_channels.streams.ticker import Ticker
from tests.media import flv
from tests.streams.players import Viewer, seen

NAME = "open/a"
HOUR = 3_600_000


@pytest.fixture
def hub(make_hub):
    return make_hub(tick_ms=HOUR, phases=4, phase_players=0, tick_bytes=1000, player_bytes=1000)


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


async def test_players_are_spread_over_the_phases(publication, play):
    viewers = [play() for _ in range(8)]
    assert [viewer.player.phase for viewer in viewers] == [0, 1, 2, 3, 0, 1, 2, 3]
    viewers[2].stream.leave(viewers[2].player)
    assert play().player.phase == 2


async def test_a_phase_is_used_when_the_earlier_ones_have_their_players(make_hub):
    hub = make_hub(tick_ms=HOUR, phases=3, phase_players=2)
    viewers = [Viewer() for _ in range(10)]
    streams = [hub.publish(name) and name for name in ("open/a", "open/b")]
    playing = [hub.play(streams[at % 2], viewer.player) for at, viewer in enumerate(viewers)]
    assert [viewer.player.phase for viewer in viewers] == [0, 0, 1, 1, 2, 2, 0, 1, 2, 0]
    for at in (2, 2, 4):
        playing[at].leave(viewers[at].player)
    late = [Viewer() for _ in range(3)]
    for viewer in late:
        hub.play("open/b", viewer.player)
    assert [viewer.player.phase for viewer in late] == [1, 2, 1]


async def test_each_phase_gets_one_write_of_all_it_missed(feed, play):
    first, *_, same_phase = viewers = [play() for _ in range(5)]
    feed(flv.key(0), flv.inter(40), flv.audio(41))
    assert all(viewer.writes == [] for viewer in viewers)
    first.stream.flush(0)
    assert len(first.writes) == 1
    assert same_phase.writes[0] is first.writes[0]
    feed(flv.inter(80))
    first.stream.flush(1)
    assert viewers[1].take() == seen(flv.key(0), flv.inter(40), flv.audio(41), flv.inter(80))
    first.stream.flush(0)
    assert first.take() == seen(flv.key(0), flv.inter(40), flv.audio(41), flv.inter(80))
    assert len(same_phase.writes) == 2


async def test_who_joins_within_a_tick_gets_each_packet_once(feed, play):
    early = play()
    feed(flv.key(0), flv.inter(40))
    late = play()
    assert late.take() == seen(flv.key(0), flv.inter(40))
    feed(flv.inter(80))
    for phase in range(4):
        early.stream.flush(phase)
    assert late.take() == seen(flv.inter(80))
    assert early.take() == seen(flv.key(0), flv.inter(40), flv.inter(80))


async def test_nothing_new_is_no_write(feed, play):
    viewer = play()
    viewer.stream.flush(0)
    feed(flv.key(0))
    viewer.stream.flush(0)
    viewer.stream.flush(0)
    assert len(viewer.writes) == 1


async def test_nothing_that_it_wants_is_no_write(feed, play):
    viewer = play(Wants(audio=False))
    feed(flv.audio(0))
    viewer.stream.flush(0)
    assert viewer.writes == []


async def test_too_many_bytes_for_a_tick_are_written_at_once(feed, play):
    viewers = [play(), play()]
    feed(flv.key(0, 900))
    assert viewers[1].writes == []
    feed(flv.inter(40, 100))
    for viewer in viewers:
        assert viewer.take() == seen(flv.key(0, 900), flv.inter(40, 100))


async def test_packets_are_forgotten_when_every_phase_has_them(play, feed):
    viewer = play()
    fanout = viewer.stream._audience.fanout
    feed(flv.key(0), flv.inter(40))
    for phase in range(4):
        assert len(fanout._packets) == 2
        fanout.flush(phase)
    assert fanout._packets == []
    assert fanout.end == 2


async def test_a_tick_that_waits_is_written_before_the_end(publication, feed, play):
    viewer = play()
    feed(flv.key(0))
    publication.close()
    assert viewer.take() == seen(flv.key(0))
    assert viewer.told == ["started", PlayEnd.UNPUBLISHED]


async def test_switching_takes_effect_at_its_moment(feed, play):
    viewer = play()
    feed(flv.aac_header(), flv.avc_header(), flv.key(0), flv.audio(1))
    viewer.stream.switch(viewer.player, Wants(video=False))
    feed(flv.inter(40), flv.audio(41))
    viewer.stream.switch(viewer.player, Wants())
    feed(flv.audio(60), flv.key(80), flv.inter(120))
    viewer.stream.flush(0)
    assert viewer.take() == seen(
        flv.aac_header(),
        flv.avc_header(),
        flv.key(0),
        flv.audio(1),
        flv.audio(41),
        flv.audio(60),
        flv.avc_header(80),
        flv.key(80),
        flv.inter(120),
    )


async def test_a_slow_player_skips_at_its_tick(hub, feed, play):
    slow, other = play(), play()
    feed(flv.key(0))
    slow.buffered_bytes = 1001
    slow.stream.flush(0)
    slow.buffered_bytes = 0
    feed(flv.inter(40), flv.key(80))
    for phase in range(4):
        slow.stream.flush(phase)
    assert slow.take() == seen(flv.key(80))
    assert [time for _, time, _ in other.take()] == [0, 40, 80]
    assert hub.stats()[0].skips == 1


async def test_falling_behind_while_video_is_switched_on(feed, play):
    feed(flv.avc_header(), flv.key(0))
    viewer = play(Wants(video=False))
    viewer.stream.switch(viewer.player, Wants())
    feed(flv.audio(40))
    viewer.buffered_bytes = 1001
    feed(flv.key(80))
    viewer.buffered_bytes = 0
    feed(flv.key(120))
    viewer.stream.flush(viewer.player.phase)
    assert viewer.take() == seen(flv.avc_header(120), flv.key(120))


async def test_a_publisher_that_ends_while_players_are_written_to(publication, feed, play):
    first, second = play(), play()
    late = [play() for _ in range(3)][-1]
    assert late.player.phase == first.player.phase
    write = first.write_shared
    first.write_shared = lambda data: (write(data), publication.close())
    feed(flv.key(0))
    first.stream.flush(0)
    for viewer in (first, second, late):
        assert viewer.told == ["started", PlayEnd.UNPUBLISHED]
        assert viewer.take() == seen(flv.key(0))


async def test_the_hub_ticks(make_hub):
    hub = make_hub(tick_ms=8)
    publication = hub.publish(NAME)
    viewers, written = [Viewer() for _ in range(16)], asyncio.Event()
    for viewer in viewers:
        hub.play(NAME, viewer.player)

    def write(data):
        viewers[15].writes.append(data)
        written.set()

    viewers[15].write_shared = write
    publication.take(flv.key(0))
    publication.take(flv.inter(40))
    await asyncio.wait_for(written.wait(), 5)
    assert viewers[15].take() == seen(flv.key(0), flv.inter(40))
    assert hub._ticker._handle is not None
    publication.close()
    assert hub._ticker._handle is None, "nobody publishes: nothing ticks"


async def test_what_a_publisher_hands_in_at_a_moment_is_written_then(make_hub):
    hub = make_hub(tick_ms=HOUR, phases=1)
    publication = hub.publish(NAME, on_tick=lambda: publication.take(flv.key(0)))
    viewer = Viewer()
    hub.play(NAME, viewer.player)
    hub._tick(0)
    assert viewer.take() == seen(flv.key(0))


async def test_who_has_waited_to_publish_hands_in_as_well(make_hub):
    hub, asked = make_hub(tick_ms=HOUR, phases=1), []
    await hub.publish_when_free(NAME, on_tick=lambda: asked.append("second"))
    hub._tick(0)
    assert asked == ["second"]


async def test_a_publisher_that_another_has_ended_is_not_asked_any_more(make_hub):
    hub, asked = make_hub(tick_ms=HOUR, phases=1), []
    publications = [
        hub.publish(f"open/{name}", on_tick=lambda name=name: end_the_other(name)) for name in "ab"
    ]

    def end_the_other(name):
        asked.append(name)
        publications["ba".index(name)].close()

    hub._tick(0)
    assert asked == ["a"]


class Involved(Viewer):
    """A player whose end ends publications, too."""

    def __init__(self, *publications):
        super().__init__()
        self.publications = publications

    def play_ended(self, reason):
        super().play_ended(reason)
        for publication in self.publications:
            publication.close()


async def test_a_slow_player_that_publishes_takes_its_streams_along(make_hub):
    hub = make_hub(tick_ms=HOUR, phases=1, player_bytes=1000, max_skips=0)
    played = hub.publish("open/a")
    slow, other = Involved(hub.publish("open/b")), Viewer()
    hub.play("open/a", slow.player)
    last = hub.publish("open/c")
    hub.play("open/c", other.player)
    for publication in (played, last):
        publication.take(flv.key(0))
    slow.buffered_bytes = 1001
    hub._tick(0)
    assert slow.told == ["started", PlayEnd.TOO_SLOW]
    assert other.take() == seen(flv.key(0))
    assert [one.name for one in hub.stats()] == ["open/a", "open/c"]


async def test_a_slow_player_of_its_own_stream_when_that_ends(make_hub):
    hub = make_hub(tick_ms=HOUR, phases=1, player_bytes=1000, max_skips=0)
    publication = hub.publish("open/a")
    slow, other = Involved(publication), Viewer()
    for viewer in (slow, other):
        hub.play("open/a", viewer.player)
    publication.take(flv.key(0))
    slow.buffered_bytes = 1001
    publication.close()
    assert slow.told == ["started", PlayEnd.TOO_SLOW]
    assert other.take() == seen(flv.key(0))
    assert other.told == ["started", PlayEnd.UNPUBLISHED]
    assert hub.stats() == []


async def test_the_ticker_visits_phases_in_turn():
    seen_phases, done = [], asyncio.Event()

    def on_phase(phase):
        seen_phases.append(phase)
        if len(seen_phases) == 5:
            ticker.stop()
            done.set()

    ticker = Ticker(4, 2, on_phase)
    ticker.start()
    ticker.start()
    await asyncio.wait_for(done.wait(), 5)
    ticker.stop()
    assert seen_phases == [0, 1, 0, 1, 0]


async def test_a_tick_of_zero_needs_no_clockwork():
    ticker = Ticker(0, 8, lambda phase: None)
    ticker.start()
    assert ticker._handle is None
