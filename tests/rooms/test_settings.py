"""RTMP_CHANNELS holds the limits of rooms and shared objects, as dicts of their own."""

from rtmp_channels.conf import rtmp_settings
from rtmp_channels.rooms.current import room_hubs
from rtmp_channels.rooms.limits import RoomLimits
from rtmp_channels.shared_objects.current import shared_object_hubs
from rtmp_channels.shared_objects.rules import SharedObjectRules


async def test_hubs_take_their_limits_from_the_settings(settings):
    settings.RTMP_CHANNELS = {
        "ROOMS": {"MEMBERS": 3},
        "SHARED_OBJECTS": {"SLOTS": 4, "REJECT_LOST_CHANGES": False},
    }
    try:
        assert room_hubs.get().limits == RoomLimits(members=3)
        expected = SharedObjectRules(slots=4, reject_lost_changes=False)
        assert shared_object_hubs.get().rules == expected
    finally:
        await room_hubs.close()
        await shared_object_hubs.close()


def test_a_wrong_key_is_named(settings):
    settings.RTMP_CHANNELS = {"SHARED_OBJECTS": {"SLOTZ": 4}, "ROOMS": 5}
    one, two = rtmp_settings.check("rtmp_channels.E001")
    assert one.msg == "RTMP_CHANNELS: SHARED_OBJECTS: unknown key 'SLOTZ'."
    assert one.hint == "Did you mean 'SLOTS'?"
    assert two.msg == "RTMP_CHANNELS: ROOMS cannot be 5."
    assert rtmp_settings().shared_objects == SharedObjectRules()
