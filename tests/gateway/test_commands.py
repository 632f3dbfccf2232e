"""amf_services, amf_call and amf_dump."""

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError

from amf_remoting import amf, dump
from amf_remoting.dump import hex_lines, value_lines
from amf_remoting.models import ServicePolicy

CAPTURES = Path(__file__).resolve().parents[1] / "captures" / "amf"


def run(*arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=out, no_color=True, **options)
    return out.getvalue()


@pytest.mark.django_db
def test_services_are_listed(exposed: Any) -> None:
    ServicePolicy.objects.create(service="echo", method="args", enabled=False, throttle="5/s")
    lines = run("amf_services").splitlines()
    assert "math" in lines
    assert "  math.add(a: int, b: int) -> int" in lines
    assert "  echo.args(*args: object) -> list[object]  [switched off; 5/s]" in lines
    assert "  staff.whoami() -> str  [needs a login]" in lines
    assert "  staff.hire(name: str) -> str  [needs auth.add_user]" in lines
    assert any(line.endswith("declared, not exposed") for line in lines)


def test_services_are_listed_without_tables(exposed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    error = OperationalError("no such table")
    monkeypatch.setattr(ServicePolicy.objects, "all", Mock(side_effect=error))
    lines = run("amf_services").splitlines()
    assert lines[0] == "The state of services cannot be read (migrate?): no such table"
    assert "  staff.whoami() -> str" in lines


@pytest.mark.django_db
def test_services_that_fail_are_named(exposed: Any) -> None:
    exposed.AMF_REMOTING = {"SERVICES": {"bad": "nowhere.x"}}
    assert "bad: 'nowhere.x' cannot be imported" in run("amf_services", skip_checks=True)


def test_services_as_json(exposed: Any) -> None:
    services = {one["address"]: one for one in json.loads(run("amf_services", "--json"))}
    assert [one["name"] for one in services["math"]["functions"]] == ["add"]


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (["math.add", "1", "2"], "3\n"),
        (["echo.echo", "text"], "'text'\n"),
        (
            ["echo.echo", '{"a": [null, true]}'],
            "Object\n  a: Array of 2\n    0: null\n    1: true\n",
        ),
        (["echo.args"], "Array of 0\n"),
    ],
)
def test_a_call_in_process(exposed: Any, arguments: list[str], output: str) -> None:
    assert run("amf_call", *arguments) == output


def test_a_fault_is_a_failure(exposed: Any) -> None:
    with pytest.raises(CommandError) as caught:
        run("amf_call", "math.add", "1")
    assert str(caught.value).splitlines() == [
        "math.add answered a fault",
        "Object",
        "  argument: 'b'",
        "  level: 'error'",
        "  code: 'Client.BadArguments'",
        "  description: \"argument 'b' is missing\"",
    ]


@pytest.mark.django_db
def test_a_call_as_a_user(exposed: Any) -> None:
    User.objects.create(username="joe")
    assert run("amf_call", "staff.whoami", "--user", "joe") == "'joe'\n"
    with pytest.raises(CommandError, match="no user is named 'eve'"):
        run("amf_call", "staff.whoami", "--user", "eve")


@pytest.mark.django_db(transaction=True)
def test_a_call_to_a_gateway(
    exposed: Any, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    exposed.ROOT_URLCONF = "tests.gateway.urls"
    url = f"{live_server.url}/gateway/"
    assert run("amf_call", "math.add", "1", "2", "--url", url, "--amf3") == "3\n"
    User.objects.create_user("joe", password="secret")
    monkeypatch.setenv("AMF_PASSWORD", "secret")
    assert run("amf_call", "staff.whoami", "--url", url, "--user", "joe") == "'joe'\n"
    with pytest.raises(CommandError, match="HTTP status 404"):
        run("amf_call", "math.add", "--url", f"{live_server.url}/nowhere/")


def test_a_packet_is_dumped() -> None:
    lines = run("amf_dump", str(CAPTURES / "ruffle_avm1.bin")).splitlines()
    assert lines[:8] == [
        "packet version 0, 1 headers, 7 messages",
        "header 'X-Test'",
        "  'h'",
        "message 1: 'echo.echo', answer to '/1', AMF0",
        "  Array of 1",
        "    0: 'org.test.Person' (not registered)",
        "      name: 'Bob'",
        "      age: 42",
    ]


def test_a_packet_of_flex_is_dumped_with_its_bytes() -> None:
    lines = run("amf_dump", str(CAPTURES / "royale_ping.bin"), "--hex").splitlines()
    assert lines[0] == (
        "00000000  00 03 00 00 00 01 00 04 6e 75 6c 6c 00 02 2f 31  ........null../1"
    )
    assert "    0: flex.messaging.messages.CommandMessage" in lines
    assert "      operation: 5" in lines


def test_values_and_hexadecimal_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "values.hex"
    file.write_text("0401 0603\n61")
    assert run("amf_dump", str(file), "--values", "3", "--from-hex") == "1\n'a'\n"
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"\x05")))
    assert run("amf_dump", "-", "--values", "0") == "null\n"


@pytest.mark.parametrize(
    ("content", "options", "reason"),
    [
        (b"\xff\xff", [], "this is no AMF"),
        (b"zz", ["--from-hex"], "this is no hexadecimal text"),
        (None, [], "No such file"),
    ],
)
def test_what_cannot_be_dumped(
    tmp_path: Path, content: bytes | None, options: list[str], reason: str
) -> None:
    file = tmp_path / "data"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandError, match=reason):
        run("amf_dump", str(file), *options)


def test_every_kind_of_value_has_a_line() -> None:
    loop: list[Any] = []
    loop.append(loop)
    value = [
        amf.Undefined, b"\x01\x02", amf.MixedArray([1], {"a": 2}), amf.Dictionary([("k", 1)]),
        amf.XML("<a/>"), amf.Date(float("nan")), amf.ArrayCollection([]), "x" * 300, {"": 1}, loop,
    ]  # fmt: skip
    assert list(value_lines(value, label="v")) == [
        "v: Array of 10",
        "  0: undefined",
        "  1: ByteArray of 2: 01 02",
        "  2: Array of 1 with names",
        "    0: 1",
        "    a: 2",
        "  3: Dictionary of 1",
        "    'k': 1",
        "  4: XML '<a/>'",
        "  5: Date nan",
        "  6: flex.messaging.io.ArrayCollection",
        "    source: Array of 0",
        f"  7: '{'x' * 200}'… (300 letters)",
        "  8: Object",
        "    '': 1",
        "  9: Array of 1",
        "    0: Array of 1 (again, 1 levels up)",
    ]


def test_a_tree_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dump, "MAX_LINES", 50)
    value: list[Any] = []
    for _ in range(100):
        value = [value, value]
    lines = list(value_lines(value))
    assert len(lines) == 51
    assert lines[-1] == "… (more than 50 lines)"


def test_hexadecimal_lines() -> None:
    assert list(hex_lines(bytes(range(60, 77)))) == [
        "00000000  3c 3d 3e 3f 40 41 42 43 44 45 46 47 48 49 4a 4b  <=>?@ABCDEFGHIJK",
        "00000010  4c                                               L",
    ]
