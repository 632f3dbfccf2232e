import pytest

from rtmp_channels.media.starts import Start, StartFinder
from tests.media import flv

HERE, NOT_HERE, USELESS = Start.HERE, Start.NOT_HERE, Start.USELESS


def judge(packets, *, patience=3):
    finder = StartFinder(patience=patience)
    return [finder.judge(packet) for packet in packets]


def test_players_start_with_keyframes():
    packets = [flv.avc_header(), flv.key(), flv.inter(), flv.audio(), flv.key()]
    assert judge(packets) == [NOT_HERE, HERE, NOT_HERE, NOT_HERE, HERE]


def test_frames_before_the_first_keyframe_are_useless():
    packets = [flv.inter(), flv.audio(), flv.inter(), flv.key(), flv.inter()]
    assert judge(packets) == [USELESS, NOT_HERE, USELESS, HERE, NOT_HERE]


@pytest.mark.parametrize(("first", "meanwhile"), [(flv.key(), NOT_HERE), (flv.audio(), USELESS)])
def test_without_keyframes_players_start_anywhere_in_the_end(first, meanwhile):
    starts = judge([first] + [flv.inter()] * 5)[1:]
    assert starts == [meanwhile, meanwhile, meanwhile, HERE, HERE]


def test_a_keyframe_restores_order():
    packets = [flv.key()] + [flv.inter()] * 4 + [flv.key(), flv.inter()]
    assert judge(packets)[-3:] == [HERE, HERE, NOT_HERE]


def test_data_and_signals_start_nothing():
    assert judge([flv.data(), flv.video(0, b"\x17\x02\0\0\0"), flv.video()]) == [NOT_HERE] * 3
