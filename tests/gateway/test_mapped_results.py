"""Models as results: their queries run where queries may, whichever door asks."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission

from amf_remoting import amf
from amf_remoting.call import Call
from amf_remoting.exceptions import Fault
from amf_remoting.mapping import map_model, unmap_model
from amf_remoting.packet import Message, Packet, parse
from amf_remoting.registry import registry, remote_method
from amf_remoting.settle import settled

from .conftest import Post

pytestmark = pytest.mark.django_db(transaction=True)

A, B = {"name": "a", "permissions": []}, {"name": "b", "permissions": []}


@dataclass
class Page:
    groups: Any
    number: int = 1


def _refused() -> Iterator[int]:
    yield 1
    raise Fault("Server.Late", "thought better of it", details={"why": object()})


class Results:
    """Each asks the database when it is encoded, not before."""

    @remote_method
    def queryset(self) -> Any:
        return Group.objects.order_by("name")

    @remote_method
    async def aqueryset(self) -> Any:
        return Group.objects.order_by("name")

    @remote_method
    def manager(self) -> Any:
        return Group.objects

    @remote_method
    def relation(self) -> Any:
        return Group.objects.get(name="a")

    @remote_method
    def generator(self) -> Any:
        return (group for group in Group.objects.order_by("name"))

    @remote_method(blocking=False)
    def mapped(self) -> Any:
        return map(_first, ["a", "b"])

    @remote_method
    def refused(self) -> Any:
        return _refused()

    @remote_method
    def exiting(self) -> Any:
        return (sys.exit(name) for name in ["a"])

    @remote_method
    async def inside(self) -> Any:
        return {"page": Page(Group.objects.order_by("name")), "more": [[Group.objects.none()]]}

    @remote_method
    def broken(self) -> Any:
        return Group.objects.extra(where=["no_such_column = 1"])

    @remote_method
    def news(self, call: Call) -> str:
        assert call.reply is not None
        call.reply.call_client("onGroups", Group.objects.filter(name="a"))
        call.reply.add_header("Groups", Group.objects.filter(name="b"))
        return "told"


def _first(name: str) -> Any:
    return Group.objects.filter(name=name).first()


@pytest.fixture(autouse=True)
def groups(exposed: Any) -> Iterator[None]:
    registry.expose("results", Results)
    map_model(Group, ["name", "permissions"])
    for name in ("b", "a"):
        Group.objects.create(name=name)
    yield
    registry.withdraw("results")
    unmap_model(Group)


def over_amf(post: Post, method: str) -> tuple[str, Any]:
    (answer,) = parse(
        post(Packet(0, [], [Message(f"results.{method}", "/1", [])])).content
    ).messages
    return answer.target_uri.partition("/on")[2], answer.value


def over_json(post: Post, method: str) -> tuple[str, Any]:
    path = f"/gateway/json/results/{method}/"
    answer = json.loads(post(b"[]", path=path, content_type="application/json").content)
    return ("Result", answer["result"]) if "result" in answer else ("Status", answer["fault"])


@pytest.mark.parametrize("door", [over_amf, over_json])
@pytest.mark.parametrize(
    ("method", "value"),
    [
        ("queryset", [A, B]),
        ("aqueryset", [A, B]),
        ("relation", A),
        ("generator", [A, B]),
        ("mapped", [A, B]),
        ("inside", {"page": {"groups": [A, B], "number": 1}, "more": [[[]]]}),
    ],
)
def test_a_result_may_ask_the_database(
    post: Post, door: Callable[[Post, str], tuple[str, Any]], method: str, value: Any
) -> None:
    assert door(post, method) == ("Result", value)


@pytest.mark.parametrize("door", [over_amf, over_json])
def test_a_manager_is_all_its_objects(
    post: Post, door: Callable[[Post, str], tuple[str, Any]]
) -> None:
    kind, value = door(post, "manager")
    assert (kind, sorted(value, key=str)) == ("Result", [A, B])


@pytest.mark.parametrize("door", [over_amf, over_json])
def test_a_query_that_fails_is_a_bad_result(
    post: Post, door: Callable[[Post, str], tuple[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    kind, value = door(post, "broken")
    assert (kind, value["code"]) == ("Status", "Server.BadResult")
    assert "no_such_column" not in str(value)
    assert "OperationalError" in caplog.text


@pytest.mark.usefixtures("busy_pool")
@pytest.mark.parametrize("post", ["asgi"], indirect=True)
@pytest.mark.parametrize("door", [over_amf, over_json])
def test_a_result_without_a_thread_is_answered_busy(
    post: Post, door: Callable[[Post, str], tuple[str, Any]]
) -> None:
    kind, value = door(post, "aqueryset")
    assert (kind, value["code"]) == ("Status", "Server.Busy")


def test_client_calls_and_headers_may_ask_the_database(post: Post) -> None:
    packet = parse(post(Packet(0, [], [Message("results.news", "/1", [])])).content)
    assert [(one.target_uri, one.value) for one in packet.messages] == [
        ("onGroups", [A]),
        ("/1/onResult", "told"),
    ]
    assert [(one.name, one.value) for one in packet.headers] == [("Groups", [B])]


def test_settled_values_keep_their_shape() -> None:
    circle: dict[str, Any] = {"groups": Group.objects.filter(name="a")}
    circle["self"] = circle
    plain = settled(circle)
    assert plain["groups"] == [A]
    assert plain["self"] is plain
    typed = settled(amf.TypedObject("demo.Groups", {"groups": Group.objects.filter(name="b")}))
    assert typed == amf.TypedObject("demo.Groups", {"groups": [B]})
    wrapped = settled(amf.ArrayCollection([Permission.objects.none()]))  # type: ignore[list-item]
    assert wrapped == amf.ArrayCollection([[]])
    assert settled((1, "two", None, {3})) == [1, "two", None, [3]]


@amf.alias("tests.results.Sealed", externalizable=True)
@dataclass
class Sealed:
    """Asks the database where nobody else can know it."""

    groups: Any

    def write_external(self, output: amf.DataOutput) -> None:
        output.write_object([group.name for group in self.groups])

    def read_external(self, source: amf.DataInput) -> None:
        self.groups = source.read_object()


@remote_method
def sealed(call: Call, condition: str) -> Any:
    groups = Group.objects.extra(where=[condition])
    assert call.reply is not None
    call.reply.add_header("Sealed", Sealed(groups))
    call.reply.call_client("onSealed", Sealed(groups))
    return Sealed(groups)


@pytest.mark.parametrize(
    ("condition", "headers", "targets"),
    [
        ("name = 'a'", ["Sealed"] * 2, ["onSealed", "/1/onResult", "onSealed", "/2/onResult"]),
        ("nonsense(", [], ["/1/onStatus", "/2/onStatus"]),
    ],
    ids=["fine", "broken"],
)
def test_externalizable_classes_that_ask_the_database(
    post: Post, condition: str, headers: list[str], targets: list[str]
) -> None:
    registry.expose("sealed", sealed)
    messages = [Message("sealed", f"/{number}", [condition], encoding=3) for number in (1, 2)]
    messages.append(Message("results.queryset", "/3", [], encoding=3))
    try:
        answer = parse(post(Packet(3, [], messages)).content)
    finally:
        registry.withdraw("sealed")
    assert [header.name for header in answer.headers] == headers
    assert [message.target_uri for message in answer.messages] == [*targets, "/3/onResult"]
    for one in (*answer.headers, *answer.messages[:-1]):
        if isinstance(one.value, Sealed):
            assert one.value.groups == ["a"]
        else:
            assert one.value["code"] == "Server.BadResult"


def test_a_result_refused_while_it_is_encoded_hurts_no_other(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even if the refusal has no form in AMF itself."""
    calls = [Message("results.refused", "/1", []), Message("results.mapped", "/2", [])]
    refused, fine = parse(post(Packet(0, [], calls)).content).messages
    assert (refused.target_uri, refused.value["code"]) == ("/1/onStatus", "Server.Late")
    assert refused.value["description"] == "thought better of it"
    assert (fine.target_uri, fine.value) == ("/2/onResult", [A, B])
    assert "the details of a fault of 'results.refused' cannot be encoded" in caplog.text


@pytest.mark.parametrize("door", [over_amf, over_json])
def test_a_result_that_exits_is_a_bad_result(
    post: Post, door: Callable[[Post, str], tuple[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    kind, value = door(post, "exiting")
    assert (kind, value["code"]) == ("Status", "Server.BadResult")
    assert "SystemExit in generator" in caplog.text
