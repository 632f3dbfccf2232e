"""A SWF in Ruffle calls the gateway: AMF0 over HTTP, values compared on the Flash side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.ruffle import Reports, compile_swf, run_swf
from tests.support.demo_server import DemoServer, run_demo_server
from tests.support.process import free_port

ECHOED = {
    "true": ["Boolean", True],
    "false": ["Boolean", False],
    "int": ["Number", 268435456],
    "negative int": ["Number", -17],
    "float": ["Number", 3.25],
    "2^53": ["Number", 9007199254740992],
    "1e300": ["Number", 1e300],
    "text": ["String", "Grüße, 世界 🎈"],
    "empty text": ["String", ""],
    "array": [
        "Array",
        [["Number", 1], ["String", "two"], ["null"], ["Array", [["Boolean", True]]]],
    ],
    "object": [
        "Object",
        {
            "name": ["String", "Ada"],
            "nested": ["Object", {"deep": ["Number", 1.5]}],
            "list": ["Array", [["Number", 1], ["Number", 2]]],
        },
    ],
    "date": ["Date", 1234567890123],
    "nothing": ["null"],
}

pytestmark = pytest.mark.client("ruffle")


@pytest.fixture(scope="module")
def swf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_swf(tmp_path_factory.mktemp("swf"))


@pytest.fixture(scope="module")
def reports(swf: Path, demo_server: DemoServer) -> Reports:
    """One run of the SWF, on a page of the demo site's own origin."""
    return run_swf(swf, demo_server.url("/gateway/"))


@pytest.fixture(scope="module")
def page_port() -> int:
    """Where the page of another site is served."""
    return free_port()


@pytest.fixture(scope="module")
def open_server(
    page_port: int, tmp_path_factory: pytest.TempPathFactory, migrated_database: Path
) -> Iterator[DemoServer]:
    """A demo site that lets the pages on ``page_port``, and no others, call its gateway."""
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.interop.foreign_settings",
        "PAGE_ORIGIN": f"http://127.0.0.1:{page_port}",
    }
    folder = tmp_path_factory.mktemp("foreign")
    with run_demo_server(folder, database=migrated_database, environment=environment) as server:
        yield server


@pytest.mark.parametrize("name", ECHOED)
def test_echo(reports: Reports, name: str) -> None:
    assert reports[name] == {"name": name, "outcome": "result", "value": ECHOED[name]}


def test_arguments(reports: Reports) -> None:
    assert reports["add"]["value"] == ["Number", 42.5]
    assert reports["arguments"]["value"] == [
        "Array",
        [["String", "one"], ["Number", 2], ["Boolean", True]],
    ]


def test_person_arrives_as_an_instance_of_the_registered_class(reports: Reports) -> None:
    person = reports["person"]
    assert person["outcome"] == "result", person
    class_name, fields = person["value"]
    assert class_name == "Person"
    assert fields == {
        "name": ["String", "Ada"],
        "age": ["Number", 36],
        "born": ["Date", -4861728000000],
        "tags": ["Array", [["String", "mathematics"], ["String", "poetry"]]],
    }


def test_person_as_an_argument_keeps_its_fields(reports: Reports) -> None:
    _, fields = reports["person there and back"]["value"]  # Ruffle 0.6 sends no aliases
    assert fields == {
        "name": ["String", "Grace"],
        "age": ["Number", 85],
        "born": ["Date", -1996876800000],
        "tags": ["Array", [["String", "navy"], ["String", "compilers"]]],
    }


def test_fail_fires_the_status_handler(reports: Reports) -> None:
    report = reports["fail"]
    assert report["outcome"] == "status"
    _, information = report["value"]
    assert information["level"] == ["String", "error"]
    assert information["code"] == ["String", "Demo.Failed"]
    assert information["description"] == ["String", "no luck"]


def test_unknown_method_fires_the_status_handler(reports: Reports) -> None:
    report = reports["unknown"]
    assert report["outcome"] == "status"
    assert report["value"][1]["level"] == ["String", "error"]


def test_a_page_of_an_allowed_site_asks_first_and_may_call(
    swf: Path, open_server: DemoServer, page_port: int
) -> None:
    reports = run_swf(swf, open_server.url("/gateway/"), page_port=page_port)
    assert {name: reports[name]["value"] for name in ECHOED} == ECHOED
    assert '"OPTIONS /gateway/" 204' in open_server.log()


def test_a_page_of_another_site_is_refused_before_it_calls(
    swf: Path, open_server: DemoServer, unused_port: int
) -> None:
    calls = open_server.log().count('"POST /gateway/"')
    reports = run_swf(swf, open_server.url("/gateway/"), page_port=unused_port)
    assert list(reports) == ["connection"]
    _, information = reports["connection"]["value"]
    assert information["code"] == ["String", "NetConnection.Call.Failed"]
    assert '"OPTIONS /gateway/" 403' in open_server.log()
    assert open_server.log().count('"POST /gateway/"') == calls
