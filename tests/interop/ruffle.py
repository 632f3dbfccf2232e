"""Compiling the SWF of tests/interop/swf, and running it in Ruffle in headless Chromium."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.interop.clients import NODE, SWF
from tests.support.process import find_program

COMPILE_SECONDS = 30
RUN_SECONDS = 60

Reports = dict[str, dict[str, Any]]
"""What the SWF reported, by the name of the call: its outcome and its value with class names."""


def compile_swf(folder: Path, *, main: str = "Main", source: Path = SWF) -> Path:
    """The SWF of the class ``main`` in ``source``, by default that of tests/interop/swf."""
    swf = folder / "main.swf"
    haxe = find_program("haxe")
    assert haxe
    command = [haxe, "-main", main, "-swf", str(swf), "-swf-version", "32", "-D", "native-trace"]
    done = subprocess.run(
        command, cwd=source, capture_output=True, text=True, timeout=COMPILE_SECONDS
    )
    assert done.returncode == 0, done.stderr
    return swf


def run_swf(
    swf: Path,
    gateway: str,
    *,
    page_port: int | None = None,
    config: str = "{}",
) -> Reports:
    """Runs it on a page of the gateway's origin, or of a site of its own on ``page_port``.

    ``config``, a JavaScript object, is added to Ruffle's configuration.
    """
    command = ["node", str(NODE / "run_swf.mjs"), str(swf), gateway, f"--config={config}"]
    if page_port is not None:
        command.append(f"--port={page_port}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return {report["name"]: report for report in map(json.loads, done.stdout.splitlines())}
