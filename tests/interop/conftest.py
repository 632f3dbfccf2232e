"""Fixtures of the interop tests, their skips by name and the table of tested clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from tests.interop import drivers, facts
from tests.interop.conversation import Conversation
from tests.interop.drivers import Connect
from tests.support.demo_server import DemoServer


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "client(fact): runs that fact's client (facts.py); skipped by name where it is missing",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if name := facts.fact_name_of(item):
            item.user_properties.append((facts.PROPERTY, name))
            item.add_marker(pytest.mark.interop)


def pytest_runtest_setup(item: pytest.Item) -> None:
    name = facts.fact_name_of(item)
    if name and (reason := facts.FACTS[name].missing()):
        pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [
        report
        for outcome in ("failed", "error", "skipped", "passed")
        for report in terminalreporter.stats.get(outcome, [])
        if isinstance(report, pytest.TestReport)
    ]
    if rows := facts.rows(reports):
        terminalreporter.section("clients tested")
        for line in facts.table(("client", "version", "what it does", "door", "result"), rows):
            terminalreporter.line(line)


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[Callable[[Callable[..., Conversation], str], Conversation]]:
    """Starts a driver's client on a URL; the test's end closes all of them."""
    numbers = count(1)
    with ExitStack() as stack:

        def start(driver: Callable[..., Conversation], url: str) -> Conversation:
            log = tmp_path / f"{driver.__name__}-{next(numbers)}.log"
            return stack.enter_context(driver(url, log=log))

        yield start


@pytest.fixture
def rtmp_client_process(demo_server: DemoServer, clients: Callable[..., Conversation]) -> Connect:
    """Starts npm rtmp-client towards an application's instance."""
    return lambda path: clients(drivers.rtmp_client, demo_server.rtmp_url(path))


@pytest.fixture
def rtmp_client(rtmp_client_process: Connect) -> Connect:
    """Connects one more npm rtmp-client, in a process of its own, to an application's instance."""
    return partial(_connected, rtmp_client_process)


@pytest.fixture
def librtmp(demo_server: DemoServer, clients: Callable[..., Conversation]) -> Connect:
    """Connects one more python-librtmp, in a process of its own, to an application's instance."""
    return partial(_connected, lambda path: clients(drivers.librtmp, demo_server.rtmp_url(path)))


def _connected(start: Connect, path: str) -> Conversation:
    client = start(path)
    client.next("connected")
    return client
