"""The JSON door."""

import json
import logging
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import AsyncClient, RequestFactory

from amf_remoting import amf, json_door
from amf_remoting.exceptions import Fault, FaultCode
from amf_remoting.json_door import JsonEncoder, fault_response
from amf_remoting.registry import registry, remote_method

from .conftest import Post


@pytest.fixture
def call(post: Post) -> Any:
    """(status, answer) of a call."""

    def send(target: str, arguments: Any = None, **keys: Any) -> tuple[int, Any]:
        body = b"" if arguments is None else json.dumps(arguments).encode()
        path = f"/gateway/json/{target.replace('.', '/')}/"
        response = post(body or b" ", path=path, content_type="application/json", **keys)
        return response.status_code, json.loads(response.content)

    return send


@pytest.mark.parametrize(
    ("target", "arguments", "result"),
    [
        ("math.add", [1, 2], 3),
        ("math.add", {"b": 2, "a": 1}, 3),
        ("echo.echo", [{"naïve": [None, True, 1.5, "☃"]}], {"naïve": [None, True, 1.5, "☃"]}),
        ("echo.args", None, []),
        ("echo.aecho", {"value": "x"}, "x"),
        ("echo.caller", ["!"], "json:echo.caller:AnonymousUser!"),
    ],
)
def test_results(call: Any, target: str, arguments: Any, result: Any) -> None:
    assert call(target, arguments) == (200, {"result": result})


@pytest.mark.parametrize(
    ("target", "arguments", "status", "code"),
    [
        ("nowhere.at_all", [], 404, "Client.MethodNotFound"),
        ("echo.__class__", [], 404, "Client.MethodNotFound"),
        ("math.add", [1], 400, "Client.BadArguments"),
        ("math.add", {"a": 1, "call": 2}, 400, "Client.BadArguments"),
        ("math.add", ["1", 2], 400, "Client.BadArguments"),
        ("math.add", 5, 400, "Client.BadMessage"),
        ("staff.whoami", [], 401, "Client.Authentication"),
        ("echo.refuse", [], 400, "Shop.SoldOut"),
        ("echo.fail", [], 500, "Server.Processing"),
        ("echo.lasting", [], 400, "Client.ConnectionRequired"),
    ],
)
def test_faults(call: Any, target: str, arguments: Any, status: int, code: str) -> None:
    got, answer = call(target, arguments)
    assert (got, answer["fault"]["code"]) == (status, code)
    assert "Traceback" not in json.dumps(answer)


def test_a_method_that_takes_any_name_does_not_take_self(
    call: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Names:
        @remote_method
        def sorted(self, **names: object) -> list[str]:
            return sorted(names)

    registry.expose("names", Names)
    try:
        assert call("names.sorted", {"call": 1, "b": 2}) == (200, {"result": ["b", "call"]})
        status, answer = call("names.sorted", {"self": 1})
    finally:
        registry.withdraw("names")
    assert (status, answer["fault"]["description"]) == (400, "there is no argument 'self'")
    assert caplog.records == [], "no traceback"


def test_details_of_a_fault_that_cannot_be_encoded_are_left_out(call: Any) -> None:
    status, answer = call("echo.unspeakable_fault", [])
    assert status == 400
    assert answer == {"fault": {"level": "warning", "code": "Shop.Odd", "description": "odd"}}


def test_only_seconds_become_a_header(exposed: Any) -> None:
    for retry_after, header in ((5, "5"), ("a\nb", None)):
        fault = Fault("Shop.Busy", "later", details={"retryAfter": retry_after})
        response = fault_response(RequestFactory().post("/"), "shop.buy", fault)
        assert response.headers.get("Retry-After") == header


def test_a_fault_is_one_line_in_the_log(call: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        call("nowhere.at_all", [])
    lines = [one.name for one in caplog.records if one.name != "asyncio"]
    assert lines == ["amf_remoting.http"]


@pytest.mark.parametrize("body", [b"{", b"[1", b"\xff", b"[" * 100_000])
def test_bodies_that_are_no_json(post: Post, body: bytes) -> None:
    response = post(body, path="/gateway/json/math/add/", content_type="application/json")
    assert response.status_code == 400
    assert json.loads(response.content)["fault"]["code"] == "Client.BadMessage"


def test_only_json_is_read(post: Post) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/x-amf"):
        response = post(b"[1, 2]", path="/gateway/json/math/add/", content_type=content_type)
        assert response.status_code == 415


def test_only_posts_are_calls(post: Post) -> None:
    response = post(b"", path="/gateway/json/math/add/", method="put")
    assert (response.status_code, response["Allow"]) == (405, "OPTIONS, POST")


@pytest.mark.parametrize(("body", "status"), [(b"[1, 2]", 200), (b"[]", 400)])
def test_cors(post: Post, exposed: Any, body: bytes, status: int) -> None:
    exposed.AMF_REMOTING = {**exposed.AMF_REMOTING, "ALLOWED_ORIGINS": ["https://a.example"]}
    response = post(
        body,
        path="/gateway/json/math/add/",
        content_type="application/json",
        headers={"Origin": "https://a.example"},
    )
    assert response.status_code == status
    assert response["Access-Control-Allow-Origin"] == "https://a.example"


@pytest.mark.parametrize(
    ("method", "content_type"), [("options", ""), ("post", "application/json")]
)
def test_closed_to_pages_of_other_sites(
    post: Post, exposed: Any, method: str, content_type: str
) -> None:
    exposed.MIDDLEWARE = []
    headers = {"Origin": "https://a.example", "Cookie": "sessionid=abc"}
    path = "/gateway/json/math/add/"
    response = post(b"[1, 2]", path=path, method=method, content_type=content_type, headers=headers)
    assert response.status_code == 403
    assert "Access-Control-Allow-Origin" not in response


def test_one_that_calls_too_often_is_told_when_to_come_back(post: Post) -> None:
    @remote_method
    def refuse() -> None:
        raise Fault(FaultCode.THROTTLED, "too often", details={"retryAfter": 7})

    registry.expose("refuse", refuse)
    try:
        response = post(b"[]", path="/gateway/json/refuse/", content_type="application/json")
    finally:
        registry.withdraw("refuse")
    assert (response.status_code, response["Retry-After"]) == (429, "7")


def test_a_large_body_is_decoded_off_the_loop(
    post: Post, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    threads: list[str] = []
    whole = json_door.read_call

    def noted(*given: Any, **keys: Any) -> Any:
        threads.append(threading.current_thread().name)
        return whole(*given, **keys)

    monkeypatch.setattr(json_door, "read_call", noted)
    for letters in (10, 70_000):
        body = json.dumps(["x" * letters]).encode()
        path = "/gateway/json/echo/echo/"
        assert len(post(body, path=path, content_type="application/json").content) > letters
    under_asgi = "asgi" in request.node.callspec.id
    assert [name.startswith("amf-remoting") for name in threads] == [False, under_asgi]


@pytest.mark.usefixtures("busy_pool", "exposed")
async def test_a_large_body_is_refused_while_the_pool_is_full(exposed: Any) -> None:
    exposed.ROOT_URLCONF = "tests.gateway.urls"
    body = json.dumps(["x" * 70_000])
    path = "/gateway/json/echo/aecho/"
    response = await AsyncClient().post(path, body, content_type="application/json")
    assert (response.status_code, response.json()["fault"]["code"]) == (503, "Server.Busy")


def test_a_function_answers_by_its_name_alone(call: Any) -> None:
    @remote_method
    def hello(name: str) -> str:
        return f"hello {name}"

    registry.expose("hello", hello)
    try:
        assert call("hello", ["Zoë"]) == (200, {"result": "hello Zoë"})
    finally:
        registry.withdraw("hello")


@dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"\x00\xff", '"AP8="'),
        (amf.Undefined, "null"),
        (amf.TypedObject("a.B", {"x": [1]}), '{"x": [1]}'),
        (amf.MixedArray([1], {"a": 2}), '{"0": 1, "a": 2}'),
        (amf.Dictionary([(1, "a")]), '{"1": "a"}'),
        (amf.XML("<a/>"), '"<a/>"'),
        (amf.Date(float("nan")), "null"),
        (amf.ArrayCollection([1]), "[1]"),
        (amf.ObjectProxy({"a": 1}), '{"a": 1}'),
        (datetime(2026, 1, 2, tzinfo=UTC), '"2026-01-02T00:00:00Z"'),
        (Decimal("1.50"), '"1.50"'),
        ({1}, "[1]"),
        (Point(1), '{"x": 1}'),
    ],
    ids=repr,
)
def test_values_of_amf_in_json(value: Any, text: str) -> None:
    assert json.dumps(value, cls=JsonEncoder) == text


@pytest.mark.parametrize("value", [object(), float("nan")], ids=["object", "nan"])
def test_results_without_a_json_form(call: Any, value: Any) -> None:
    @remote_method
    def odd() -> object:
        return value

    registry.expose("odd", odd)
    try:
        status, answer = call("odd", [])
    finally:
        registry.withdraw("odd")
    assert (status, answer["fault"]["code"]) == (500, "Server.BadResult")


def test_an_echo_of_nan_is_one_line_in_the_log(call: Any, caplog: pytest.LogCaptureFixture) -> None:
    status, answer = call("echo.echo", [float("nan")])
    assert (status, answer["fault"]["code"]) == (500, "Server.BadResult")
    assert not [one for one in caplog.records if one.exc_info]


@pytest.mark.parametrize("debug", [False, True])
def test_why_a_result_breaks_is_no_callers_business(
    call: Any, settings: Any, caplog: pytest.LogCaptureFixture, debug: bool
) -> None:
    class Odd(dict[str, int]):
        def items(self) -> Any:
            raise RuntimeError("secret")

    @remote_method
    def odd() -> object:
        return Odd(a=1)

    settings.DEBUG = debug
    registry.expose("odd", odd)
    try:
        status, answer = call("odd", [])
    finally:
        registry.withdraw("odd")
    assert (status, answer["fault"]["code"]) == (500, "Server.BadResult")
    assert ("secret" in answer["fault"]["description"]) is debug
    assert "RuntimeError: secret" in caplog.text
