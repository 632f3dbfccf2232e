import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtmp_channels.media.tags import TagHead, TagKind, read_head
from rtmp_channels.protocol.constants import MessageType

AUDIO, VIDEO = MessageType.AUDIO, MessageType.VIDEO
SETUP, KEYFRAME, FRAME, SIGNAL = TagKind.SETUP, TagKind.KEYFRAME, TagKind.FRAME, TagKind.SIGNAL


@pytest.mark.parametrize(
    ("payload", "kind", "codec"),
    [
        (b"\x17\x00\0\0\0avcC", SETUP, "avc1"),
        (b"\x17\x01\0\0\0", KEYFRAME, "avc1"),
        (b"\x47\x01\0\0\0", KEYFRAME, "avc1"),  # made by a server
        (b"\x27\x01\0\0\0", FRAME, "avc1"),
        (b"\x37\x01\0\0\0", FRAME, "avc1"),
        (b"\x17\x02\0\0\0", SIGNAL, "avc1"),
        (b"\x57\x00", SIGNAL, "avc1"),
        (b"\x17", SIGNAL, "avc1"),
        (b"\x1c\x00\0\0\0", SETUP, "hvc1"),
        (b"\x1c\x01\0\0\0", KEYFRAME, "hvc1"),
        (b"\x1d\x01", KEYFRAME, "av01"),
        (b"\x12\x00", KEYFRAME, "h263"),
        (b"\x24\x00", FRAME, "vp6"),
        (b"\x1f", KEYFRAME, ""),
        (b"", SIGNAL, ""),
    ],
    ids=lambda value: value.hex() or "empty" if isinstance(value, bytes) else None,
)
def test_video(payload, kind, codec):
    head = read_head(VIDEO, payload)
    assert (head.kind, head.codec) == (kind, codec)


@pytest.mark.parametrize(
    ("payload", "kind", "codec"),
    [
        (b"\xaf\x00\x12\x10", SETUP, "mp4a"),
        (b"\xaf\x01data", FRAME, "mp4a"),
        (b"\xaf", FRAME, "mp4a"),
        (b"\x2fdata", FRAME, ".mp3"),
        (b"\xb2\x00", FRAME, "speex"),
        (b"\x52\x00", FRAME, "nellymoser"),
        (b"\xc0\x00", FRAME, ""),
        (b"", SIGNAL, ""),
        (b"\x90OpusOpusHead", SETUP, "Opus"),
        (b"\x91Opus", FRAME, "Opus"),
        (b"\x92Opus", SIGNAL, "Opus"),
        (b"\x94ac-3layout", SETUP, "ac-3"),
        (b"\x91Op", SIGNAL, ""),
        (b"\x95\x01mp4a\x01data", FRAME, "mp4a"),
        (b"\x95\x00mp4a\x01data", SETUP, "mp4a"),
    ],
    ids=lambda value: value.hex() or "empty" if isinstance(value, bytes) else None,
)
def test_audio(payload, kind, codec):
    head = read_head(AUDIO, payload)
    assert (head.kind, head.codec) == (kind, codec)


@pytest.mark.parametrize(
    ("payload", "kind", "codec"),
    [
        (b"\x90hvc1hvcC", SETUP, "hvc1"),
        (b"\x91hvc1\0\0\0", KEYFRAME, "hvc1"),
        (b"\xa1hvc1\0\0\0", FRAME, "hvc1"),
        (b"\x93av01", KEYFRAME, "av01"),
        (b"\xa3vp09", FRAME, "vp09"),
        (b"\x92hvc1", SIGNAL, "hvc1"),
        (b"\x94hvc1\x02\0\x09colorInfo", SETUP, "hvc1"),
        (b"\xd4hvc1", SETUP, "hvc1"),  # metadata may carry the frame type of a command
        (b"\x95av01", SETUP, "av01"),
        (b"\xd1hvc1", SIGNAL, "hvc1"),
        (b"\x91hv", SIGNAL, ""),
        (b"\x91\0\0\0\0", KEYFRAME, "????"),
        (b"\x91\xff\xff\xff\xff", KEYFRAME, "????"),
    ],
    ids=lambda value: value.hex() if isinstance(value, bytes) else None,
)
def test_enhanced_video(payload, kind, codec):
    head = read_head(VIDEO, payload)
    assert (head.kind, head.codec) == (kind, codec)


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (b"\x96\x01hvc1\x00\0\0\0", KEYFRAME),
        (b"\x96\x01hvc1\x01\0\0\0", FRAME),  # the keyframe of a side track starts nobody
        (b"\x96\x11avc1\x00\0\0\x05data", KEYFRAME),
        (b"\x96\x21avc1\x00\0\0\x05data", KEYFRAME),
        (b"\x96\x20avc1\x02\0\0\x05data", SETUP),
        (b"\x96\x01hvc1", SIGNAL),
        (b"\x96", SIGNAL),
    ],
    ids=lambda value: value.hex() if isinstance(value, bytes) else None,
)
def test_tracks(payload, kind):
    assert read_head(VIDEO, payload).kind is kind


@pytest.mark.parametrize(
    "modifiers",
    [b"\x02\0\0\0\x01", b"\x02\0\0\0\x07\x00x\x01", b"\xff\x01\x00" + bytes(257) + b"\x01"],
    ids=["nanoseconds", "two", "long"],
)
def test_modifiers_are_skipped(modifiers):
    assert read_head(VIDEO, b"\x97" + modifiers + b"av01") == TagHead(KEYFRAME, "av01")


def test_an_endless_row_of_modifiers_is_no_media():
    assert read_head(VIDEO, b"\x97" + b"\x00x\x07" * 100 + b"\x00x\x01av01").kind is SIGNAL


def test_setup_messages_of_different_use_differ_in_their_key():
    payloads = [
        (VIDEO, b"\x17\x00\0\0\0"),
        (AUDIO, b"\xaf\x00"),
        (VIDEO, b"\x90hvc1"),
        (VIDEO, b"\x94hvc1"),
        (VIDEO, b"\x96\x00hvc1\x00"),
        (VIDEO, b"\x96\x00hvc1\x01"),
        (VIDEO, b"\x96\x10hvc1\x00"),
        (AUDIO, b"\x90mp4a"),
        (AUDIO, b"\x95\x00mp4a\x01"),
    ]
    heads = [read_head(message_type, payload) for message_type, payload in payloads]
    assert {head.kind for head in heads} == {SETUP}
    assert len({head.setup for head in heads}) == len(payloads)


def test_data_has_no_head():
    assert read_head(MessageType.DATA_AMF0, b"\x17\x00") == TagHead(SIGNAL)


@given(st.sampled_from([AUDIO, VIDEO]), st.binary(max_size=40))
def test_reading_never_fails(message_type, payload):
    assert isinstance(read_head(message_type, payload), TagHead)
