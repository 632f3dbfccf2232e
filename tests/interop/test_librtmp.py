"""python-librtmp: calls both ways on a room of the lobby, and a fault."""

from __future__ import annotations

from typing import Any

import pytest

from tests.interop.conversation import Conversation
from tests.interop.drivers import Connect

pytestmark = pytest.mark.client("librtmp")


@pytest.fixture
def client(librtmp: Connect) -> Conversation:
    return librtmp("lobby/room1")


def test_add(client: Conversation) -> None:
    answer = client.ask("result", do="call", method="math.add", arguments=[20, 22.5])
    assert answer["value"] == 42.5


@pytest.mark.parametrize(
    "value",
    [None, True, 17, -3.25, 1e300, "Grüße, 世界 🎈", "", [1.0, "two", [None]], {"name": "Ada"}],
    ids=repr,
)
def test_echo(client: Conversation, value: Any) -> None:
    answer = client.ask("result", do="call", method="echo.echo", arguments=[value])
    assert answer["value"] == value


def test_unknown_method_is_an_error_and_the_connection_lives(client: Conversation) -> None:
    answer = client.ask("error", do="call_unknown", method="echo.nothing", arguments=[1])
    assert answer["information"]["level"] == "error"
    assert answer["information"]["code"] == "NetConnection.Call.Failed"
    assert client.ask("result", do="call", method="math.add", arguments=[1, 2])["value"] == 3


def test_a_failing_method_is_an_error_without_a_traceback(client: Conversation) -> None:
    answer = client.ask("error", do="call_unknown", method="echo.fail", arguments=["no luck"])
    information = {"level": "error", "code": "Demo.Failed", "description": "no luck"}
    assert answer["information"] == information


def test_the_server_calls_the_client_and_gets_its_answer(client: Conversation) -> None:
    answer = client.ask("result", do="call", method="lobby.callme", arguments=[])
    assert client.next("ping2")["arguments"] == ["are you there"]
    assert answer["value"] == "yes, still here"


def test_the_connection_outlives_what_the_client_acknowledges(client: Conversation) -> None:
    text = "x" * 1_000_000  # librtmp acknowledges every 250,000 bytes
    for _ in range(4):
        answer = client.ask("result", do="call", method="echo.echo", arguments=[text])
        assert answer["value"] == text
    assert client.ask("result", do="call", method="math.add", arguments=[1, 2])["value"] == 3


def test_the_client_ends_well(client: Conversation) -> None:
    assert client.close() == 0
