"""The service browser and the packet inspector in Chromium, used by keyboard."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.interop.clients import NODE
from tests.support.demo_server import DemoServer

CAPTURES = Path(__file__).parents[1] / "captures"
PACKET = CAPTURES / "amf" / "royale_typed_object.bin"
CONVERSATION = CAPTURES / "rtmp" / "rtmp_client_shared_object_b.bin"
PASSWORD = "a-password-of-this-test"
SCREENSHOTS = os.environ.get("SCREENSHOTS", "")
"""A folder for pictures to be looked at."""
RUN_SECONDS = 220
CREATE = (
    "from django.contrib.auth import get_user_model as get;"
    f"get().objects.create_user('ada', password={PASSWORD!r}, is_staff=True, is_superuser=True)"
)

pytestmark = [pytest.mark.client("service-browser"), pytest.mark.timeout(300)]


def test_calls_and_packets_by_keyboard(start_demo_server: Callable[[], DemoServer]) -> None:
    # The demo's own settings, as it is run, and not those of the tests.
    environment = {"DJANGO_SETTINGS_MODULE": "project.settings", "CALL_LOG": "1"}
    server = start_demo_server(environment=environment)
    server.manage("shell", "--no-imports", "-c", CREATE)
    found = use(server.url("").rstrip("/"))
    assert found["errors"] == []
    for door in ("AMF3", "AMF0"):
        shown = found["call"][door]
        assert shown["value"] in ("3", "3.0")
        assert shown["title"].startswith(f"Result {door}, ")
        assert shown["tables"] == 2
    assert json.loads(found["call"]["JSON"]["value"]) == {"result": 3}
    assert "JSON, HTTP status 200" in found["call"]["JSON"]["title"]
    assert found["inspect"]["heading"] == "336 bytes"
    assert found["inspect"]["rows"] == 26
    assert {"message 1", "body", "age", "clientId"} <= set(found["inspect"]["names"])
    assert found["converse"]["heading"] == "3673 bytes"
    assert len(found["converse"]["titles"]) == 10
    assert "message 8 Shared Object AMF0 foo, RequestChange;" in found["converse"]["titles"][8]
    assert not found["converse"]["wasOpen"]
    assert "0e24\t00 01 6e 00 40 45 00 00 00 00 00 00\tn Number 42.0" in found["converse"]["rows"]
    record = found["record"]
    assert (record["before"], record["after"]) == ("Not recording.", "Not recording.")
    assert record["list"].startswith("echo.echo\n")
    assert record["request"] == 26
    assert any("onResult" in name or "onStatus" in name for name in record["names"])
    administer = found["administer"]
    assert administer["before"] == administer["on"] == 3
    assert administer["off"] == "Server.Unavailable"
    assert administer["throttled"] == [3, "Client.Throttled"]
    assert administer["needs"] == "amf_remoting.add_callrecord"
    assert set(administer["hidden"].values()) == {0}, "the services' list scrolls sideways"
    assert set(found["callLog"]["hidden"].values()) == {0}, "the call log scrolls sideways"
    rows = found["callLog"]["rows"]
    assert any("math.add\tServer.Unavailable\t" in row and "ada\tjson" in row for row in rows)
    assert found["method"]["signature"] == "people.get(name: str) -> Person"
    assert '"name": "\\u202eadA"' in found["method"]["answer"]
    assert found["restrict"] == "people.get"
    assert max(found["widths"].values()) <= 0, "a page must not be wider than the screen"


def use(site: str) -> dict[str, Any]:
    """What node/service_browser.mjs read there."""
    script = str(NODE / "service_browser.mjs")
    command = ["node", script, site, "ada", PASSWORD, str(PACKET), str(CONVERSATION)]
    command += [SCREENSHOTS] if SCREENSHOTS else []
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
