"""Publishers that wait for a stream to become free."""

from __future__ import annotations

import asyncio
from collections import deque

from rtmp_channels.streams.limits import StreamLimits
from rtmp_channels.streams.refusals import StreamLimitExceeded


class PublisherQueue:
    """First come, first served."""

    def __init__(self, limits: StreamLimits) -> None:
        self._limits = limits
        self._turns: deque[asyncio.Future[None]] = deque()

    def __len__(self) -> int:
        return len(self._turns)

    async def wait(self) -> None:
        """Returns when it is the caller's turn; the stream may be gone again by then.

        Raises StreamLimitExceeded when too many wait already.
        """
        if len(self._turns) >= self._limits.waiting_publishers:
            raise StreamLimitExceeded(f"{len(self._turns)} publishers wait already")
        turn = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        try:
            await turn
        except BaseException:
            if turn in self._turns:
                self._turns.remove(turn)
            else:  # called and gone at the same moment
                self.call_next()
            raise

    def call_next(self) -> None:
        """The stream is free: lets the first one try."""
        while self._turns:
            turn = self._turns.popleft()
            if not turn.done():
                turn.set_result(None)
                return
