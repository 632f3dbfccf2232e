"""Starts real daphne processes for the tests of the server."""

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SETTINGS = "tests.server.settings"


class Daphne:
    """A daphne process and what it logs."""

    def __init__(self, command, environment=None):
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": SETTINGS, **(environment or {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    @property
    def log(self):
        return "\n".join(self.lines)

    def wait_for_log(self, pattern, *, count=1, timeout=15):
        """Waits for so many matching lines and returns them."""
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                found = [line for line in self.lines if re.search(pattern, line)]
                if len(found) >= count:
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or not self._reader.is_alive():
                    raise AssertionError(f"no {pattern!r} in:\n{self.log}")
                self._news.wait(left)

    def port(self, scheme="rtmp"):
        """The port of the endpoint: "rtmp", "rtmps", "http" or "https"."""
        if scheme in {"http", "https"}:
            self.wait_for_log("Serving rtmp")
            ours = self.ports_of("Serving rtmps? on")
            every = self.ports_of("Listening on TCP address")
            return next(port for port in every if port not in ours)
        self.wait_for_log(f"Serving {scheme} on")
        return self.ports_of(f"Serving {scheme} on")[0]

    def ports_of(self, text):
        """All ports in lines that begin so."""
        pattern = re.compile(rf"{text} 127\.0\.0\.1:(\d+)")
        found = (pattern.search(line) for line in self.lines)
        return [int(match.group(1)) for match in found if match]

    @property
    def rss(self):
        """Resident bytes, from /proc."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    @property
    def peak_rss(self):
        """The most that `rss` was since the process began, or since this was last asked for."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def stop(self, timeout=10):
        """SIGTERM, and the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"daphne did not stop:\n{self.log}") from None
        finally:
            self._reader.join(timeout)
            self.process.stderr.close()
        return code


def daphne_command(*endpoints, application="tests.server.site:application"):
    command = [sys.executable, "-m", "daphne"]
    for endpoint in endpoints:
        command += ["-e", endpoint]
    return [*command, application]
