"""The examples among the codec's tests reach every line and branch of it, without any chance."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import REPOSITORY

MEASURED = ("amf_remoting.amf", "amf_remoting.flex", "amf_remoting.packet")
SLOW_AND_NOT_NEEDED = ["fuzz", "py3amf", "round_trips", "mutated", "captures", "deep_graph"]
SLOW_AND_NOT_NEEDED += ["unsigned", "objects_share", "explode", "any_value", "same_bytes"]
SLOW_AND_NOT_NEEDED += ["equal_digests", "end_may_come", "queries"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_branch_of_the_codec_is_reached(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/codec"]
    words += ["-k", " and ".join(f"not {word}" for word in SLOW_AND_NOT_NEEDED)]
    words += [f"--cov={name}" for name in MEASURED]
    words += ["--cov-branch", "--cov-fail-under=100", "--cov-report=term-missing:skip-covered"]
    done = subprocess.run(
        words,
        cwd=REPOSITORY,
        env={**os.environ, "COVERAGE_FILE": str(tmp_path / "coverage"), "COVERAGE_CORE": "ctrace"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
