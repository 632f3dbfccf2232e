"""Wheels, and virtual environments that hold nothing of the repository but a wheel.

A network install of Django and daphne would take most of the time of these tests and prove nothing
about our wheel: the environments see the packages installed already, wholly (`link_all`) or by
name (`link`). The test environment itself does not have our apps installed, so that what a test
imports comes from the wheel.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from tests.support.process import REPOSITORY

SOURCES = [
    "amf_remoting",
    "rtmp_channels",
    "pyproject.toml",
    "setup.py",
    "build_backend.py",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
]
INSTALLED = Path(sysconfig.get_path("purelib"))


def run(*command: str | Path, cwd: Path, environment: dict[str, str] | None = None) -> str:
    """Output of a command that must succeed; PYTHONPATH never leads back into the repository."""
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    variables.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**variables, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def copy_sources(folder: Path) -> Path:
    """What a wheel is built from, so that the tree stays as it is."""
    sources = folder / "sources"
    ignore = shutil.ignore_patterns("__pycache__", "*.so", "dropin.cache")
    for name in SOURCES:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, sources / name, ignore=ignore)
        elif source.exists():
            sources.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, sources / name)
    return sources


def build_wheel(folder: Path, *, build: str, environment: dict[str, str] | None = None) -> Path:
    """`build` is pure, require or auto."""
    sources = copy_sources(folder)
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    run(
        *pip,
        *["--wheel-dir", folder / "dist", sources],
        cwd=folder,
        environment={"AMF_REMOTING_BUILD": build, **(environment or {})},
    )
    (wheel,) = (folder / "dist").glob("django_flash_remoting-*.whl")
    return wheel


@dataclass(frozen=True)
class Environment:
    """A virtual environment in `folder`."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> "Environment":
        run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
        return cls(folder)

    @property
    def python(self) -> Path:
        return self.folder / "bin/python"

    @property
    def packages(self) -> Path:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.folder / "lib" / version / "site-packages"

    def link_all(self) -> None:
        (self.packages / "installed.pth").write_text(f"{INSTALLED}\n")

    def link(self, *names: str) -> None:
        for name in names:
            for found in [*INSTALLED.glob(name), *INSTALLED.glob(f"{name}-*.dist-info")]:
                (self.packages / found.name).symlink_to(found)

    def install(self, wheel: Path) -> None:
        pip = [sys.executable, "-m", "pip", "--python", self.python, "install"]
        run(*pip, "--no-deps", "--no-index", wheel, cwd=self.folder)
