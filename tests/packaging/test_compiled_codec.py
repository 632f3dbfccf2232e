"""The codec's own tests, run against the compiled codec of a wheel."""

import shutil
from pathlib import Path

import pytest

from tests.support.process import REPOSITORY

from .environments import Environment, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_the_codecs_tests_pass_against_machine_code(
    tmp_path: Path, environment: Environment, compiled_wheel: Path
) -> None:
    """In a folder that holds the tests and the site, but neither of the two apps."""
    environment.link_all()
    environment.install(compiled_wheel)
    ignore = shutil.ignore_patterns("__pycache__", "node_modules")
    site = tmp_path / "site"
    for name in ("project", "tests/codec", "tests/captures/amf", "tests/support"):
        shutil.copytree(REPOSITORY / name, site / name, ignore=ignore)
    for name in ("pyproject.toml", "tests/__init__.py", "tests/conftest.py", "tests/settings.py"):
        shutil.copy(REPOSITORY / name, site / name)
    (site / "tests/codec/test_is_compiled.py").write_text(
        "from amf_remoting import amf\n\n\ndef test_is_compiled():\n    assert amf.COMPILED\n"
    )
    output = run(environment.python, "-m", "pytest", "-q", "tests/codec", cwd=site)
    assert " passed" in output.splitlines()[-1]
    assert "failed" not in output
