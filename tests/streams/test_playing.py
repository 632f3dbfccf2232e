import asyncio

import pytest

from rtmp_channels.media.cache import Wants
from rtmp_channels.media.packet import Packet
from rtmp_channels.protocol.constants import MessageType
from rtmp_channels.streams.hub import StreamHub
from rtmp_channels.streams.limits import StreamLimits
from tests.media import flv
from tests.streams.players import Viewer, seen

NAME = "open/a"
METADATA = b"\x02\x00\x0aonMetaData"


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


async def test_a_late_joiner_starts_with_metadata_headers_and_a_keyframe(publication, feed, play):
    publication.take_data(0, ["onMetaData", {}], METADATA)
    feed(flv.avc_header(), flv.aac_header(), flv.key(0), flv.inter(40))
    feed(flv.key(1000), flv.audio(1010), flv.inter(1040))
    viewer = play()
    assert viewer.take() == seen(
        flv.data(0),
        flv.avc_header(1000),
        flv.aac_header(1000),
        flv.key(1000),
        flv.audio(1010),
        flv.inter(1040),
    )
    feed(flv.inter(1080))
    assert viewer.take() == seen(flv.inter(1080))


async def test_all_players_are_written_the_same_bytes(feed, play):
    viewers = [play() for _ in range(3)]
    feed(flv.key(0, 100_000))
    first, *others = (viewer.writes[0] for viewer in viewers)
    assert all(data is first for data in others)
    late = [play() for _ in range(2)]
    assert late[0].writes[0] is late[1].writes[0]


async def test_a_player_on_another_message_stream_has_bytes_of_its_own(feed, play):
    usual, other = play(), play(Wants(3))
    feed(flv.key(5, 70_000), flv.audio(6))
    late = play(Wants(3))
    packets = (flv.key(5, 70_000), flv.audio(6))
    assert usual.take_all() == [(1, p.type, p.timestamp, p.payload) for p in packets]
    for viewer in (other, late):
        assert viewer.take_all() == [(3, p.type, p.timestamp, p.payload) for p in packets]


async def test_without_a_group_a_joiner_waits_for_the_next_keyframe(hub, feed, play, publication):
    publication.take_data(0, ["onMetaData"], METADATA)
    feed(flv.avc_header(), flv.key(0), flv.inter(30_000))
    viewer = play()
    feed(flv.inter(30_040), flv.audio(30_041))
    assert hub.stats()[0].waiting == 1
    assert viewer.take() == []
    feed(flv.key(30_080), flv.inter(30_120))
    assert viewer.take() == seen(
        flv.data(0), flv.avc_header(30_080), flv.key(30_080), flv.inter(30_120)
    )


async def test_frames_before_the_first_keyframe_reach_nobody(hub, feed, play):
    viewer = play()
    feed(flv.inter(0), flv.audio(1), flv.key(2))
    assert viewer.take() == seen(flv.audio(1), flv.key(2))
    assert hub.stats()[0].dropped_packets == 1


async def test_an_audio_only_stream_starts_anywhere(publication, feed, play):
    publication.take_data(0, ["onMetaData"], METADATA)
    feed(flv.aac_header(), flv.audio(10), flv.audio(20))
    viewer = play()
    feed(flv.audio(30))
    assert viewer.take() == seen(flv.data(0), flv.aac_header(20), flv.audio(30))


async def test_a_stream_without_keyframes_is_played_in_the_end(make_hub):
    hub = make_hub(keyframe_patience=5)
    publication = hub.publish(NAME)
    publication.take(flv.key(0))
    for time in range(1, 6):
        publication.take(flv.inter(time * 10_000))
    viewer = Viewer()
    hub.play(NAME, viewer.player)
    publication.take(flv.inter(60_000))
    assert viewer.take() == seen(flv.inter(60_000))


async def test_changed_metadata_reaches_everyone(publication, feed, play):
    early = play()
    publication.take_data(0, ["onMetaData"], b"one")
    publication.take_data(1, ["onStatus"], b"two", keep=True)
    publication.take_data(2, ["onCuePoint"], b"three")
    publication.take_data(3, ["onMetaData"], b"four")
    data = MessageType.DATA_AMF0
    assert early.take() == [
        (data, 0, b"one"),
        (data, 1, b"two"),
        (data, 2, b"three"),
        (data, 3, b"four"),
    ]
    feed(flv.key(9))
    assert set(play().take()) == {(data, 0, b"two"), (data, 0, b"four"), *seen(flv.key(9))}


@pytest.mark.parametrize("arguments", [["onMetaData"], []])
async def test_clear_data_frame(publication, feed, play, arguments):
    viewer = play()
    publication.take_data(0, ["onMetaData"], METADATA)
    publication.take_data(1, ["@clearDataFrame", *arguments], b"clear")
    feed(flv.key(5))
    assert viewer.take() == seen(flv.data(0), flv.key(5))
    assert play().take() == seen(flv.key(5))


@pytest.mark.parametrize("values", [[], [5.0], [None, "onMetaData"]])
async def test_data_without_a_handler_is_dropped(publication, play, values):
    viewer = play()
    publication.take_data(0, values, b"x")
    assert viewer.writes == []


async def test_player_without_video(feed, play):
    feed(flv.avc_header(), flv.aac_header(), flv.key(0))
    viewer = play(Wants(video=False))
    feed(flv.inter(40), flv.audio(41))
    assert viewer.take() == seen(flv.aac_header(0), flv.audio(41))


async def test_player_without_audio(feed, play):
    feed(flv.avc_header(), flv.aac_header(), flv.key(0), flv.audio(1))
    viewer = play(Wants(audio=False))
    feed(flv.inter(40), flv.audio(41))
    assert viewer.take() == seen(flv.avc_header(0), flv.key(0), flv.inter(40))


async def test_switching_audio_off_and_on(feed, play):
    viewer = play()
    feed(flv.avc_header(), flv.aac_header(), flv.key(0), flv.audio(1))
    viewer.take()
    viewer.stream.switch(viewer.player, Wants(audio=False))
    feed(flv.audio(2), flv.inter(40))
    assert viewer.take() == seen(flv.inter(40))
    viewer.stream.switch(viewer.player, Wants())
    feed(flv.audio(41), flv.inter(80))
    assert viewer.take() == seen(flv.aac_header(40), flv.audio(41), flv.inter(80))


async def test_switching_video_on_waits_for_a_keyframe_and_audio_goes_on(feed, play):
    viewer = play()
    feed(flv.avc_header(), flv.aac_header(), flv.key(0))
    viewer.take()
    viewer.stream.switch(viewer.player, Wants(video=False))
    feed(flv.inter(40), flv.audio(41))
    viewer.stream.switch(viewer.player, Wants())
    feed(flv.inter(80), flv.audio(81))
    assert viewer.take() == seen(flv.audio(41), flv.audio(81))
    feed(flv.key(120), flv.audio(121), flv.inter(160))
    assert viewer.take() == seen(flv.avc_header(120), flv.key(120), flv.audio(121), flv.inter(160))


async def test_switching_video_on_and_off_again_before_the_keyframe(feed, play):
    feed(flv.avc_header(), flv.key(0))
    viewer = play(Wants(video=False))
    viewer.stream.switch(viewer.player, Wants())
    viewer.stream.switch(viewer.player, Wants(video=False))
    feed(flv.key(40), flv.audio(41))
    assert viewer.take() == seen(flv.audio(41))


async def test_switching_while_waiting_counts_from_the_start(feed, play):
    feed(flv.avc_header(), flv.aac_header(), flv.key(0), flv.inter(30_000))
    viewer = play()
    viewer.stream.switch(viewer.player, Wants(audio=False))
    feed(flv.audio(30_001), flv.key(30_040), flv.audio(30_041))
    assert viewer.take() == seen(flv.avc_header(30_040), flv.key(30_040))


async def test_a_paused_player_goes_on_live(feed, play):
    viewer = play()
    feed(flv.avc_header(), flv.key(0))
    viewer.take()
    viewer.stream.pause(viewer.player, paused=True)
    viewer.stream.pause(viewer.player, paused=True)
    feed(flv.inter(40), flv.key(80), flv.inter(120))
    assert viewer.writes == []
    viewer.stream.pause(viewer.player, paused=False)
    assert viewer.take() == seen(flv.avc_header(80), flv.key(80), flv.inter(120))


async def test_a_player_that_leaves_gets_nothing_more(feed, play):
    viewer = play()
    feed(flv.key(0))
    viewer.take()
    viewer.stream.leave(viewer.player)
    viewer.stream.leave(viewer.player)
    viewer.stream.pause(viewer.player, paused=True)
    feed(flv.inter(40))
    assert viewer.writes == []


async def test_a_player_that_fails_is_not_the_others_affair(feed, play, caplog):
    broken, other = play(), play()
    broken.write_shared = None
    feed(flv.key(0))
    assert other.take() == seen(flv.key(0))
    assert "could not be written" in caplog.text


async def test_a_player_that_leaves_while_others_are_written(feed, play):
    first, second = play(), play()
    first.write_shared = lambda data: second.stream.leave(second.player)
    feed(flv.key(0))
    assert second.writes == []


@pytest.mark.parametrize("start", [2**24 - 60, 2**32 - 60])
async def test_times_pass_the_limits_of_the_header_and_the_wrap(feed, play, start):
    viewer = play()
    packets = [flv.key(start), *(flv.inter((start + ms) % 2**32) for ms in (40, 80, 120))]
    feed(*packets)
    assert viewer.take() == seen(*packets)
    assert play().take() == seen(*packets)


async def test_a_publisher_that_lies_about_time_is_relayed_as_it_is(feed, play):
    viewer = play()
    packets = [flv.key(50_000), flv.inter(0), flv.inter(2**31), flv.audio(7), flv.key(1)]
    feed(*packets)
    assert viewer.take() == seen(*packets)
    assert play().take() == seen(packets[-1])


async def test_enhanced_rtmp_is_relayed_and_named(hub, feed, play):
    hevc = [
        Packet(MessageType.VIDEO, 0, b"\x90hvc1hvcC"),
        Packet(MessageType.AUDIO, 0, b"\x90OpusOpusHead"),
        Packet(MessageType.VIDEO, 0, b"\x91hvc1\0\0\0key"),
        Packet(MessageType.VIDEO, 40, b"\xa3hvc1inter"),
    ]
    feed(*hevc)
    assert play().take() == seen(*hevc)
    (stats,) = hub.stats()
    assert (stats.video_codec, stats.audio_codec) == ("hvc1", "Opus")


async def test_stats(hub, publication, feed, play):
    viewers = [play(), play()]
    publication.take_data(0, ["onMetaData"], METADATA)
    feed(flv.avc_header(), flv.aac_header(), flv.key(0, 10), flv.audio(1, 5))
    sent = sum(len(data) for viewer in viewers for data in viewer.writes)
    (stats,) = hub.stats()
    assert stats.name == NAME
    assert stats.is_published
    assert (stats.publications, stats.players, stats.waiting) == (1, 2, 0)
    assert (stats.video_codec, stats.audio_codec) == ("avc1", "mp4a")
    received = len(METADATA) + len(flv.AVC_HEADER) + len(flv.AAC_HEADER) + 15 + 7
    assert (stats.packets_received, stats.bytes_received) == (5, received)
    assert stats.bytes_sent == sent
    assert stats.cached_bytes == 22
    assert (stats.skips, stats.ended_players, stats.dropped_packets) == (0, 0, 0)


async def test_what_comes_in_one_turn_of_the_loop_is_one_write():
    hub = StreamHub()
    publication = hub.publish(NAME)
    viewer = Viewer()
    hub.play(NAME, viewer.player)
    for packet in (flv.key(0), flv.audio(1), flv.inter(40)):
        publication.take(packet)
    assert viewer.writes == []
    await asyncio.sleep(0)
    assert len(viewer.writes) == 1
    publication.take(flv.inter(80))
    publication.close()
    await asyncio.sleep(0)
    assert viewer.take() == seen(flv.key(0), flv.audio(1), flv.inter(40), flv.inter(80))


async def test_more_than_a_turn_may_hold_is_written_early():
    hub = StreamHub(StreamLimits(tick_bytes=1000))
    publication = hub.publish(NAME)
    viewer = Viewer()
    hub.play(NAME, viewer.player)
    publication.take(flv.key(0, 1000))
    assert viewer.take() == seen(flv.key(0, 1000))
