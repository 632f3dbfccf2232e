"""The demo site's contract, from outside: the same services over the gateway and over RTMP."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from amf_remoting import amf
from project.demo.services import Person
from tests.support.amf_client import call_gateway
from tests.support.demo_server import DemoServer
from tests.support.rtmp_client import RtmpClient, RtmpRefusal

pytestmark = pytest.mark.slow

Caller = Callable[..., Any]


class Refused(Exception):
    """The fault's code."""


@pytest.fixture(params=["amf0", "amf3", "rtmp", "rtmp amf3"])
def call(request: pytest.FixtureRequest, demo_server: DemoServer) -> Iterator[Caller]:
    """Calls a service through one door: the value, or Refused with the fault's code."""
    door = request.param
    if door.startswith("rtmp"):
        encoding = 3 if door.endswith("amf3") else 0
        with RtmpClient(demo_server.rtmp_port, "lobby/calls", object_encoding=encoding) as client:

            def over_rtmp(target: str, *arguments: object) -> Any:
                try:
                    return client.call(target, *arguments)
                except RtmpRefusal as refusal:
                    raise Refused(refusal.args[0]["code"]) from None

            yield over_rtmp
        return

    def over_http(target: str, *arguments: object) -> Any:
        encoding = 3 if door == "amf3" else 0
        url = demo_server.url("/gateway/")
        succeeded, value = call_gateway(url, target, *arguments, encoding=encoding)
        if not succeeded:
            raise Refused(value["code"])
        return value

    yield over_http


VALUES = [
    None,
    True,
    -7,
    3.25,
    2.0**53,
    "Grüße 🙂",
    "",
    [1, "two", None],
    {"a": 1, "b": {"c": []}},
    datetime(2024, 2, 29, 12, 30, 15, 250_000, tzinfo=UTC),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_echo_returns_the_value(call: Caller, value: object) -> None:
    assert call("echo.echo", value) == value


def test_echo_args_returns_all_arguments(call: Caller) -> None:
    assert call("echo.args", 1, "a", None) == [1, "a", None]
    assert call("echo.args") == []


def test_math_add(call: Caller) -> None:
    assert call("math.add", 2, 3) == 5
    assert call("math.add", 0.5, -3) == -2.5


@pytest.mark.parametrize("arguments", [("2", 3), (True, 1), (None, None)], ids=repr)
def test_math_add_adds_numbers_only(call: Caller, arguments: tuple[object, ...]) -> None:
    with pytest.raises(Refused, match=r"^Client\.BadArguments$"):
        call("math.add", *arguments)


def test_clock_tells_this_moment(call: Caller) -> None:
    assert abs(call("clock.now") - datetime.now(UTC)) < timedelta(seconds=30)


def test_people_are_typed_objects(call: Caller) -> None:
    ada = Person("Ada", 36, datetime(1815, 12, 10, tzinfo=UTC), ["mathematics", "poetry"])
    assert call("people.get", "Ada") == ada
    assert call("people.get", "Nobody").name == "Nobody"
    people = call("people.list", 3)
    assert [type(person) for person in people] == [Person] * 3
    assert [person.name for person in people] == ["Person 0", "Person 1", "Person 2"]


@pytest.mark.parametrize("count", [-1, 10_001, "many"])
def test_people_are_limited(call: Caller, count: object) -> None:
    with pytest.raises(Refused, match=r"^Client\.BadArguments$"):
        call("people.list", count)


def test_a_person_with_missing_fields_is_accepted(call: Caller) -> None:
    partial = amf.TypedObject("demo.Person", {"name": "Half"})
    assert call("echo.echo", partial) == Person("Half", 0, None, [])


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("echo.fail", r"Demo\.Failed"),
        # The gateway's word for it, and RTMP's.
        ("echo.nothing", r"(Client\.MethodNotFound|NetConnection\.Call\.Failed)"),
        ("echo.__class__", r"(Client\.MethodNotFound|NetConnection\.Call\.Failed)"),
        ("staff.whoami", r"Client\.Authentication"),
    ],
)
def test_refusals_have_codes(call: Caller, target: str, code: str) -> None:
    with pytest.raises(Refused, match=f"^{code}$"):
        call(target)


def test_lobby_needs_a_connection(demo_server: DemoServer) -> None:
    succeeded, fault = call_gateway(demo_server.url("/gateway/"), "lobby.say", "hello")
    assert (succeeded, fault["code"]) == (False, "Client.ConnectionRequired")


def test_what_one_says_the_others_in_the_room_hear(demo_server: DemoServer) -> None:
    with ExitStack() as stack:

        def enter(room: str) -> RtmpClient:
            return stack.enter_context(RtmpClient(demo_server.rtmp_port, f"lobby/{room}"))

        speaker, listener, elsewhere = enter("hall"), enter("hall"), enter("attic")
        assert speaker.call("lobby.say", "good morning") is None
        assert listener.next_call("onSay").arguments == ["good morning"]
        # Whoever hears nothing hears nothing before the answer to a later call either.
        for silent in (speaker, elsewhere):
            silent.call("echo.echo", 1)
            assert [event for event in silent.events if getattr(event, "name", "") == "onSay"] == []


def test_the_server_calls_the_client_within_its_call(demo_server: DemoServer) -> None:
    with RtmpClient(demo_server.rtmp_port, "lobby/back") as client:
        transaction_id = client.send("lobby.callme")
        asked = client.next_call("ping2")
        assert asked.arguments == ["are you there"]
        client.answer(asked, "I am")
        assert client.result(transaction_id) == "I am"


def test_a_client_that_answers_with_an_error_is_told_so(demo_server: DemoServer) -> None:
    with RtmpClient(demo_server.rtmp_port, "lobby/refusing") as client:
        transaction_id = client.send("lobby.callme")
        client.refuse(client.next_call("ping2"), {"code": "Not.Today", "description": "busy"})
        with pytest.raises(RtmpRefusal) as refusal:
            client.result(transaction_id)
    assert refusal.value.args[0]["code"] == "Not.Today"
    assert "Traceback" not in demo_server.log()


@pytest.mark.parametrize("application", ["live", "open"])
def test_applications_answer_calls(demo_server: DemoServer, application: str) -> None:
    with RtmpClient(demo_server.rtmp_port, application) as client:
        assert client.call("math.add", 1, 1) == 2


def test_an_unknown_application_is_refused(demo_server: DemoServer) -> None:
    with pytest.raises(RtmpRefusal, match=r"NetConnection\.Connect\.InvalidApp"):
        RtmpClient(demo_server.rtmp_port, "nothing/here")


def test_a_websocket_that_nobody_serves_is_refused(demo_server: DemoServer) -> None:
    with (
        pytest.raises(InvalidStatus) as refusal,
        connect(demo_server.url("/ws/x").replace("http", "ws")),
    ):
        pass
    assert refusal.value.response.status_code == 403
