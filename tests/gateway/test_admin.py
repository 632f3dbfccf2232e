"""The services in the admin."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client

from amf_remoting.dispatch import Call, dispatch
from amf_remoting.exceptions import Fault
from amf_remoting.models import ServicePolicy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("with_policy")]

LIST = "/admin/amf_remoting/servicepolicy/"


@pytest.fixture(autouse=True)
def _urls(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.gateway.urls"


def row(response: Any, target: str) -> str:
    """The text of a row of the list."""
    found = re.search(f'<tr [^>]*data-target="{re.escape(target)}">(.*?)</tr>', response.text, re.S)
    assert found
    return " ".join(re.sub(r"<[^>]*>", " ", found[1].replace("<wbr>", "")).split())


def staff(*codenames: str) -> Client:
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def is_on(target: str, *arguments: Any) -> bool:
    try:
        dispatch(Call(target, list(arguments)))
    except Fault as fault:
        return fault.code != "Server.Unavailable"
    return True


def test_all_exposed_services_are_listed(admin_client: Client) -> None:
    response = admin_client.get(LIST)
    assert row(response, "math.add") == "math.add on nothing none Switch off Restrict"
    assert "on auth.add_user" in row(response, "staff.hire")
    assert "on a login" in row(response, "staff.whoami")
    assert "A plain object" not in response.text


def test_policies_of_what_is_not_exposed_are_listed_too(admin_client: Client) -> None:
    ServicePolicy.objects.create(service="gone", method="away", enabled=False)
    assert "not exposed" in row(admin_client.get(LIST), "gone.away")


def test_services_that_cannot_be_exposed_are_named(admin_client: Client, settings: Any) -> None:
    settings.AMF_REMOTING = {"SERVICES": {"bad": "nowhere.at.all"}}
    text = admin_client.get(LIST).text
    assert "bad: &#x27;nowhere.at.all&#x27; cannot be imported" in text
    assert "No service is exposed" in text


def test_a_switch_is_obeyed_at_once_and_logged(admin_client: Client) -> None:
    assert is_on("echo.echo", 1)
    off = {"service": "echo", "method": ""}
    response = admin_client.post(f"{LIST}switch/", off, follow=True)
    assert "Switched off: echo" in response.text
    assert "off Switch" not in row(response, "echo")
    assert "Switch on" in row(response, "echo")
    assert "off with its service" in row(response, "echo.echo")
    assert not is_on("echo.echo", 1)
    assert is_on("math.add", 1, 2)
    admin_client.post(f"{LIST}switch/", {**off, "enabled": "1"})
    assert is_on("echo.echo", 1)
    assert [entry.get_change_message() for entry in LogEntry.objects.all()] == [
        "Switched on: echo",
        "Switched off: echo",
    ]


def test_a_method_is_switched_alone(admin_client: Client) -> None:
    admin_client.post(f"{LIST}switch/", {"service": "echo", "method": "args"})
    assert not is_on("echo.args")
    assert is_on("echo.echo", 1)


def test_a_method_is_restricted_to_a_permission(admin_client: Client) -> None:
    page = admin_client.get(f"{LIST}add/?target=echo.args").text
    assert '<option value="echo.args" selected>' in page
    assert '<option value="auth.add_user">' in page
    posted = {"target": "echo.args", "enabled": "on", "permission": "auth.add_user"}
    response = admin_client.post(f"{LIST}add/", posted)
    assert response.status_code == 302
    with pytest.raises(Fault) as caught:
        dispatch(Call("echo.args"))
    assert caught.value.code == "Client.Authentication"
    policy = ServicePolicy.objects.get()
    assert (policy.service, policy.method, policy.permission) == ("echo", "args", "auth.add_user")
    page = admin_client.get(f"{LIST}{policy.pk}/change/").text
    assert '<div class="readonly">args</div>' in page
    response = admin_client.post(f"{LIST}{policy.pk}/change/", {"enabled": "on"})
    assert response.status_code == 302
    assert is_on("echo.args")


@pytest.mark.parametrize(
    ("posted", "error"),
    [
        ({"target": "echo"}, "There is a policy for it already."),
        ({"target": "nowhere"}, "Select a valid choice."),
        ({"target": "math", "permission": "no.such"}, "Select a valid choice."),
    ],
)
def test_form_errors(admin_client: Client, posted: dict[str, str], error: str) -> None:
    ServicePolicy.objects.create(service="echo")
    response = admin_client.post(f"{LIST}add/", posted)
    assert response.status_code == 200
    assert error in response.text


def test_a_permission_that_is_gone_stays_demanded(admin_client: Client) -> None:
    policy = ServicePolicy.objects.create(service="echo", permission="old.gone")
    assert (
        '<option value="old.gone" selected>' in admin_client.get(f"{LIST}{policy.pk}/change/").text
    )


def test_a_throttle_is_set(admin_client: Client) -> None:
    posted = {"target": "echo", "enabled": "on", "throttle": "often"}
    assert "is no rate" in admin_client.post(f"{LIST}add/", posted).text
    admin_client.post(f"{LIST}add/", {**posted, "throttle": "100/min"})
    assert "100/min" in row(admin_client.get(LIST), "echo.args")


def test_viewers_see_and_do_not_switch() -> None:
    client = staff("view_servicepolicy")
    ServicePolicy.objects.create(service="echo")
    response = client.get(LIST)
    assert row(response, "echo").endswith("on nothing none View")
    assert "switch/" not in response.text
    assert client.post(f"{LIST}switch/", {"service": "echo"}).status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403
    assert is_on("echo.echo", 1)


def test_a_switch_may_have_to_make_a_row_and_needs_that_permission() -> None:
    client = staff("view_servicepolicy", "change_servicepolicy")
    assert "switch/" not in client.get(LIST).text
    assert client.post(f"{LIST}switch/", {"service": "echo"}).status_code == 403


def test_others_see_nothing() -> None:
    assert staff().get(LIST).status_code == 403
    assert Client().get(LIST).status_code == 302


def test_switches_are_posted(admin_client: Client) -> None:
    assert admin_client.get(f"{LIST}switch/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(is_superuser=True))
    assert strict.post(f"{LIST}switch/", {"service": "echo"}).status_code == 403


def test_many_services_are_searched(admin_client: Client, monkeypatch: Any) -> None:
    assert 'id="searchbar"' not in admin_client.get(LIST).text, "a few are seen at once"
    monkeypatch.setattr("amf_remoting.overview.FEW", 1)
    assert 'id="searchbar"' in admin_client.get(LIST).text
    found = admin_client.get(f"{LIST}?q=ADD")
    assert re.findall(r'data-target="(.*?)"', found.text) == ["math.add"]
    none = admin_client.get(f"{LIST}?q=<b>").text
    assert ("No service or method has that in its name." in none, "<b>" in none) == (True, False)
    switch = {"service": "math", "method": "add", "q": "a&d"}
    assert admin_client.post(f"{LIST}switch/", switch).headers["Location"] == (
        f"{LIST}?q=a%26d#service-math.add"
    )
