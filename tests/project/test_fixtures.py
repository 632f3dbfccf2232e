"""What the other tests lean on: skips are named, processes end, ports are free."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import REPOSITORY, free_port, run_process

SKIPPING = """
import pytest

@pytest.mark.skip(reason="ffmpeg is not installed")
def test_plays(): pass

def test_passes(): pass
"""


@pytest.mark.parametrize(("forbidden", "exit_code"), [("", 0), ("0", 0), ("1", 1)])
def test_a_skip_is_named_and_fails_only_where_forbidden(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, forbidden: str, exit_code: int
) -> None:
    pytester.makepyfile(test_client=SKIPPING)
    monkeypatch.setenv("FORBID_SKIPS", forbidden)
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    result = pytester.runpytest_subprocess("-p", "tests.support.skips", "-p", "no:django")
    assert result.ret == exit_code
    result.stdout.fnmatch_lines(["test_client.py::test_plays: ffmpeg is not installed"])
    result.assert_outcomes(passed=1, skipped=1)


def test_free_port_is_free() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port()))


def test_a_process_is_ended_by_sigterm_and_leaves_no_child(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    log = tmp_path / "log"
    with run_process([sys.executable, "-c", script], log=log) as process:
        while not log.read_text().endswith("\n"):
            assert process.poll() is None
    assert process.returncode == -signal.SIGTERM
    listing = subprocess.run(
        ["ps", "-o", "stat=", "-p", log.read_text().strip()], capture_output=True, text=True
    )
    assert listing.stdout.strip()[:1] in {"", "Z"}
