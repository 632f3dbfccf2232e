"""The wheels, built once."""

from pathlib import Path

import pytest

from .environments import Environment, build_wheel


@pytest.fixture(scope="session")
def pure_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("pure"), build="pure")


@pytest.fixture(scope="session")
def compiled_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As pip builds it where there is a compiler."""
    return build_wheel(tmp_path_factory.mktemp("compiled"), build="auto")


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An empty virtual environment outside of the repository."""
    return Environment.create(tmp_path / "environment")
