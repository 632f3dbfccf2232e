"""Shared objects over two daphne processes and a real Redis: npm rtmp-client on both."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.interop import drivers
from tests.interop.conversation import Conversation
from tests.interop.test_rtmp_client import change, state, use
from tests.support.demo_server import DemoServer

pytestmark = [pytest.mark.client("rtmp-client"), pytest.mark.redis]


def test_set_change_delete_and_a_late_third(
    redis_url: str,
    start_demo_server: Callable[..., DemoServer],
    clients: Callable[..., Conversation],
) -> None:
    environment = {"REDIS_URL": redis_url}
    urls = [start_demo_server(environment=environment).rtmp_url("lobby/objects") for _ in range(2)]
    first, second = (clients(drivers.rtmp_client, url) for url in urls)
    for client in (first, second):
        client.next("connected")
    assert use(first, "board") == use(second, "board") == []
    for writer, reader, key, value in (
        (first, second, "score", {"points": 1}),
        (second, first, "score", 2),
        (first, second, "name", "Ada"),
    ):
        writer.send(do="set", name="board", key=key, value=value)
        assert change(writer)["code"] == "success"
        seen = change(reader)
        assert (seen["code"], seen["name"], seen["newValue"]) == ("change", key, value)
    second.send(do="set", name="board", key="score", value=None)
    assert change(first)["code"] == change(second)["code"] == "delete"
    third = clients(drivers.rtmp_client, urls[0])
    third.next("connected")
    assert [(each["name"], each["newValue"]) for each in use(third, "board")] == [("name", "Ada")]
    assert state(first, "board") == state(second, "board") == state(third, "board")
