import asyncio

import pytest

from rtmp_channels.counters import Limit, counters
from rtmp_channels.live.current import stream_hubs
from rtmp_channels.live.door import MAX_UNANSWERED
from rtmp_channels.phase import Phase
from rtmp_channels.protocol.errors import LocalProtocolError
from rtmp_channels.protocol.events import StreamEventReceived
from rtmp_channels.protocol.shared_object import SharedObjectMessage
from rtmp_channels.protocol.shared_object_events import RequestChange
from rtmp_channels.protocol.user_control import UserControlType
from tests.media import flv
from tests.streams.connections import (
    METADATA,
    Connected,
    codes,
    media,
    metadata_frame,
)
from tests.streams.players import seen

START, BAD_NAME = "NetStream.Publish.Start", "NetStream.Publish.BadName"
PLAY = ["NetStream.Play.Reset", "NetStream.Play.Start"]
ENDED = ["NetStream.Play.UnpublishNotify", "NetStream.Play.Stop"]


@pytest.fixture(autouse=True)
async def _close_hub():
    yield
    await stream_hubs.close()


@pytest.fixture
async def connect():
    made = []

    async def connect(app="open"):
        made.append(Connected())
        return await made[-1].connect(app)

    yield connect
    for peer in made:
        await peer.wire.lose()


def stats():
    return stream_hubs.get().stats()


async def test_from_a_publisher_to_a_late_player(connect):
    publisher, player = await connect(), await connect()
    stream, answer = await publisher.publish()
    assert answer == [START]
    await publisher.feed(
        stream, metadata_frame(), flv.avc_header(), flv.aac_header(), flv.key(0), flv.inter(40)
    )
    _, events = await player.play()
    assert codes(events) == PLAY
    assert media(events) == seen(
        flv.data(0, METADATA), flv.avc_header(), flv.aac_header(), flv.key(0), flv.inter(40)
    )
    await publisher.feed(stream, flv.inter(80), flv.audio(81))
    assert media(await player.settle()) == seen(flv.inter(80), flv.audio(81))
    assert [one.name for one in stats()] == ["open/a"]


async def test_only_who_plays_has_its_writes_joined(connect):
    publisher, player = await connect(), await connect()
    await publisher.publish()
    assert not player.wire.transport.joins_writes
    await player.play()
    assert player.wire.transport.joins_writes
    assert not publisher.wire.transport.joins_writes


@pytest.mark.parametrize("policy", ["refuse", "wait"])
async def test_a_publisher_is_read_in_ticks_until_it_has_published(connect, settings, policy):
    settings.RTMP_CHANNELS = {"STREAMS": {"TICK_MS": 3_600_000}}
    publisher = await connect()
    stream, _ = await publisher.publish(policy=policy)
    transport = publisher.wire.transport
    stream_hubs.get()._tick(0)
    assert (transport.gathers, transport.reads_asked) == (True, 1)
    await publisher.command(stream, "closeStream")
    assert not transport.gathers


async def test_a_publisher_that_lost_its_stream_is_read_at_once(connect, settings):
    settings.RTMP_CHANNELS = {"STREAMS": {"TICK_MS": 3_600_000}}
    first, second = await connect(), await connect()
    await first.publish()
    stream_hubs.get()._tick(0)
    await second.publish(policy="take_over")
    assert not first.wire.transport.gathers


def _break(peer):
    """What the client has queued, and what is no RTMP right behind it."""
    peer.session.data_received(peer.client.data_to_send() + b"\xff" * 64)


async def test_what_cannot_be_answered_before_the_protocol_is_broken(connect, caplog):
    breaking = await connect()
    playing, _ = await breaking.play()
    change = SharedObjectMessage("board", events=(RequestChange((("x", 1),)),))
    breaking.client.send_shared_object(change)
    breaking.client.send_call("pause", [True, 0], message_stream_id=playing)
    _break(breaking)
    assert breaking.wire.transport.state == "closed"
    await breaking.settle()
    assert breaking.types[-2:] == ["rtmp.stop", "rtmp.disconnect"]
    assert caplog.records == []


async def test_who_plays_itself_and_breaks_the_protocol_holds_up_no_other(connect, caplog):
    breaking, player = await connect(), await connect()
    publishing, _ = await breaking.publish()
    await breaking.play()
    await player.play()
    breaking.client.send_message(publishing, flv.key(0).type, 0, flv.key(0).payload)
    breaking.client.send_call("closeStream", message_stream_id=publishing)
    _break(breaking)
    events = await player.settle()
    assert media(events) == seen(flv.key(0))
    assert codes(events)[:1] == ENDED[:1]
    assert caplog.records == []


@pytest.mark.parametrize("name", ["closeStream", "deleteStream"])
async def test_who_plays_itself_and_closes_both_at_once(connect, caplog, name):
    both, player = await connect(), await connect()
    publishing, _ = await both.publish()
    playing, _ = await both.play()
    await player.play()
    for stream in (publishing, playing):
        arguments, on = ((), stream) if name == "closeStream" else ((stream,), 0)
        both.client.send_call(name, arguments, message_stream_id=on)
    await both.settle()
    assert both.types[-2:] == ["rtmp.stop", "rtmp.unpublish"]
    assert codes(await player.settle()) == ENDED
    assert both.session.phase is Phase.OPEN
    assert stats() == []
    assert caplog.records == []


async def test_where_the_url_is_divided_does_not_matter(connect):
    publisher, player = await connect("open/b"), await connect("open")
    stream, _ = await publisher.publish("a")
    await player.play("b/a")
    await publisher.feed(stream, flv.key(0))
    assert media(await player.settle()) == seen(flv.key(0))


async def test_a_player_on_its_second_message_stream(connect):
    publisher, player = await connect(), await connect()
    stream, _ = await publisher.publish()
    await player.create_stream()
    await player.play()
    await publisher.feed(stream, flv.key(0))
    (event,) = await player.settle()
    assert (event.message_stream_id, event.payload) == (2, flv.key(0).payload)


async def test_media_before_the_answer_is_held(connect):
    publisher, player = await connect(), await connect()
    stream = await publisher.create_stream()
    await publisher.command(stream, "publish", "a", "live")
    await publisher.feed(
        stream, metadata_frame(), flv.avc_header(), flv.aac_header(), flv.key(0), flv.inter(40)
    )
    assert stats() == []
    assert codes(await publisher.answer(stream, "publish.accept")) == [START]
    _, events = await player.play()
    assert media(events) == seen(
        flv.data(0, METADATA), flv.avc_header(), flv.aac_header(), flv.key(0), flv.inter(40)
    )


async def test_what_is_held_is_bounded(connect):
    publisher, player = await connect(), await connect()
    stream = await publisher.create_stream()
    await publisher.command(stream, "publish", "a", "live")
    await publisher.feed(stream, flv.avc_header(), flv.key(0, 200_000), flv.inter(40, 100_000))
    for _ in range(20):
        await publisher.feed(stream, metadata_frame())
    await publisher.answer(stream, "publish.accept")
    await publisher.feed(stream, flv.key(80))
    _, events = await player.play()
    assert media(events) == seen(flv.data(0, METADATA), flv.avc_header(80), flv.key(80))
    assert stats()[0].packets_received == 16 + 1 + 1


async def test_a_refused_publisher_leaves_nothing(connect):
    publisher = await connect()
    stream = await publisher.create_stream()
    await publisher.command(stream, "publish", "a", "live")
    await publisher.feed(stream, flv.key(0))
    events = await publisher.answer(stream, "publish.reject")
    assert codes(events) == ["NetStream.Publish.Denied"]
    await publisher.feed(stream, flv.key(0))
    assert stats() == []
    assert publisher.types == ["rtmp.publish"]


@pytest.mark.parametrize("ending", ["closeStream", "deleteStream", "FCUnpublish", "lost", "reset"])
async def test_every_ending_unpublishes_once(connect, ending):
    publisher, player = await connect(), await connect()
    stream, _ = await publisher.publish()
    await publisher.feed(stream, flv.key(0))
    await player.play()
    match ending:
        case "closeStream":
            await publisher.command(stream, "closeStream")
        case "deleteStream":
            await publisher.command(0, "deleteStream", stream)
        case "FCUnpublish":
            await publisher.command(0, "FCUnpublish", "a")
            await publisher.command(0, "deleteStream", stream)
        case "lost":
            await publisher.wire.lose()
        case "reset":
            await publisher.wire.lose(ConnectionResetError("reset"))
    events = await player.settle()
    assert codes(events) == ENDED
    assert publisher.types.count("rtmp.unpublish") == 1
    assert player.types == ["rtmp.play", "rtmp.stop"]
    assert stats() == []


async def test_the_player_is_told_of_the_end_in_order(connect):
    publisher, player = await connect(), await connect()
    stream, _ = await publisher.publish()
    await player.play()
    await publisher.command(stream, "closeStream")
    data = b"".join(player.wire.transport.writes)
    player.wire.transport.writes.clear()
    events = player.client.receive_data(data)
    assert codes(events) == ENDED
    (eof,) = [event for event in events if isinstance(event, StreamEventReceived)]
    assert eof.type is UserControlType.STREAM_EOF


async def test_a_player_may_play_again_after_the_end(connect):
    publisher, player = await connect(), await connect()
    stream, _ = await publisher.publish()
    playing, _ = await player.play()
    await publisher.command(stream, "closeStream")
    await publisher.command(stream, "publish", "a", "live")
    assert codes(await publisher.answer(stream, "publish.accept")) == [START]
    await publisher.feed(stream, flv.key(7))
    await player.command(playing, "play", "a")
    events = await player.answer(playing, "play.accept")
    assert codes(events) == PLAY
    assert media(events) == seen(flv.key(7))


async def test_a_second_publisher_is_refused(connect):
    first, second = await connect(), await connect()
    await first.publish()
    _, answer = await second.publish()
    assert answer == [BAD_NAME]
    assert second.types == ["rtmp.publish", "rtmp.unpublish"]
    assert first.types == ["rtmp.publish"]


async def test_a_second_publisher_takes_over(connect):
    first, second, player = [await connect() for _ in range(3)]
    one, _ = await first.publish()
    await first.feed(one, flv.key(1000))
    await player.play()
    two, answer = await second.publish(policy="take_over")
    assert answer == [START]
    assert codes(await first.settle()) == [BAD_NAME]
    assert first.types == ["rtmp.publish", "rtmp.unpublish"]
    await first.feed(one, flv.inter(1040))
    await second.feed(two, flv.key(0))
    assert media(await player.settle()) == seen(flv.key(1040))
    assert player.types == ["rtmp.play"]


async def test_a_second_publisher_waits_for_the_first(connect):
    first, second, player = [await connect() for _ in range(3)]
    one, _ = await first.publish()
    two, answer = await second.publish(policy="wait")
    assert answer == []
    await second.feed(two, flv.avc_header(), flv.key(0))
    await first.command(one, "closeStream")
    assert codes(await second.settle()) == [START]
    _, events = await player.play()
    assert media(events) == seen(flv.avc_header(), flv.key(0))


async def test_a_publisher_that_is_lost_while_it_waits(connect):
    first, second, third = [await connect() for _ in range(3)]
    one, _ = await first.publish()
    await second.publish(policy="wait")
    await second.wire.lose()
    assert second.types == ["rtmp.publish", "rtmp.unpublish", "rtmp.disconnect"]
    await first.command(one, "closeStream")
    assert stats() == []
    assert (await third.publish())[1] == [START]


async def test_the_policy_is_a_setting(connect, settings):
    settings.RTMP_CHANNELS = {"STREAMS": {"SECOND_PUBLISHER": "take_over"}}
    first, second = await connect(), await connect()
    await first.publish()
    assert (await second.publish())[1] == [START]


async def test_waiting_to_publish_is_bounded(connect, settings):
    settings.RTMP_CHANNELS = {"STREAMS": {"SECOND_PUBLISHER": "wait", "PUBLISH_WAIT_SECONDS": 0.01}}
    first, second = await connect(), await connect()
    await first.publish()
    _, told = await second.publish()
    async with asyncio.timeout(5):
        while "rtmp.unpublish" not in second.types:
            await asyncio.sleep(0.005)
    assert told + codes(await second.settle()) == [BAD_NAME]


async def test_an_answer_counts_for_its_own_request(connect):
    """Publish what is allowed, close it, publish something else before the answer comes."""
    publisher = await connect()
    stream = await publisher.create_stream()
    await publisher.command(stream, "publish", "allowed", "live")
    await publisher.command(stream, "closeStream")
    await publisher.command(stream, "publish", "forbidden", "live")
    assert codes(await publisher.answer(stream, "publish.accept")) == []
    assert stats() == []
    assert codes(await publisher.answer(stream, "publish.reject")) == ["NetStream.Publish.Denied"]
    assert publisher.types == ["rtmp.publish", "rtmp.unpublish", "rtmp.publish"]


async def test_a_refusal_counts_for_its_own_request_too(connect):
    player = await connect()
    stream = await player.create_stream()
    await player.command(stream, "play", "forbidden")
    await player.command(stream, "play", "allowed")
    assert codes(await player.answer(stream, "play.reject")) == []
    assert codes(await player.answer(stream, "play.accept")) == PLAY
    assert player.types == ["rtmp.play", "rtmp.stop", "rtmp.play"]


async def test_an_answer_without_a_request_is_the_applications_mistake(connect):
    peer = await connect()
    for kind in ("publish.accept", "publish.reject", "play.accept", "play.reject"):
        with pytest.raises(LocalProtocolError):
            await peer.answer(1, kind)


async def test_requests_that_nobody_answers_are_bounded(connect):
    peer = await connect()
    stream = await peer.create_stream()
    for _ in range(MAX_UNANSWERED):
        await peer.command(stream, "play", "a")
    assert peer.session.phase is Phase.OPEN
    before = counters[Limit.UNANSWERED]
    await peer.command(stream, "play", "a")
    assert peer.session.phase >= Phase.CLOSING
    assert counters[Limit.UNANSWERED] == before + 1


async def test_a_player_waits_for_the_publisher(connect):
    player, publisher = await connect(), await connect()
    _, events = await player.play()
    assert codes(events) == PLAY
    stream, _ = await publisher.publish()
    await publisher.feed(stream, flv.key(0))
    events = await player.settle()
    assert codes(events) == ["NetStream.Play.PublishNotify"]
    assert media(events) == seen(flv.key(0))


async def test_a_player_waits_for_a_bounded_time(connect, settings):
    settings.RTMP_CHANNELS = {"STREAMS": {"WAIT_SECONDS": 0.01}}
    player = await connect()
    await player.play()
    async with asyncio.timeout(5):
        while "rtmp.stop" not in player.types:
            await asyncio.sleep(0.005)
    await player.settle()
    assert codes(player.wire.events)[-1] == "NetStream.Play.StreamNotFound"


async def test_a_player_need_not_be_allowed_to_wait(connect, settings):
    settings.RTMP_CHANNELS = {"STREAMS": {"WAIT_SECONDS": 0}}
    player = await connect()
    _, events = await player.play()
    assert codes(events) == ["NetStream.Play.StreamNotFound"]
    assert player.types == ["rtmp.play", "rtmp.stop"]


async def test_players_may_stay_for_the_next_publisher(connect, settings):
    settings.RTMP_CHANNELS = {"STREAMS": {"LINGER_SECONDS": 30}}
    publisher, player = await connect(), await connect()
    stream, _ = await publisher.publish()
    await player.play()
    await publisher.command(stream, "closeStream")
    assert codes(await player.settle()) == ["NetStream.Play.UnpublishNotify"]
    await publisher.publish()
    assert codes(await player.settle()) == ["NetStream.Play.PublishNotify"]


async def test_another_play_on_the_same_stream_takes_the_place_of_the_first(connect):
    publisher, player = await connect(), await connect()
    one, _ = await publisher.publish("a")
    two, _ = await publisher.publish("b")
    stream, _ = await player.play("a")
    await player.command(stream, "play", "b")
    await player.answer(stream, "play.accept")
    await publisher.feed(one, flv.key(1))
    await publisher.feed(two, flv.key(2))
    assert media(await player.settle()) == seen(flv.key(2))
    assert player.types == ["rtmp.play", "rtmp.stop", "rtmp.play"]


async def test_receive_audio_and_receive_video(connect):
    publisher, player = await connect(), await connect()
    stream, _ = await publisher.publish()
    playing = await player.create_stream()
    await player.command(playing, "play", "a")
    await player.command(playing, "receiveAudio", False)
    await player.answer(playing, "play.accept")
    await publisher.feed(stream, flv.avc_header(), flv.key(0), flv.audio(1))
    assert media(await player.settle()) == seen(flv.avc_header(), flv.key(0))
    await player.command(playing, "receiveVideo", False)
    await player.command(playing, "receiveAudio", True)
    await publisher.feed(stream, flv.inter(40), flv.audio(41))
    assert media(await player.settle()) == seen(flv.audio(41))


async def test_pause(connect):
    publisher, player = await connect(), await connect()
    stream, _ = await publisher.publish()
    playing, _ = await player.play()
    assert codes(await player.command(playing, "pause", True, 0)) == ["NetStream.Pause.Notify"]
    await publisher.feed(stream, flv.key(0))
    assert media(await player.settle()) == []
    events = await player.command(playing, "pause", False, 0)
    assert codes(events) == ["NetStream.Unpause.Notify"]
    assert media(events) == seen(flv.key(0))


async def test_pausing_before_the_answer(connect):
    publisher, player = await connect(), await connect()
    stream, _ = await publisher.publish()
    await publisher.feed(stream, flv.key(0))
    playing = await player.create_stream()
    await player.command(playing, "play", "a")
    await player.command(playing, "pause", True, 0)
    assert media(await player.answer(playing, "play.accept")) == []


async def test_the_application_names_the_stream(connect):
    publisher, player = await connect(), await connect("elsewhere")
    stream, _ = await publisher.publish("secret-key", stream="shows/one")
    await player.play("anything", stream="shows/one")
    await publisher.feed(stream, flv.key(0))
    assert media(await player.settle()) == seen(flv.key(0))
    assert [one.name for one in stats()] == ["shows/one"]


async def test_a_player_that_cannot_keep_up_is_cut(connect, settings):
    settings.RTMP_CHANNELS = {"STREAMS": {"MAX_SKIPS": 0}}
    publisher, player = await connect(), await connect()
    stream, _ = await publisher.publish()
    await player.play()
    player.wire.transport.buffered_bytes = 3_000_000
    player.session.pause_writing()
    await publisher.feed(stream, flv.key(0))
    assert len(media(await player.settle())) == 1, "the one that found out"
    await publisher.feed(stream, flv.inter(40))
    assert player.wire.transport.state == "aborted"
    assert player.types[:2] == ["rtmp.play", "rtmp.stop"]
    assert stats()[0].players == 0


async def test_switches_and_media_for_streams_without_that_use_are_ignored(connect):
    peer = await connect()
    stream, _ = await peer.publish()
    await peer.command(stream, "pause", True, 0)
    await peer.command(stream, "receiveAudio", False)
    idle = await peer.create_stream()
    await peer.feed(idle, flv.key(0), metadata_frame())
    assert stats()[0].packets_received == 0


async def test_closing_a_stream_that_waits_for_its_answer(connect):
    player = await connect()
    stream = await player.create_stream()
    await player.command(stream, "play", "a")
    await player.command(stream, "closeStream")
    assert codes(await player.answer(stream, "play.accept")) == []
    assert stats() == []
    assert player.types == ["rtmp.play", "rtmp.stop"]


async def test_a_publisher_that_falls_silent_is_ended(connect):
    publisher = await connect()
    await publisher.publish()
    now = asyncio.get_running_loop().time()
    session = publisher.session
    assert session.deadline_reached(now) == pytest.approx(now + 4, abs=1)
    session.deadline_reached(now + 5)
    publisher.wire.receive()
    assert publisher.client.data_to_send(), "who is alive answers the ping"
    session.deadline_reached(now + 9.5)
    session.deadline_reached(now + 9.5)
    await publisher.settle()
    assert publisher.messages[-1]["code"] == "NetConnection.Connect.IdleTimeOut"
    assert publisher.messages[-1]["reason"] == "nothing received for 9 s"
    assert stats() == []
