"""A SWF in Ruffle: batches, typed arrays, headers and Credentials.

What Ruffle 0.6 does not send: class aliases, and vectors and ByteArrays of AMF0 (it writes the
marker "unsupported", which is read as undefined).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.ruffle import Reports, compile_swf, run_swf
from tests.support.demo_server import DemoServer, run_demo_server

pytestmark = pytest.mark.client("ruffle")

STEPS = 6
"""Each of them is one packet."""
USER = "User.objects.create_user('ada', password='lovelace')"


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, migrated_database: Path
) -> Iterator[DemoServer]:
    folder = tmp_path_factory.mktemp("steps")
    database = folder / "db.sqlite3"
    database.write_bytes(migrated_database.read_bytes())
    environment = {"DJANGO_SETTINGS_MODULE": "tests.interop.probe_settings"}
    with run_demo_server(folder, database=database, environment=environment) as server:
        server.manage("shell", "-c", f"from django.contrib.auth.models import User; {USER}")
        yield server


@pytest.fixture(scope="module")
def reports(server: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Reports:
    swf = compile_swf(tmp_path_factory.mktemp("swf"), main="Steps")
    return run_swf(swf, server.url("/gateway/"))


def texts(*values: str) -> list[Any]:
    return ["Array", [["String", value] for value in values]]


def test_calls_of_one_frame_are_one_packet_and_fail_alone(
    reports: Reports, server: DemoServer
) -> None:
    for number in range(5):
        assert reports[f"batch {number}"]["value"] == ["Number", number]
    assert reports["batch fails"]["outcome"] == "status"
    assert reports["batch fails"]["value"][1]["description"] == ["String", "alone"]
    assert reports["batch goes on"]["value"] == ["Number", 42]
    assert server.log().count('"POST /gateway/" 200') == STEPS


def test_an_array_of_typed_objects_arrives_member_by_member(reports: Reports) -> None:
    ada, grace = (f"Object age: 36 born: null name: '{name}' tags: Array of 0"
                  for name in ("Ada", "Grace"))  # fmt: skip
    assert reports["people"]["value"] == texts(f"Array of 2 0: {ada} 1: {grace}")


@pytest.mark.parametrize("name", ["ints", "doubles", "texts", "vector of people"])
def test_vectors_arrive_as_undefined(reports: Reports, name: str) -> None:
    assert reports[name]["outcome"] == "result"
    assert reports[name]["value"] == texts("undefined")


def test_a_byte_array_spoils_nothing_behind_it(reports: Reports) -> None:
    assert reports["bytes"]["value"] == texts("undefined", "'behind'")


def test_an_array_of_typed_objects_is_received(reports: Reports) -> None:
    kind, people = reports["list"]["value"]
    assert kind == "Array"
    assert [name for name, _ in people] == ["Person", "Person"]
    assert [fields["name"][1] for _, fields in people] == ["Person 0", "Person 1"]
    assert [fields["age"] for _, fields in people] == [["Number", 18], ["Number", 19]]


def test_a_vector_is_received(reports: Reports) -> None:
    assert reports["ints back"]["value"] == [
        "__AS3__.vec::Vector.<int>",
        [["Number", 1], ["Number", -2]],
    ]


def test_headers_are_read_by_the_service_and_last(reports: Reports) -> None:
    ticket = [
        "Object",
        {"ticket": ["Number", 7], "list": ["Array", [["Number", 1], ["Number", 2]]]},
    ]
    assert reports["header"]["value"] == ["Object", {"X-Test": ticket, "names": texts("X-Test")}]
    names = texts("Credentials", "X-Test")
    assert reports["both headers"]["value"] == ["Object", {"X-Test": ticket, "names": names}]


def test_credentials_log_in(reports: Reports) -> None:
    assert reports["whoami"] == {"name": "whoami", "outcome": "result", "value": ["String", "ada"]}


def test_credentials_of_another_user_are_refused_whatever_the_session(reports: Reports) -> None:
    assert reports["stranger"]["outcome"] == "status"
    assert reports["stranger"]["value"][1]["code"] == ["String", "Client.Authentication"]


def test_a_header_that_must_be_understood_is_refused(reports: Reports) -> None:
    information = reports["not understood"]["value"][1]
    assert information["code"] == ["String", "Client.HeaderNotUnderstood"]
    assert information["header"] == ["String", "X-Unknown"]
