"""A SWF in Ruffle calls the gateway: AMF0 over HTTP, values compared on the Flash side."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.interop.clients import NODE, SWF
from tests.support.demo_server import DemoServer
from tests.support.process import find_program

COMPILE_SECONDS = 30
RUN_SECONDS = 60

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


def compile_swf(folder: Path) -> Path:
    """The SWF of tests/interop/swf."""
    swf = folder / "main.swf"
    haxe = find_program("haxe")
    assert haxe
    command = [haxe, "-main", "Main", "-swf", str(swf), "-swf-version", "32", "-D", "native-trace"]
    done = subprocess.run(command, cwd=SWF, capture_output=True, text=True, timeout=COMPILE_SECONDS)
    assert done.returncode == 0, done.stderr
    return swf


def run_swf(swf: Path, gateway: str) -> dict[str, dict[str, Any]]:
    """What the SWF reported, by the name of the call."""
    command = ["node", str(NODE / "run_swf.mjs"), str(swf), gateway]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return {report["name"]: report for report in map(json.loads, done.stdout.splitlines())}


@pytest.fixture(scope="module")
def reports(
    demo_server: DemoServer, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """One run of the SWF for all tests of this file."""
    swf = compile_swf(tmp_path_factory.mktemp("swf"))
    return run_swf(swf, demo_server.url("/gateway/"))


@pytest.mark.parametrize("name", ECHOED)
def test_echo(reports: dict[str, dict[str, Any]], name: str) -> None:
    assert reports[name] == {"name": name, "outcome": "result", "value": ECHOED[name]}


def test_arguments(reports: dict[str, dict[str, Any]]) -> None:
    assert reports["add"]["value"] == ["Number", 42.5]
    assert reports["arguments"]["value"] == [
        "Array",
        [["String", "one"], ["Number", 2], ["Boolean", True]],
    ]


def test_person_arrives_as_an_instance_of_the_registered_class(
    reports: dict[str, dict[str, Any]],
) -> None:
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


def test_person_as_an_argument_keeps_its_fields(reports: dict[str, dict[str, Any]]) -> None:
    _, fields = reports["person there and back"]["value"]  # Ruffle 0.6 sends no aliases
    assert fields == {
        "name": ["String", "Grace"],
        "age": ["Number", 85],
        "born": ["Date", -1996876800000],
        "tags": ["Array", [["String", "navy"], ["String", "compilers"]]],
    }


def test_fail_fires_the_status_handler(reports: dict[str, dict[str, Any]]) -> None:
    report = reports["fail"]
    assert report["outcome"] == "status"
    _, information = report["value"]
    assert information["level"] == ["String", "error"]
    assert information["code"] == ["String", "Demo.Failed"]
    assert information["description"] == ["String", "no luck"]


def test_unknown_method_fires_the_status_handler(reports: dict[str, dict[str, Any]]) -> None:
    report = reports["unknown"]
    assert report["outcome"] == "status"
    assert report["value"][1]["level"] == ["String", "error"]
