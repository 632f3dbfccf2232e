"""Clients in processes of their own, driven by JSON lines: bounded in time, none left behind."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from tests.support.process import REPOSITORY

ANSWER_SECONDS = 15.0
END_SECONDS = 10.0


class Conversation:
    """A client that takes one JSON command a line and prints one JSON report a line.

    Every report has a name in ``event``. Standard error goes to the file ``log``. End of input ends
    the client; leaving the block closes it, and kills it when it does not end in time.
    """

    def __init__(self, command: Sequence[str], *, log: Path) -> None:
        self.log = log
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                process_group=0,
            )
        self._reports: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._unread: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self._reports.put(json.loads(line))
        self._reports.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> int:
        """End the client's input, wait for its end; returns its exit status."""
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError):  # the client ended first: its status tells
            self.process.stdin.close()
        try:
            return self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            return self.process.wait()
        finally:
            self._reader.join(END_SECONDS)

    def send(self, **command: Any) -> None:
        """Hand over one command."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()

    def next(self, event: str) -> dict[str, Any]:
        """The next report named ``event``; reports of other names wait for their turn."""
        for position, report in enumerate(self._unread):
            if report["event"] == event:
                return self._unread.pop(position)
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            report = self._next(event, seconds=deadline - time.monotonic())
            if report["event"] == event:
                return report
            self._unread.append(report)

    def _next(self, event: str, *, seconds: float) -> dict[str, Any]:
        try:
            report = self._reports.get(timeout=max(0.0, seconds))
        except queue.Empty:
            raise AssertionError(f"no {event!r}, only {self._unread}; {self._errors()}") from None
        assert report is not None, f"ended before {event!r}, after {self._unread}; {self._errors()}"
        return report

    def _errors(self) -> str:
        return self.log.read_text(errors="replace")

    def ask(self, event: str, **command: Any) -> dict[str, Any]:
        """Hand over a command and wait for the report named ``event``."""
        self.send(**command)
        return self.next(event)

    def unread(self, event: str) -> list[dict[str, Any]]:
        """Reports of that name which have arrived and were not asked for."""
        while not self._reports.empty():
            if (report := self._reports.get_nowait()) is not None:
                self._unread.append(report)
        return [report for report in self._unread if report["event"] == event]
