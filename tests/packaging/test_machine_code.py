"""The tests of what is compiled, run against the machine code of a wheel."""

import shutil
from pathlib import Path

import pytest

from tests.support.process import REPOSITORY

from .environments import Environment, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

COPIED = (
    *("project", "tests/codec", "tests/gateway", "tests/protocol", "tests/captures"),
    "tests/support",
    *("pyproject.toml", "tests/__init__.py", "tests/conftest.py", "tests/settings.py"),
)
UNCOMPILED = ("explanation", "redaction", "tshark", "wire_facts")
"""Tests of the protocol that are about other code, or about tests that are not here."""

DISPATCHED = [f"tests/gateway/test_{name}.py" for name in ("call", "dispatch", "headers")]
"""Tests of calls and replies; the rest of the gateway is not compiled."""

IS_COMPILED = """
from amf_remoting import amf
from rtmp_channels import protocol


def test_is_compiled():
    assert (amf.COMPILED, protocol.COMPILED) == (True, True)
"""


def test_the_tests_of_what_is_compiled_pass_against_machine_code(
    tmp_path: Path, environment: Environment, compiled_wheel: Path
) -> None:
    """In a folder that holds the tests and the site, but neither of the two apps."""
    environment.link_all()
    environment.install(compiled_wheel)
    ignore = shutil.ignore_patterns("__pycache__", "node_modules")
    site = tmp_path / "site"
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, site / name, ignore=ignore)
        else:
            shutil.copy(source, site / name)
    (site / "tests/protocol/test_is_compiled.py").write_text(IS_COMPILED)
    for name in UNCOMPILED:
        (site / f"tests/protocol/test_{name}.py").unlink()
    tests = ["tests/codec", "tests/protocol", *DISPATCHED]
    output = run(environment.python, "-m", "pytest", "-q", *tests, cwd=site)
    assert " passed" in output.splitlines()[-1]
    assert "failed" not in output
