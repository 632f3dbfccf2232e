"""The bandwidth check that clients of Flash Media Server know, measured by the server.

The client asks with `_checkbw` (or `checkBandwidth`). It is called `_onbwcheck` (`onBWCheck`) a few
times, with more and more to read, and answers each; then `_onbwdone` (`onBWDone`) gets the result.
"""

from __future__ import annotations

from dataclasses import dataclass

from rtmp_channels.protocol.link import Link

_ROUNDS = (0, 16_384, 49_152)
"""Characters that each call carries: the first measures the latency alone."""

FIRST_TRANSACTION_ID = 1 << 31
"""Calls of an application count from 2 and never come so far."""


@dataclass(frozen=True, slots=True)
class _Names:
    """What the client is called."""

    check: str
    done: str


NAMES = {
    "_checkbw": _Names("_onbwcheck", "_onbwdone"),
    "checkBandwidth": _Names("onBWCheck", "onBWDone"),
}
"""By the command that asks."""


class BandwidthCheck:
    """One check at a time; a client that does not answer has none."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._names: _Names | None = None
        self._round = 0
        self._transaction_id = FIRST_TRANSACTION_ID
        self._called_at = 0.0
        self._latency = 0.0
        self._seconds = 0.0

    def start(self, command_name: str) -> None:
        """Asked for by the client; harmless while one goes on."""
        if self._names is None:
            self._names = NAMES[command_name]
            self._round, self._seconds = 0, 0.0
            self._call(self._names)

    def answered(self, transaction_id: float) -> bool:
        """Whether that was the answer to a call of ours."""
        if self._names is None or transaction_id != self._transaction_id:
            return False
        elapsed = self._link.now - self._called_at
        if self._round == 0:
            self._latency = elapsed
        else:
            self._seconds += max(0.0, elapsed - self._latency)
        self._round += 1
        if self._round < len(_ROUNDS):
            self._call(self._names)
        else:
            self._finish(self._names)
        return True

    def _call(self, names: _Names) -> None:
        self._transaction_id += 1
        self._called_at = self._link.now
        payload = "x" * _ROUNDS[self._round]
        self._link.write_command(names.check, self._transaction_id, payload)

    def _finish(self, names: _Names) -> None:
        """kbit/s to the client, kbit that were sent, seconds that took, latency in ms."""
        self._names = None
        kilobits = sum(_ROUNDS) * 8 / 1000
        rate = kilobits / max(self._seconds, 0.001)
        latency = round(self._latency * 1000)
        self._link.write_command(names.done, 0, round(rate), kilobits, self._seconds, latency)
