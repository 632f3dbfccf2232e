"""What waits in memory to be written to the database, many rows at a time, by a thread."""

import atexit
import logging
import os
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from contextlib import suppress
from typing import ClassVar, Generic, TypeVar

from django.db import connections

logger = logging.getLogger(__name__)

Entry = TypeVar("Entry")

PRUNE_SECONDS = 600
"""How often old rows are deleted, at most."""


class Batches(ABC, Generic[Entry]):
    """Entries of one process. What waits when the process is killed is lost."""

    noun: ClassVar[str]
    """What the entries are, for the log."""

    def __init__(self, *, background: bool = True) -> None:
        self.background = background
        """Whether a thread writes; if not, ``flush`` is somebody else's task."""
        self._waiting: deque[Entry] = deque()
        self._dropped = 0
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._pruned_at = float("-inf")
        if background:
            atexit.register(self.close)
            os.register_at_fork(after_in_child=self.forget_thread)

    @abstractmethod
    def capacity(self) -> int:
        """Entries that may wait."""

    @abstractmethod
    def seconds(self) -> float:
        """How long entries wait to be written together."""

    @abstractmethod
    def write(self, entries: list[Entry]) -> None:
        """Writes them; the list may be empty."""

    @abstractmethod
    def prune(self) -> None:
        """Deletes what is old."""

    def add(self, entry: Entry) -> None:
        """Remembers an entry; when too many wait, it is counted and dropped."""
        with self._lock:
            if len(self._waiting) >= self.capacity():
                self._dropped += 1
                return
            self._waiting.append(entry)
            if self.background and self._thread is None:
                name = f"amf-remoting-{self.noun}"
                self._thread = threading.Thread(target=self._run, name=name, daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Writes what waits. A database that cannot be written loses it, with one log line."""
        with self._lock:
            entries, self._waiting = list(self._waiting), deque()
            dropped, self._dropped = self._dropped, 0
        if dropped:
            logger.warning("%d %s were not logged: too many were waiting", dropped, self.noun)
        try:
            self.write(entries)
            self._prune_now_and_then()
        except Exception as error:
            logger.error("%d %s could not be logged: %s", len(entries), self.noun, error)

    def close(self) -> None:
        """Writes what waits and ends the thread; the next entry starts another."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout=10)
        self._stop.clear()

    def forget_thread(self) -> None:
        """After a fork: the child has no thread, and the parent writes what waited."""
        self._thread = None
        self._lock = threading.Lock()
        self._waiting.clear()

    def _run(self) -> None:
        stopped = False
        while not stopped:
            stopped = self._stop.wait(self.seconds())
            self.flush()
            # A connection that is lost may say so when it is closed; the thread has to go on.
            with suppress(Exception):
                connections.close_all()

    def _prune_now_and_then(self) -> None:
        if time.monotonic() - self._pruned_at < PRUNE_SECONDS:
            return
        self._pruned_at = time.monotonic()
        self.prune()
