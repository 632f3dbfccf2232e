import asyncio

import pytest

from rtmp_channels.media.timeline import JOINT_MS
from rtmp_channels.streams.limits import PublisherPolicy
from rtmp_channels.streams.player import PlayEnd
from rtmp_channels.streams.refusals import StreamBusy, StreamLimitExceeded, StreamNotFound
from tests.media import flv
from tests.streams.players import Viewer, seen

NAME = "open/a"


def feed(publication, *packets):
    for packet in packets:
        publication.take(packet)


async def test_closing_ends_the_publication_once_and_its_players(hub):
    viewer = Viewer()
    publication = hub.publish(NAME)
    hub.play(NAME, viewer.player)
    publication.close()
    publication.close()
    assert viewer.told == ["started", PlayEnd.UNPUBLISHED]
    assert not publication.is_open
    assert hub.stats() == []


async def test_what_comes_after_the_end_goes_nowhere(hub):
    publication = hub.publish(NAME)
    publication.close()
    viewer = Viewer()
    hub.publish(NAME)
    hub.play(NAME, viewer.player)
    feed(publication, flv.key())
    publication.take_data(0, ["onMetaData"], b"late")
    publication.close()
    assert viewer.writes == []
    assert viewer.told == ["started"]


async def test_a_second_publisher_is_refused(hub):
    first = hub.publish(NAME)
    with pytest.raises(StreamBusy) as refusal:
        hub.publish(NAME)
    assert refusal.value.code == "NetStream.Publish.BadName"
    assert first.is_open
    first.close()
    assert hub.publish(NAME).is_open


async def test_a_second_publisher_takes_over_and_players_notice_nothing(hub):
    viewer, ended = Viewer(), []
    first = hub.publish(NAME, on_taken_over=lambda: ended.append("first"))
    hub.play(NAME, viewer.player)
    feed(first, flv.avc_header(60_000), flv.key(60_000), flv.inter(60_040))
    second = hub.publish(NAME, policy=PublisherPolicy.TAKE_OVER)
    assert ended == ["first"]
    assert (first.is_open, second.is_open) == (False, True)
    feed(first, flv.inter(60_080))
    first.close()
    viewer.take()
    feed(second, flv.inter(0), flv.avc_header(40), flv.key(80), flv.inter(120))
    begin = 60_040 + JOINT_MS
    assert viewer.take() == seen(flv.avc_header(begin), flv.key(begin + 40), flv.inter(begin + 80))
    assert viewer.told == ["started"]
    (stats,) = hub.stats()
    assert (stats.publications, stats.dropped_packets) == (2, 1)


async def test_a_late_joiner_after_a_take_over_gets_nothing_of_the_first(hub):
    first = hub.publish(NAME)
    first.take_data(0, ["onMetaData"], b"first")
    feed(first, flv.avc_header(0, b"first"), flv.key(0))
    second = hub.publish(NAME, policy=PublisherPolicy.TAKE_OVER)
    viewer = Viewer()
    hub.play(NAME, viewer.player)
    assert viewer.take() == []
    feed(second, flv.avc_header(0), flv.key(0))
    assert [payload for _, _, payload in viewer.take()] == [flv.AVC_HEADER, flv.key().payload]


async def test_taking_over_from_a_publisher_that_leaves_with_its_own_player(hub):
    viewer = Viewer()
    streams = []
    hub.publish(NAME, on_taken_over=lambda: streams[0].leave(viewer.player))
    streams.append(hub.play(NAME, viewer.player))
    second = hub.publish(NAME, policy=PublisherPolicy.TAKE_OVER)
    late = Viewer()
    hub.play(NAME, late.player)
    feed(second, flv.key(5))
    assert late.take() == seen(flv.key(5))


async def test_a_second_publisher_waits_its_turn(hub):
    first = hub.publish(NAME)
    turns = [asyncio.ensure_future(hub.publish_when_free(NAME)) for _ in range(2)]
    await asyncio.sleep(0)
    first.close()
    second = await turns[0]
    assert second.is_open
    assert not turns[1].done()
    second.close()
    assert (await turns[1]).is_open


async def test_waiting_for_a_stream_that_is_free(hub):
    assert (await hub.publish_when_free(NAME)).is_open


async def test_a_waiting_publisher_that_gives_up_lets_the_next_one(hub):
    first = hub.publish(NAME)
    turns = [asyncio.ensure_future(hub.publish_when_free(NAME)) for _ in range(3)]
    await asyncio.sleep(0)
    turns[0].cancel()
    first.close()
    turns[1].cancel()  # at the very moment when it is called
    assert (await turns[2]).is_open


async def test_publishers_wait_for_a_bounded_time(make_hub):
    hub = make_hub(publish_wait_seconds=0.01)
    hub.publish(NAME)
    with pytest.raises(StreamBusy, match=r"0\.01 s"):
        await hub.publish_when_free(NAME)


async def test_a_bounded_number_of_publishers_waits(make_hub):
    hub = make_hub(waiting_publishers=1)
    hub.publish(NAME)
    turn = asyncio.ensure_future(hub.publish_when_free(NAME))
    await asyncio.sleep(0)
    with pytest.raises(StreamLimitExceeded, match="wait already"):
        await hub.publish_when_free(NAME)
    turn.cancel()


async def test_a_player_waits_for_its_publisher(hub):
    viewer = Viewer()
    hub.play(NAME, viewer.player)
    assert viewer.told == []
    publication = hub.publish(NAME)
    assert viewer.told == ["started"]
    feed(publication, flv.avc_header(), flv.key(), flv.inter(40))
    assert viewer.take() == seen(flv.avc_header(), flv.key(), flv.inter(40))


async def test_a_player_waits_for_a_bounded_time(make_hub):
    hub = make_hub(wait_seconds=0.01)
    viewer = Viewer()
    ended = asyncio.Event()
    viewer.play_ended = lambda reason: (viewer.told.append(reason), ended.set())
    hub.play(NAME, viewer.player)
    await asyncio.wait_for(ended.wait(), 5)
    assert viewer.told == [PlayEnd.NOT_FOUND]
    assert hub.stats() == []


async def test_players_need_not_be_allowed_to_wait(make_hub):
    hub = make_hub(wait_seconds=0)
    with pytest.raises(StreamNotFound) as refusal:
        hub.play(NAME, Viewer().player)
    assert refusal.value.code == "NetStream.Play.StreamNotFound"
    assert hub.stats() == []


async def test_a_player_that_leaves_while_it_waits(hub):
    viewer = Viewer()
    stream = hub.play(NAME, viewer.player)
    stream.leave(viewer.player)
    stream.leave(viewer.player)
    hub.publish(NAME)
    assert viewer.told == []
    assert viewer.player.deadline is None


async def test_players_may_stay_for_the_next_publisher(make_hub):
    hub = make_hub(linger_seconds=30)
    viewer = Viewer()
    first = hub.publish(NAME)
    hub.play(NAME, viewer.player)
    feed(first, flv.key(1000))
    first.close()
    assert viewer.told == ["started", "suspended"]
    second = hub.publish(NAME)
    assert viewer.told == ["started", "suspended", "started"]
    viewer.take()
    feed(second, flv.key(0))
    assert viewer.take() == seen(flv.key(1000 + JOINT_MS))


async def test_players_stay_for_a_bounded_time(make_hub):
    hub = make_hub(linger_seconds=0.01)
    viewer = Viewer()
    ended = asyncio.Event()
    viewer.play_ended = lambda reason: (viewer.told.append(reason), ended.set())
    publication = hub.publish(NAME)
    hub.play(NAME, viewer.player)
    publication.close()
    await asyncio.wait_for(ended.wait(), 5)
    assert viewer.told == ["started", "suspended", PlayEnd.UNPUBLISHED]
    assert hub.stats() == []


async def test_streams_do_not_mix(hub):
    one, two = Viewer(), Viewer()
    first, second = hub.publish("open/a"), hub.publish("open/b")
    hub.play("open/a", one.player)
    hub.play("open/b", two.player)
    feed(first, flv.key(1))
    feed(second, flv.key(2))
    assert one.take() == seen(flv.key(1))
    assert two.take() == seen(flv.key(2))


@pytest.mark.parametrize("action", ["publish", "play"])
async def test_names_and_streams_are_bounded(make_hub, action):
    hub = make_hub(streams=1, name_bytes=8)

    def act(name):
        return hub.publish(name) if action == "publish" else hub.play(name, Viewer().player)

    with pytest.raises(StreamLimitExceeded, match="8 bytes"):
        act("ü" * 5)
    act(NAME)
    with pytest.raises(StreamLimitExceeded, match="1 streams"):
        act("open/b")


async def test_a_stream_has_a_bounded_number_of_players(make_hub):
    hub = make_hub(players=1)
    hub.play(NAME, Viewer().player)
    with pytest.raises(StreamLimitExceeded, match="1 players"):
        hub.play(NAME, Viewer().player)


async def test_closing_the_hub_ends_everything(hub):
    viewer, waiting = Viewer(), Viewer()
    publication = hub.publish(NAME)
    hub.play(NAME, viewer.player)
    hub.play("open/later", waiting.player)
    await hub.close()
    assert viewer.told == ["started", PlayEnd.SHUTDOWN]
    assert waiting.told == [PlayEnd.SHUTDOWN]
    assert not publication.is_open
    assert hub.stats() == []


async def test_pausing_without_a_publisher_counts_when_it_comes(hub):
    viewer = Viewer()
    stream = hub.play(NAME, viewer.player)
    stream.pause(viewer.player, paused=True)
    publication = hub.publish(NAME)
    feed(publication, flv.avc_header(), flv.key(0))
    assert viewer.told == ["started"]
    assert viewer.writes == []
    stream.pause(viewer.player, paused=False)
    assert viewer.take() == seen(flv.avc_header(), flv.key(0))


async def test_pausing_and_going_on_while_there_is_no_publisher(hub):
    viewer = Viewer()
    stream = hub.play(NAME, viewer.player)
    stream.pause(viewer.player, paused=True)
    stream.pause(viewer.player, paused=False)
    assert viewer.writes == []
    feed(hub.publish(NAME), flv.key(0))
    assert viewer.take() == seen(flv.key(0))


async def test_a_player_that_leaves_as_it_starts(hub):
    viewer = Viewer()
    publication = hub.publish(NAME)
    feed(publication, flv.key(0))
    viewer.play_started = lambda: hub_stream().leave(viewer.player)

    def hub_stream():
        return next(iter(hub._streams.values()))

    hub.play(NAME, viewer.player)
    feed(publication, flv.inter(40))
    assert viewer.writes == []


@pytest.mark.parametrize("ending", ["unpublish", "shutdown"])
async def test_the_end_of_one_player_may_be_that_of_another(hub, ending):
    one, two = Viewer(), Viewer()
    publication = hub.publish(NAME)
    stream = hub.play(NAME, one.player)
    hub.play(NAME, two.player)
    one.play_ended = lambda reason: stream.leave(two.player)
    if ending == "unpublish":
        publication.close()
    else:
        await hub.close()
    assert two.told == ["started"]
    assert hub.stats() == []


async def test_a_player_whose_start_ends_it(hub):
    viewer = Viewer()
    publication = hub.publish(NAME)
    feed(publication, flv.avc_header(), flv.key(0))
    viewer.write_shared = lambda data: streams[0].leave(viewer.player)
    streams = [hub._streams[NAME]]
    hub.play(NAME, viewer.player)
    assert viewer.player.position is None
    assert hub.stats()[0].players == 0
