"""Packets in, packets out; by WSGI's and by ASGI's handler."""

import asyncio
import logging
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import resolve, reverse

from amf_remoting import amf, views
from amf_remoting.packet import Message, Packet, parse
from amf_remoting.registry import registry, remote_method

from .conftest import Post

CAPTURES = Path(__file__).resolve().parents[1] / "captures" / "amf"


def packet(*calls: tuple[Any, ...], version: int = 0, encoding: Any = 0) -> Packet:
    """Calls (target, arguments) with the response URIs /1, /2, …"""
    messages = [
        Message(target, f"/{number}", arguments, encoding=encoding)
        for number, (target, arguments) in enumerate(calls, 1)
    ]
    return Packet(version, [], messages)


def answers(response: Any) -> list[tuple[str, Any]]:
    assert response.status_code == 200
    assert response["Content-Type"] == "application/x-amf"
    return [(one.target_uri, one.value) for one in parse(response.content).messages]


@pytest.mark.parametrize(("version", "encoding"), [(0, 0), (0, 3), (1, 0), (3, 0), (3, 3)])
@pytest.mark.parametrize(
    "value",
    [None, True, -7, 1.5, 2**31, "naïve ☃ 😀", [1, "two"], {"a": {"b": None}}, amf.Undefined,
     datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)],
    ids=repr,
)  # fmt: skip
def test_echo(post: Post, version: int, encoding: Any, value: Any) -> None:
    response = post(packet(("echo.echo", [value]), version=version, encoding=encoding))
    assert answers(response) == [("/1/onResult", value)]


@pytest.mark.parametrize(
    ("version", "encoding", "wanted"), [(0, 0, 0), (0, 3, 3), (1, 0, 0), (3, 0, 3), (3, 3, 3)]
)
def test_the_answer_mirrors_version_and_encoding(
    post: Post, version: int, encoding: Any, wanted: int
) -> None:
    answer = parse(post(packet(("echo.echo", ["x"]), version=version, encoding=encoding)).content)
    assert answer.version == version
    assert answer.messages[0].encoding == wanted


def test_bytes_of_an_answer(post: Post) -> None:
    response = post(packet(("math.add", [1, 2])))
    assert response.content.hex() == (
        "0000" "0000" "0001" "000b" + b"/1/onResult".hex() + "0004" + b"null".hex()
        + "00000009" "004008000000000000"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ([], []), (None, []), (amf.Undefined, []), ("bare", ["bare"]), (5, [5]),
        (amf.MixedArray([1, 2], {"length": 2}), [1, 2]), ({"a": 1}, [{"a": 1}]),
    ],
    ids=repr,
)  # fmt: skip
def test_bodies_that_are_not_a_strict_array(post: Post, body: Any, value: Any) -> None:
    assert answers(post(packet(("echo.args", body)))) == [("/1/onResult", value)]


@pytest.mark.fact(28)
def test_a_batch_is_answered_message_by_message_in_order(post: Post) -> None:
    calls = packet(
        ("math.add", [1, 2]), ("echo.fail", ["secret"]), ("nowhere.at_all", []), ("math.add", [1]),
        ("echo.refuse", []), ("echo.aecho", ["last"]),
    )  # fmt: skip
    got = answers(post(calls))
    assert [target for target, _ in got] == [
        "/1/onResult", "/2/onStatus", "/3/onStatus", "/4/onStatus", "/5/onStatus", "/6/onResult",
    ]  # fmt: skip
    assert got[0][1] == 3
    assert got[1][1] == {
        "level": "error", "code": "Server.Processing", "description": "echo.fail failed",
    }  # fmt: skip
    assert got[2][1]["code"] == "Client.MethodNotFound"
    assert got[3][1]["argument"] == "b"
    assert got[4][1] == {
        "left": 0, "level": "error", "code": "Shop.SoldOut", "description": "none left",
    }  # fmt: skip
    assert got[5][1] == "last"


@pytest.mark.fact(28)
def test_errors_travel_in_http_200(post: Post) -> None:
    response = post(packet(("nowhere.at_all", [])))
    assert (response.status_code, response["Content-Type"]) == (200, "application/x-amf")
    (answer,) = parse(response.content).messages
    assert (answer.target_uri, answer.value["level"]) == ("/1/onStatus", "error")


@pytest.mark.fact(28)
def test_ruffle_restarts_response_uris_and_sends_version_0(post: Post) -> None:
    for _envelope in range(2):
        response = post(packet(("math.add", [1, 2]), ("math.add", [3, 4]), version=0))
        assert parse(response.content).version == 0
        assert answers(response) == [("/1/onResult", 3), ("/2/onResult", 7)]


def test_response_uris_may_repeat(post: Post) -> None:
    messages = [Message("echo.echo", "/1", [n]) for n in range(3)]
    assert answers(post(Packet(0, [], messages))) == [("/1/onResult", n) for n in range(3)]


def test_fire_and_forget(post: Post) -> None:
    seen: list[Any] = []

    @remote_method
    def note(value: Any) -> None:
        seen.append(value)

    registry.expose("note", note)
    try:
        messages = [Message("note", "null", [1]), Message("note", "", [2]), Message("x", "", [3])]
        assert answers(post(Packet(0, [], messages))) == []
    finally:
        registry.withdraw("note")
    assert seen == [1, 2]


@pytest.mark.fact(28)
def test_a_body_that_cannot_be_decoded_hurts_no_other(post: Post) -> None:
    good = [Packet(0, [], [Message("math.add", f"/{n}", [n, 1])]).serialize()[6:] for n in (1, 3)]
    bad = b"\0\x09echo.echo\0\x02/2" + b"\0\0\0\x06" + b"\x0a\0\0\0\x01\xff"
    got = answers(post(b"\0\0\0\0\0\x03" + good[0] + bad + good[1]))
    assert [target for target, _ in got] == ["/1/onResult", "/2/onStatus", "/3/onResult"]
    assert got[1][1]["code"] == "Client.BadMessage"
    assert got[2][1] == 4


@pytest.mark.parametrize("body", [b"", b"\x0a\0\0\0\2\5", b"\x0a\0\0\0\1\2\0\x09ab"], ids=repr)
def test_a_body_that_was_cut_off_hurts_no_other(post: Post, body: bytes) -> None:
    good = [Packet(0, [], [Message("math.add", f"/{n}", [n, 1])]).serialize()[6:] for n in (1, 3)]
    bad = b"\0\x09echo.echo\0\x02/2" + len(body).to_bytes(4, "big") + body
    got = answers(post(b"\0\0\0\0\0\3" + good[0] + bad + good[1]))
    assert [target for target, _ in got] == ["/1/onResult", "/2/onStatus", "/3/onResult"]
    assert got[1][1]["code"] == "Client.BadMessage"


def test_a_result_that_cannot_be_encoded_hurts_no_other(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    @remote_method
    def unspeakable() -> object:
        return object()

    registry.expose("unspeakable", unspeakable)
    try:
        got = answers(post(packet(("math.add", [1, 2]), ("unspeakable", []), ("math.add", [3, 4]))))
    finally:
        registry.withdraw("unspeakable")
    assert [target for target, _ in got] == ["/1/onResult", "/2/onStatus", "/3/onResult"]
    assert got[1][1]["code"] == "Server.BadResult"
    assert "the result of 'unspeakable' cannot be encoded" in caplog.text


def test_a_response_is_bounded(post: Post, exposed: Any) -> None:
    exposed.AMF_REMOTING = {**exposed.AMF_REMOTING, "MAX_RESPONSE_SIZE": 1000}
    got = answers(post(packet(*[("echo.echo", ["x" * 400])] * 3)))
    assert [target for target, _ in got] == ["/1/onResult", "/2/onResult", "/3/onStatus"]


def test_sync_methods_stay_on_the_thread_of_wsgi_and_leave_the_loop_of_asgi(
    post: Post, request: pytest.FixtureRequest
) -> None:
    ((_, name),) = answers(post(packet(("echo.thread", []))))
    under_asgi = "asgi" in request.node.callspec.id
    assert (
        name.startswith("amf-remoting") if under_asgi else name == threading.current_thread().name
    )


@pytest.mark.parametrize(
    "garbage",
    [b"\0", b"\0\x05\0\0\0\0", b"\xff" * 50, b"\0\0\0\0\0\x01", b"<html>", b"\0\0\xff\xff"],
    ids=repr,
)
def test_garbage_is_400_and_one_line(
    post: Post, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        response = post(garbage)
    assert response.status_code == 400
    assert response.content.startswith(b"no AMF packet: ")
    lines = [(line.name, line.levelname) for line in caplog.records if line.name != "asyncio"]
    assert lines == [("amf_remoting.http", "INFO")]


def test_other_content_types_are_refused(post: Post) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/json"):
        response = post(packet(("math.add", [1, 2])), content_type=content_type)
        assert response.status_code == 415


def test_a_parameter_of_the_content_type_does_not_matter(post: Post) -> None:
    response = post(packet(("math.add", [1, 2])), content_type="application/x-amf; charset=utf-8")
    assert answers(response) == [("/1/onResult", 3)]


def test_large_requests_are_refused(post: Post, exposed: Any) -> None:
    exposed.AMF_REMOTING = {**exposed.AMF_REMOTING, "MAX_REQUEST_SIZE": 100}
    assert post(b"\xff" * 100).status_code == 400
    response = post(b"\xff" * 101)
    assert (response.status_code, response.content) == (413, b"100 bytes at most\n")


def test_requests_beyond_djangos_own_limit_are_ours_to_judge(post: Post, exposed: Any) -> None:
    exposed.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert answers(post(packet(("math.add", [1, 2])))) == [("/1/onResult", 3)]


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(post: Post, method: str) -> None:
    response = post(b"", method=method)
    assert response.status_code == 405
    assert response["Allow"] == "GET, OPTIONS, POST"


def test_get_is_a_short_page_for_humans(client: Any, exposed: Any) -> None:
    exposed.ROOT_URLCONF = "tests.gateway.urls"
    response = client.get("/gateway/")
    assert response.status_code == 200
    assert b"<h1>AMF gateway</h1>" in response.content
    assert client.head("/gateway/").status_code == 200


def test_no_csrf_token_is_asked_for(exposed: Any) -> None:
    exposed.ROOT_URLCONF = "tests.gateway.urls"
    strict = Client(enforce_csrf_checks=True)
    body = packet(("math.add", [1, 2])).serialize()
    response = strict.post("/gateway/", body, "application/x-amf")
    assert answers(response) == [("/1/onResult", 3)]


def test_each_handler_gets_the_view_made_for_it(exposed: Any, rf: Any) -> None:
    exposed.ROOT_URLCONF = "tests.gateway.urls"
    assert reverse("amf_remoting:gateway") == "/gateway/"
    assert resolve("/gateway/").func is views.gateway

    async def under_asgi() -> Any:
        return resolve("/gateway/")

    match = asyncio.run(under_asgi())
    assert match.func is views.agateway
    assert match.view_name == "amf_remoting:gateway"


@pytest.mark.parametrize("name", ["ruffle_avm1", "ruffle_avm2"])
def test_captures_of_ruffle(post: Post, name: str) -> None:
    data = (CAPTURES / f"{name}.bin").read_bytes()
    request = parse(data)
    got = parse(post(data).content)
    assert [one.target_uri.rpartition("/")[0] for one in got.messages] == [
        one.response_uri for one in request.messages
    ]
    for call, answer in zip(request.messages, got.messages, strict=True):
        if call.target_uri == "echo.echo":
            assert answer.target_uri.endswith("/onResult")
            assert answer.value == call.value[0]


def test_a_method_that_awaits_what_was_cancelled_hurts_no_other(post: Post) -> None:
    @remote_method
    async def waits() -> None:
        other = asyncio.create_task(asyncio.sleep(60))
        other.cancel()
        await other

    registry.expose("waits", waits)
    try:
        got = answers(post(packet(("waits", []), ("math.add", [1, 2]))))
    finally:
        registry.withdraw("waits")
    assert [target for target, _ in got] == ["/1/onStatus", "/2/onResult"]
    assert got[0][1]["code"] == "Server.Processing"
