"""The service browser: who may see it, what it shows, what its forms call."""

import json
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from amf_remoting.amf import Limits
from amf_remoting.browser.calls import MAX_ARGUMENTS, MAX_LETTERS
from amf_remoting.call import Call
from amf_remoting.conversation import Conversation
from amf_remoting.models import ServicePolicy
from amf_remoting.registry import registry, remote_method

PAGES = ["/services/", "/services/call/math.add/"]
HOSTILE = "<script>alert('x')</script>\" onload=\"y"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("exposed")]


class Page(HTMLParser):
    """What a page holds: its elements with their attributes, and its text by element class."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[tuple[str, str]] = []
        self.inside: dict[str, str] = {}
        self.feed(response.content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "input", "br"}:
            self._open.append((tag, dict(attrs).get("class") or tag))

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data
        for _, name in self._open:
            self.inside[name] = self.inside.get(name, "") + data

    def attributes(self, tag: str, name: str) -> list[str | None]:
        return [attrs.get(name) for found, attrs in self.elements if found == tag]


def user(name: str, **flags: bool) -> User:
    return User.objects.create_user(name, **flags)


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(user("ada", is_staff=True))
    return client


def call(client: Client, target: str, arguments: str, door: str = "amf3") -> Page:
    path = f"/services/call/{target}/"
    response = client.post(path, {"door": door, "arguments": arguments})
    assert response.status_code == 200
    return Page(response)


@pytest.mark.parametrize("path", PAGES)
def test_only_staff_comes_in(path: str) -> None:
    client, customer = Client(), Client()
    customer.force_login(user("eve"))
    for other in (client, customer):
        response = other.get(path)
        assert response.status_code == 302
        assert response["Location"].startswith("/admin/login/?next=/services/")
    client.force_login(user("ada", is_staff=True))
    response = client.get(path)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]


def test_a_customer_calls_nothing_by_the_form() -> None:
    client = Client()
    client.force_login(user("eve"))
    response = client.post("/services/call/math.add/", {"door": "amf3", "arguments": "[1, 2]"})
    assert response.status_code == 302


def test_calls_need_the_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user("ada", is_staff=True))
    form = {"door": "amf3", "arguments": "[1, 2]"}
    assert client.post("/services/call/math.add/", form).status_code == 403
    page = Page(client.get("/services/call/math.add/"))
    tokens = [
        attrs["value"] for _, attrs in page.elements if attrs.get("name") == "csrfmiddlewaretoken"
    ]
    form["csrfmiddlewaretoken"] = str(tokens[0])
    response = client.post("/services/call/math.add/", form)
    assert (response.status_code, Page(response).inside["value"]) == (200, "3")


def test_every_method_with_signature_docstring_and_restrictions(staff: Client) -> None:
    page = Page(staff.get("/services/"))
    assert "math.add(a: int, b: int) -> int" in page.text
    assert "Adds all there is to the response." in page.text
    assert "needs auth.add_user" in page.text
    assert "needs a login" in page.text
    actions = page.attributes("form", "action")
    assert "/services/call/math.add/" in actions
    assert "/services/call/echo.lasting/" not in actions, "it needs a connection"


def test_many_services_are_searched(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 'type="search"' not in staff.get("/services/").text, "a few are seen at once"
    monkeypatch.setattr("amf_remoting.overview.FEW", 1)
    text = staff.get("/services/").text
    assert ('type="search"' in text, "<summary>1 service</summary>" in text) == (True, False)
    page = Page(staff.get("/services/?q=ADD"))
    assert [one for one in page.attributes("form", "action") if one] == ["/services/call/math.add/"]
    assert "<summary>1 service</summary>" in staff.get("/services/?q=ADD").text
    none = staff.get("/services/?q=<b>").text
    assert "No method has “&lt;b&gt;” in its name." in none


def test_what_must_be_named_goes_through_json(staff: Client) -> None:
    def named(*, first: int) -> int:
        """Its argument has no position."""
        return first

    registry.expose("named", named)
    try:
        page = Page(staff.get("/services/call/named/"))
        assert page.attributes("input", "value")[-1:] == ["json"]
        assert "Arguments, a JSON object" in page.text
    finally:
        registry.withdraw("named")


def test_what_the_admin_switched_off_says_so(with_policy: Any, staff: Client) -> None:
    ServicePolicy.objects.create(service="math", method="add", enabled=False)
    page = Page(staff.get("/services/call/math.add/"))
    assert "switched off" in page.text
    page = call(staff, "math.add", "[1, 2]")
    assert "code: 'Server.Unavailable'" in page.inside["value"]


@pytest.mark.parametrize(("door", "shown"), [("amf3", "AMF3"), ("amf0", "AMF0"), ("json", "JSON")])
def test_a_call_through_each_door(staff: Client, door: str, shown: str) -> None:
    page = call(staff, "math.add", "[1, 2]", door)
    expected = '{\n  "result": 3\n}' if door == "json" else "3"
    assert page.inside["value"] == expected
    assert page.inside["succeeded"].startswith("Result")
    assert f"{shown}, " in page.text


def test_the_method_runs_as_the_one_who_calls(staff: Client) -> None:
    assert call(staff, "staff.whoami", "[]").inside["value"] == "'ada'"
    assert "Client.Authorization" in call(staff, "staff.hire", '["x"]').inside["value"]


@pytest.mark.parametrize("door", ["amf3", "amf0", "json"])
def test_faults_are_shown(staff: Client, door: str) -> None:
    page = call(staff, "math.add", '[1, "x"]', door)
    assert page.inside["failed"].startswith("Fault")
    assert "Client.BadArguments" in page.inside["value"]


@pytest.mark.parametrize(
    ("door", "arguments", "problem"),
    [
        ("amf3", "[1,", "This is no JSON"),
        ("amf3", '{"a": 1}', "by position only"),
        ("amf0", "[" * 100_000, "This is no JSON"),
        ("amf3", "[123456789012345678901234567890]", "no form in AMF"),
        ("smoke", "[]", "Choose AMF3"),
        ("amf3", " " * (MAX_ARGUMENTS + 1), f"{MAX_ARGUMENTS} letters at most"),
    ],
    ids=["cut off", "by name", "deep", "huge integer", "no such door", "too long"],
)
def test_what_cannot_be_sent(staff: Client, door: str, arguments: str, problem: str) -> None:
    page = call(staff, "math.add", arguments, door)
    assert problem in page.inside["problem outcome"]
    assert "value" not in page.inside


def test_the_form_keeps_what_was_typed(staff: Client) -> None:
    assert call(staff, "math.add", "[1,").inside["textarea"].strip() == "[1,"


@pytest.mark.parametrize("door", ["amf3", "amf0", "json"])
def test_hostile_text_stays_text(staff: Client, door: str) -> None:
    arguments = json.dumps([{"<object onclick=1>": HOSTILE}])
    page = call(staff, "echo.echo", arguments, door)
    assert "<script>alert(" in page.inside["value"]
    assert [attrs.get("src") for tag, attrs in page.elements if tag == "script"] == [
        "/static/amf_remoting/browser.js"
    ]
    assert "object" not in [tag for tag, _ in page.elements]


@pytest.mark.parametrize("path", PAGES)
def test_nothing_inline_and_nothing_from_elsewhere(staff: Client, path: str) -> None:
    page = Page(staff.get(path))
    names = {name for _, attrs in page.elements for name in attrs}
    assert not {name for name in names if name.startswith("on") or name == "style"}
    assert "style" not in [tag for tag, _ in page.elements]
    sources = page.attributes("script", "src") + page.attributes("link", "href")
    assert all(one and one.startswith(("/static/", "data:,")) for one in sources)


def test_half_a_surrogate_pair_is_no_end_of_the_page(staff: Client) -> None:
    assert "?" in call(staff, "echo.echo", '["\\ud800"]', "json").inside["value"]


@pytest.mark.parametrize("target", ["nobody.home", "math.hidden", "echo.__class__"])
def test_there_are_no_other_methods(staff: Client, target: str) -> None:
    assert staff.get(f"/services/call/{target}/").status_code == 404
    assert staff.post(f"/services/call/{target}/", {"door": "amf3"}).status_code == 404


def test_long_results_are_cut(staff: Client) -> None:
    numbers = "[" + ",".join(["1"] * 2000) + "]"
    page = call(staff, "echo.echo", f"[{numbers}]")
    assert page.inside["value"].endswith("… (more than 500 lines)")


@pytest.fixture
def heavy() -> Iterator[None]:
    """A method of a long result, and one whose headers are more than a client reads."""

    @remote_method
    def text(letters: int) -> str:
        return "x" * letters

    @remote_method
    def headers(call: Call) -> str:
        call.reply.add_header("Many", [0] * 600)
        call.reply.add_header("More", [0] * 600)
        return "fine"

    registry.expose("text", text)
    registry.expose("headers", headers)
    yield
    registry.withdraw("text")
    registry.withdraw("headers")


@pytest.mark.usefixtures("heavy")
@pytest.mark.parametrize("door", ["amf3", "json"])
def test_a_long_line_of_a_result_is_cut(staff: Client, door: str) -> None:
    page = call(staff, "text", "[300000]", door)
    assert len(page.inside["value"]) < MAX_LETTERS + 100
    assert page.inside["value"].rstrip().endswith(" letters)")


@pytest.mark.usefixtures("heavy")
def test_a_response_that_cannot_be_read_is_shown_as_such(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = partial(Conversation, limits=Limits(values=1000))
    monkeypatch.setattr("amf_remoting.browser.calls.Conversation", small)
    page = call(staff, "headers", "[]")
    assert "more values than the limit" in page.inside["value"]
    assert "Fault" in page.text


def test_the_home_page_leads_staff_there(staff: Client) -> None:
    assert "/services/" in Page(staff.get("/")).attributes("a", "href")
    assert "/services/" not in Page(Client().get("/")).attributes("a", "href")
