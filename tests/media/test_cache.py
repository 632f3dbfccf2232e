import pytest

from rtmp_channels.media.cache import HeadLimits, StreamCache, Wants, wants_on
from rtmp_channels.protocol.constants import MessageType
from tests.media import flv

ALL = Wants()


@pytest.fixture
def cache():
    return StreamCache(head=HeadLimits(bytes=100, messages=4))


def payloads(packets):
    return [packet.payload for packet in packets]


def test_a_late_joiner_gets_metadata_headers_and_the_group(cache):
    metadata, gop = flv.data(), [flv.key(1000), flv.audio(1001), flv.inter(1040)]
    cache.keep_data("onMetaData", metadata)
    for packet in (flv.avc_header(), flv.aac_header(), flv.key(0), flv.inter(40), *gop):
        cache.add(packet)
    start = cache.start(ALL)
    assert payloads(start) == [
        metadata.payload,
        flv.AVC_HEADER,
        flv.AAC_HEADER,
        *payloads(gop),
    ]
    assert [packet.timestamp for packet in start] == [0, 1000, 1000, 1000, 1001, 1040]


def test_without_a_keyframe_there_is_no_start(cache):
    for packet in (flv.avc_header(), flv.inter(40)):
        cache.add(packet)
    assert cache.start(ALL) == []
    assert payloads(cache.head(ALL, timestamp=9)) == [flv.AVC_HEADER]


@pytest.mark.parametrize(
    ("wants", "types"),
    [
        (Wants(), [18, 9, 8, 9, 8, 18]),
        (Wants(video=False), [18, 8, 8, 18]),
        (Wants(audio=False), [18, 9, 9, 18]),
        (Wants(audio=False, video=False), [18, 18]),
    ],
)
def test_players_may_do_without_a_kind(cache, wants, types):
    cache.keep_data("onMetaData", flv.data())
    packets = (flv.avc_header(), flv.aac_header(), flv.key(), flv.audio(), flv.data(0, b"cue"))
    for packet in packets:
        cache.add(packet)
    assert [packet.type for packet in cache.start(wants)] == types


def test_encoding_joins_what_is_wanted():
    packets = [flv.key(), flv.audio()]
    assert Wants().encode(packets) == packets[0].encode(1) + packets[1].encode(1)
    assert Wants(3, video=False).encode(packets) == packets[1].encode(3)


def test_a_changed_header_ends_the_group(cache):
    for packet in (flv.avc_header(), flv.key(), flv.avc_header(5)):
        cache.add(packet)
    assert len(cache.gop.packets) == 1, "the same header again changes nothing"
    cache.add(flv.avc_header(9, b"other"))
    assert cache.gop.packets == []
    assert payloads(cache.head(ALL, timestamp=0)) == [flv.AVC_HEADER + b"other"]


def test_data_is_replaced_and_forgotten_by_name(cache):
    first, second, other = (flv.data(0, payload) for payload in (b"1", b"2", b"3"))
    cache.keep_data("onMetaData", first)
    cache.keep_data("onOther", other)
    cache.keep_data("onMetaData", second)
    assert set(payloads(cache.head(ALL, timestamp=0))) == {b"2", b"3"}
    cache.forget_data("onMetaData")
    cache.forget_data("onUnknown")
    assert payloads(cache.head(ALL, timestamp=0)) == [b"3"]


def test_what_is_kept_is_bounded_in_bytes(cache):
    cache.keep_data("onMetaData", flv.data(0, b"x" * 60))
    cache.add(flv.avc_header(0, b"y" * 60))
    assert payloads(cache.head(ALL, timestamp=0)) == [b"x" * 60]
    cache.keep_data("onMetaData", flv.data(0, b"x" * 101))
    assert cache.head(ALL, timestamp=0) == []


def test_what_is_kept_is_bounded_in_number(cache):
    for name in "abcdef":
        cache.keep_data(name, flv.data(0, name.encode()))
    assert payloads(cache.head(ALL, timestamp=0)) == [b"a", b"b", b"c", b"d"]


def test_has_video(cache):
    cache.add(flv.audio())
    assert not cache.has_video
    cache.add(flv.avc_header())
    assert cache.has_video


def test_defaults():
    assert HeadLimits() == HeadLimits(bytes=262_144, messages=64)
    assert StreamCache().start(Wants()) == []
    assert flv.data().type is MessageType.DATA_AMF0


def test_players_on_the_same_message_stream_want_the_same_object():
    assert wants_on(3) is wants_on(3)
    assert wants_on(3) == Wants(3)
