"""What pip builds: a compiled codec and protocol where there is a C compiler, else a pure one."""

import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from .environments import build_wheel, copy_sources, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NO_COMPILER = {"CC": "no-such-compiler"}


def machine_code(wheel: Path) -> list[str]:
    return [name for name in ZipFile(wheel).namelist() if name.endswith((".so", ".pyd"))]


def metadata(wheel: Path) -> str:
    archive = ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    return archive.read(name).decode()


def test_with_a_compiler(compiled_wheel: Path) -> None:
    assert not compiled_wheel.name.endswith("-none-any.whl")
    for module in ("amf0_decoder", "chunk_reader"):
        assert any(module in name for name in machine_code(compiled_wheel))
    assert "Requires-Dist: librt" in metadata(compiled_wheel)


def test_without_a_compiler(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, build="auto", environment=NO_COMPILER)
    assert wheel.name.endswith("-py3-none-any.whl")
    assert machine_code(wheel) == []
    required = [line for line in metadata(wheel).splitlines() if "extra ==" not in line]
    assert "Requires-Dist: librt" not in "\n".join(required)


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [({}, True), (NO_COMPILER, False), ({"AMF_REMOTING_BUILD": "pure"}, False)],
)
def test_what_the_build_asks_pip_for(
    tmp_path: Path, environment: dict[str, str], wanted: bool
) -> None:
    """In the isolated environment of a build there is nothing but what the hook names."""
    script = "import build_backend; print(build_backend.get_requires_for_build_wheel())"
    sources = copy_sources(tmp_path)
    output = run(sys.executable, "-c", script, cwd=sources, environment=environment)
    required = output.splitlines()[-1]
    assert ("mypy" in required, "librt" in required) == (wanted, wanted)
