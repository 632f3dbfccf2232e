import pytest

from rtmp_channels.media.packet import Packet
from rtmp_channels.protocol.constants import MessageType
from tests.media import flv
from tests.protocol.chunks import chunk


def test_the_first_streams_bytes_are_made_once():
    packet = flv.key(1000, 10)
    assert packet.encode(1) is packet.encode(1)
    assert packet.encode(1) == chunk(0, 6, packet.payload, time=1000, type=9, stream=1)


def test_another_message_stream_has_bytes_of_its_own():
    packet = flv.audio(5, 3)
    assert packet.encode(7) == chunk(0, 4, packet.payload, time=5, type=8, stream=7)
    assert packet.encode(1) != packet.encode(7)


@pytest.mark.parametrize("time", [0xFFFFFE, 0xFFFFFF, 0x1000000, 0xFFFFFFFF])
def test_times_at_the_limits_of_the_header(time):
    packet = flv.inter(time, 4)
    assert packet.encode(1) == chunk(0, 6, packet.payload, time=time, type=9, stream=1)


def test_what_a_packet_is():
    assert flv.key().is_keyframe
    assert not flv.inter().is_keyframe
    assert flv.avc_header().is_setup
    assert not flv.avc_header().is_keyframe
    assert not flv.data().is_setup


def test_at_another_time():
    packet = Packet(MessageType.AUDIO, 7, b"\xaf\x00")
    assert packet.at(7) is packet
    moved = packet.at(9)
    assert (moved.type, moved.timestamp, moved.payload) == (MessageType.AUDIO, 9, b"\xaf\x00")
