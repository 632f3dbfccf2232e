"""npm rtmp-client: calls both ways, and objects shared by several Node processes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.interop.conversation import Conversation
from tests.interop.drivers import Connect

pytestmark = pytest.mark.client("rtmp-client")


def use(client: Conversation, name: str) -> list[dict[str, Any]]:
    """Take part in an object; returns the first synchronisation's changes."""
    status = client.ask("status", do="use", name=name)
    assert status["code"] == "SharedObject.Proxy.Connect"
    changes: list[dict[str, Any]] = client.next("sync")["changes"]
    assert changes[0] == {"code": "clear"}
    return changes[1:]


def state(client: Conversation, name: str) -> dict[str, Any]:
    return client.ask("state", do="state", name=name)


def change(client: Conversation) -> dict[str, Any]:
    """The only change of the next synchronisation."""
    (only,) = client.next("sync")["changes"]
    return dict(only)


def test_calls_both_ways(rtmp_client: Connect) -> None:
    client = rtmp_client("lobby/calls")
    client.next("pong")
    assert client.ask("result", do="call", method="math.add", arguments=[20, 22.5])["value"] == 42.5
    value = {"text": "Grüße, 世界 🎈", "list": [1, None, True], "long": "x" * 70_000}
    assert client.ask("result", do="call", method="echo.echo", arguments=[value])["value"] == value
    answer = client.ask("result", do="call", method="lobby.callme", arguments=[])
    assert client.next("ping2")["arguments"] == ["are you there"]
    assert answer["value"] == "yes, still here"


def test_unknown_method_is_an_error(rtmp_client: Connect) -> None:
    client = rtmp_client("lobby/calls")
    answer = client.ask("error", do="call", method="echo.nothing", arguments=[])
    assert answer["information"]["code"] == "NetConnection.Call.Failed"
    assert answer["information"]["level"] == "error"


def test_an_unknown_application_is_refused(rtmp_client_process: Connect) -> None:
    client = rtmp_client_process("no_such_application/room")
    information = client.next("closed")["information"]
    assert information["level"] == "error"
    assert information["code"].startswith("NetConnection.Connect.")


@pytest.mark.parametrize(
    "value",
    [True, -17, 3.25, "Grüße, 世界 🎈", [1, "two"], {"deep": {"er": [None]}}, "x" * 50_000],
    ids=["bool", "int", "float", "text", "array", "object", "50 KB"],
)
def test_a_change_reaches_the_other_and_is_acknowledged(rtmp_client: Connect, value: Any) -> None:
    name, key = f"board-{type(value).__name__}-{len(repr(value))}", "ключ"
    writer, reader = rtmp_client("lobby/shared"), rtmp_client("lobby/shared")
    assert use(writer, name) == use(reader, name) == []
    writer.send(do="set", name=name, key=key, value=value)
    assert change(writer) == {"code": "success", "name": key, "newValue": value}
    assert change(reader) == {"code": "change", "name": key, "newValue": value}


def test_set_change_delete_and_a_late_third(rtmp_client: Connect) -> None:
    first, second = rtmp_client("lobby/shared"), rtmp_client("lobby/shared")
    assert use(first, "board") == use(second, "board") == []
    for client, other, key, value in (
        (first, second, "score", 1),
        (second, first, "score", 2),
        (first, second, "name", "Ada"),
        (second, first, "gone", "soon"),
    ):
        client.send(do="set", name="board", key=key, value=value)
        assert change(client)["code"] == "success"
        seen = change(other)
        assert (seen["code"], seen["name"], seen["newValue"]) == ("change", key, value)
    first.send(do="set", name="board", key="gone", value=None)
    for client in (first, second):
        gone = change(client)
        assert (gone["code"], gone["name"], gone["oldValue"]) == ("delete", "gone", "soon")
    third = rtmp_client("lobby/shared")
    arrived = {each["name"]: (each["code"], each["newValue"]) for each in use(third, "board")}
    assert arrived == {"score": ("change", 2), "name": ("change", "Ada")}
    states = [state(client, "board") for client in (first, second, third)]
    assert states[0]["value"] == {"score": 2, "name": "Ada"}
    assert states[0] == states[1] == states[2]


def test_writers_at_once_end_with_the_same_state(rtmp_client: Connect) -> None:
    writers = [rtmp_client("lobby/shared") for _ in range(3)]
    for writer in writers:
        use(writer, "contested")
    for number in range(100):
        for position, writer in enumerate(writers):
            key, value = f"key{(number + position) % 7}", [number, position]
            writer.send(do="set", name="contested", key=key, value=value)
        writers[number % 3].send(do="set", name="contested", key=f"key{number % 5}", value=None)
    for _ in ("all writes are in", "and what they caused is out"):
        for writer in writers:
            writer.ask("result", do="call", method="echo.echo", arguments=[1])
    states = [state(writer, "contested") for writer in writers]
    assert states[0]["value"]
    assert states[0] == states[1] == states[2]


def test_a_killed_user_disturbs_nobody(rtmp_client: Connect) -> None:
    killed, writer, reader = (rtmp_client("lobby/shared") for _ in range(3))
    for client in (killed, writer, reader):
        use(client, "survives")
    killed.process.kill()
    writer.send(do="set", name="survives", key="a", value=1)
    assert change(writer)["code"] == "success"
    assert change(reader) == {"code": "change", "name": "a", "newValue": 1}
    assert use(rtmp_client("lobby/shared"), "survives")[0]["newValue"] == 1


def test_clear_reaches_everyone(rtmp_client: Connect) -> None:
    first, second = rtmp_client("lobby/shared"), rtmp_client("lobby/shared")
    use(first, "cleared")
    use(second, "cleared")
    first.send(do="set", name="cleared", key="a", value=1)
    assert change(first)["code"] == "success"
    assert change(second)["code"] == "change"
    second.send(do="clear", name="cleared")
    assert change(first) == change(second) == {"code": "clear"}


def test_rooms_have_objects_of_their_own(rtmp_client: Connect) -> None:
    here, there = rtmp_client("lobby/here"), rtmp_client("lobby/there")
    use(here, "board")
    here.send(do="set", name="board", key="a", value=1)
    assert change(here)["code"] == "success"
    assert use(there, "board") == []


def test_an_object_ends_with_its_last_user(rtmp_client: Connect) -> None:
    first = rtmp_client("lobby/shared")
    use(first, "short-lived")
    first.send(do="set", name="short-lived", key="a", value=1)
    assert change(first)["code"] == "success"
    first.send(do="release", name="short-lived")
    assert first.ask("result", do="call", method="echo.echo", arguments=[1])["value"] == 1
    second = rtmp_client("lobby/shared")
    assert use(second, "short-lived") == []
