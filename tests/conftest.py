"""Fixtures for every part: a demo server and a Redis in processes of their own, free ports."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from tests.support.demo_server import DemoServer, migrate, run_demo_server
from tests.support.process import find_program, free_port
from tests.support.redis_server import run_redis_server

pytest_plugins = ["tests.support.skips", "pytester"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run in parallel, a file stays in one process; the wheels are built in one, too."""
    for item in items:
        file = item.location[0]
        group = "packaging" if "packaging" in Path(file).parts else file
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(autouse=True)
def _database_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Channels' communicators do: a test's connection is not the application's to close."""
    monkeypatch.setattr("channels.db.close_old_connections", lambda: None)


@pytest.fixture
def unused_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on."""
    return free_port()


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite file with the demo site's tables: copy it, do not write to it."""
    return migrate(tmp_path_factory.mktemp("database") / "empty.sqlite3")


@pytest.fixture(scope="session")
def demo_server(
    tmp_path_factory: pytest.TempPathFactory, migrated_database: Path
) -> Iterator[DemoServer]:
    """One demo site for all tests that leave no state behind that others would notice."""
    folder = tmp_path_factory.mktemp("demo_server")
    database = shutil.copy(migrated_database, folder / "db.sqlite3")
    with run_demo_server(folder, database=database) as server:
        yield server


@pytest.fixture
def start_demo_server(
    tmp_path: Path, migrated_database: Path
) -> Iterator[Callable[..., DemoServer]]:
    """Starts demo sites of the test's own, on one database: any number of calls.

    Takes run_demo_server's keywords `endpoints`, `environment` (REDIS_URL, RTMP_TICK_MS, DEBUG)
    and `allow_traceback`.
    """
    database = shutil.copy(migrated_database, tmp_path / "db.sqlite3")
    start: Callable[..., AbstractContextManager[DemoServer]] = partial(
        run_demo_server, tmp_path, database=database
    )
    with contextlib.ExitStack() as servers:
        yield lambda **options: servers.enter_context(start(**options))


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """REDIS_URL of a redis-server that lives as long as the test run."""
    program = find_program("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    with run_redis_server(program, tmp_path_factory.mktemp("redis")) as url:
        yield url
