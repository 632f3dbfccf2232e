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

CAPTURE = Path(__file__).parents[1] / "captures" / "amf" / "royale_typed_object.bin"
PASSWORD = "a-password-of-this-test"
SCREENSHOTS = os.environ.get("SCREENSHOTS", "")
"""A folder for pictures to be looked at."""
RUN_SECONDS = 60
CREATE = (
    "from django.contrib.auth import get_user_model as get;"
    f"get().objects.create_user('ada', password={PASSWORD!r}, is_staff=True)"
)

pytestmark = pytest.mark.client("service-browser")


def test_calls_and_packets_by_keyboard(start_demo_server: Callable[[], DemoServer]) -> None:
    server = start_demo_server()
    server.manage("shell", "--no-imports", "-c", CREATE)
    found = use(server.url("").rstrip("/"))
    assert found["errors"] == []
    for door in ("amf3", "amf0"):
        assert found[door]["value"] in ("3", "3.0")
        assert found[door]["title"].startswith(f"Result {door.upper()}, ")
        assert found[door]["tables"] == 2
    assert json.loads(found["json"]["value"]) == {"result": 3}
    assert "JSON, HTTP status 200" in found["json"]["title"]
    assert {found[door]["focused"] for door in ("amf3", "amf0", "json")} == {"BUTTON"}
    assert found["inspected"]["heading"] == "336 bytes"
    assert found["inspected"]["rows"] == 26
    assert {"message 1", "body", "age", "clientId"} <= set(found["inspected"]["names"])
    assert max(found["widths"]) <= 0, "a page must not be wider than the screen"


def use(site: str) -> dict[str, Any]:
    """What node/service_browser.mjs read there."""
    script = str(NODE / "service_browser.mjs")
    command = ["node", script, site, "ada", PASSWORD, str(CAPTURE)]
    command += [SCREENSHOTS] if SCREENSHOTS else []
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
