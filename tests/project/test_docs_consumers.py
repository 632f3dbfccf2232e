"""docs/reference/consumers.md names everything that consumers have, and the twins are alike."""

import re

from rtmp_channels.consumers import AsyncRtmpConsumer
from rtmp_channels.sync_consumers import RtmpConsumer
from tests.support.settings_page import REFERENCE

NOT_FOR_APPLICATIONS = {"dispatch", "end", "user_read", "user_gone", "base_send"}


def names(consumer: type) -> set[str]:
    found = {*dir(consumer), *(key for one in consumer.__mro__ for key in _annotations(one))}
    public = {name for name in found if not name.startswith(("_", "rtmp_"))}
    return public - NOT_FOR_APPLICATIONS


def _annotations(one: type) -> dict[str, object]:
    return vars(one).get("__annotations__", {})


def test_everything_public_is_named() -> None:
    text = (REFERENCE / "consumers.md").read_text()
    documented = set(re.findall(r"`(\w+)", text))
    assert names(AsyncRtmpConsumer) - documented == set()


def test_the_sync_twin_has_the_same() -> None:
    assert names(AsyncRtmpConsumer) - names(RtmpConsumer) == {"on_call", "channel_layer"}
    assert names(RtmpConsumer) - names(AsyncRtmpConsumer) == set()
