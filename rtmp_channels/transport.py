"""What a session needs of whatever carries its bytes: TCP, TLS, a tunnel, a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Transport(Protocol):
    """Carries bytes for one `Session`, and reports to it.

    Whoever implements it calls the session's `data_received`, `pause_writing`, `resume_writing`
    and, once and last, `connection_lost`.
    """

    @property
    def buffered_bytes(self) -> int:
        """Bytes accepted by `write` that have not left yet."""

    @property
    def unread_bytes(self) -> int:
        """Bytes that it holds for the session, which has paused it."""

    def write(self, data: bytes, /) -> int:
        """Sends, or keeps, the bytes; never blocks and never raises for a lost connection.

        Returns `buffered_bytes` as they are then.
        """

    def silence(self) -> float:
        """Seconds since the other host is known to live, by what it confirmed; 0 if nobody
        knows and what is taken is sign enough."""

    def pause_reading(self) -> None:
        """Stops `data_received` until `resume_reading`; harmless twice."""

    def resume_reading(self) -> None:
        """Goes on reading; harmless twice."""

    def join_writes(self) -> None:
        """Lets small writes wait, from now on, for the client's confirmation of earlier ones, so
        that they leave together; at first none does. Where the transport has no choice, nothing."""

    def gather(self, gathers: bool, /) -> None:
        """Whether what comes may wait for `read_now`, up to what one read takes; at first it may
        not. Where the transport cannot wait, both do nothing."""

    def read_now(self) -> None:
        """Hands on what has come, if it gathers."""

    def close(self) -> None:
        """Ends the connection when all that was written has left."""

    def abort(self) -> None:
        """Ends the connection now; what is buffered is lost."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end, for scopes and log lines."""

    scheme: str
    """"rtmp", "rtmps", "rtmpt" or "ws"."""
    client: tuple[str, int] | None = None
    """Address and port."""
    server: tuple[str, int] | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """What a tunnel's own HTTP request said; counts more than the same in `connect`."""

    def __str__(self) -> str:
        if self.client is None:
            return self.scheme
        host, port = self.client
        return f"{self.scheme} {f'[{host}]' if ':' in host else host}:{port}"
