import pytest

from rtmp_channels.media.timeline import JOINT_MS, Timeline, difference


@pytest.mark.parametrize(
    ("later", "earlier", "expected"),
    [(5, 3, 2), (3, 5, -2), (1, 0xFFFFFFFF, 2), (0xFFFFFFFF, 1, -2), (7, 7, 0)],
)
def test_difference_is_modular(later, earlier, expected):
    assert difference(later, earlier) == expected


def test_one_publishers_times_pass_unchanged():
    timeline = Timeline()
    times = [100, 50, 4_000_000_000, 0, 0xFFFFFFFF, 3]
    assert [timeline.place(time) for time in times] == times


def test_latest_follows_time_and_no_steps_back():
    timeline = Timeline()
    assert timeline.latest == 0
    for time in (100, 140, 120):
        timeline.place(time)
    assert timeline.latest == 140


def test_the_next_publisher_goes_on_where_the_first_was():
    timeline = Timeline()
    timeline.place(60_000)
    timeline.join()
    assert timeline.place(500) == 60_000 + JOINT_MS
    assert timeline.place(520) == 60_020 + JOINT_MS
    timeline.join()
    assert timeline.place(0) == 60_020 + 2 * JOINT_MS


def test_going_on_across_the_wrap():
    timeline = Timeline()
    timeline.place(0xFFFFFFF0)
    timeline.join()
    assert timeline.place(0) == JOINT_MS - 0x10


def test_a_publisher_before_whom_nothing_came_keeps_its_times():
    timeline = Timeline()
    timeline.join()
    assert timeline.place(700) == 700
