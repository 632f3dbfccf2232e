"""The two builds of a benchmark's server: the tree's sources, or a wheel compiled by mypyc."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.packaging.environments import Environment, build_wheel

BUILDS = ("pure", "compiled")


def compiled_python(folder: Path) -> Path:
    """The Python of an environment in `folder` that holds a compiled wheel, and all that is
    installed here but for our sources: run it from elsewhere than the repository."""
    environment = Environment.create(folder / "environment")
    environment.link_all()
    environment.install(build_wheel(folder, build="require"))
    return environment.python
