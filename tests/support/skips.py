"""Skipped tests are named at the end of a run, and fail it where FORBID_SKIPS is set."""

import os
from collections.abc import Sequence

import pytest

FORBIDDEN = os.environ.get("FORBID_SKIPS", "") not in {"", "0"}


def skipped_reports(config: pytest.Config) -> Sequence[pytest.TestReport | pytest.CollectReport]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.stats.get("skipped", []) if reporter else []


def describe(report: pytest.TestReport | pytest.CollectReport) -> str:
    """`tests/interop/test_x.py::test_y: ffmpeg is not installed`"""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return f"{report.nodeid}: {reason.removeprefix('Skipped: ')}"


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if FORBIDDEN and skipped_reports(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = skipped_reports(terminalreporter.config)
    if not reports:
        return
    title = "skipped, and skipping is forbidden" if FORBIDDEN else "skipped, by name"
    terminalreporter.section(title, red=FORBIDDEN, yellow=not FORBIDDEN)
    for report in reports:
        terminalreporter.line(describe(report))
