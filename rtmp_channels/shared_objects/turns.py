"""One object's turns with the sequencer: one at a time, each with all that has come up meanwhile.

So an object's events reach its followers in one order, and the answers to a writer's own requests
come at their place in it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from rtmp_channels.shared_objects.fanout import Fanout
from rtmp_channels.shared_objects.operations import Batch, Commit, Outcome
from rtmp_channels.shared_objects.refusals import SequencerUnavailable
from rtmp_channels.shared_objects.sequencers.base import Exchange, LogLost, Sequencer, arrived

logger = logging.getLogger(__name__)

Told = Callable[[Outcome | None], None]
"""Is called with what became of a batch, at its place in the order; None: nobody could be asked."""

BATCHES_PER_TURN = 64
"""Batches that the sequencer gets at once."""

NEWS_KEPT = 256
"""Commits of others that are kept while a turn is under way; more are read from the log."""

_Request = tuple[Batch, Told]


class Turns:
    """Takes batches, and hints that others have committed; asks the sequencer; tells everyone."""

    def __init__(
        self,
        fanout: Fanout,
        sequencer: Sequencer,
        *,
        committed: Callable[[Turns, Sequence[Commit]], None],
        finished: Callable[[Turns], None],
    ) -> None:
        """`committed` is called with what other processes should hear of, `finished` when nothing
        is under way any more."""
        self.fanout = fanout
        self._sequencer = sequencer
        self._committed = committed
        self._finished = finished
        self._requests: list[_Request] = []
        self._news: list[Commit] = []
        """Heard of while a turn was under way, which may bring the same."""
        self._look = False
        self._is_away = False
        self._task: asyncio.Task[None] | None = None

    def submit(self, batch: Batch, told: Told) -> None:
        """Has the batch decided; with a sequencer in this process, before this returns."""
        self._requests.append((batch, told))
        self._advance()

    def look(self) -> None:
        """Others may have committed something."""
        self._look = True
        self._advance()

    def hear(self, sequence: int, commits: Sequence[Commit]) -> None:
        """Others have come to this sequence number, by these commits if they are all told.

        What follows on what is known here is told at once; for anything else the log is read.
        """
        if self._task is None:
            self._take(commits)
            if sequence > self.fanout.delivered:
                self.look()
        elif len(self._news) + len(commits) <= NEWS_KEPT and commits:
            self._news += commits
        else:
            self._look = True

    def _take(self, commits: Sequence[Commit]) -> None:
        for commit in commits:
            if commit.previous_sequence == self.fanout.delivered:
                self.fanout.deliver(commit, to_writer=True)

    def sequencer_went(self) -> None:
        """The sequencer does not answer: nothing is asked of it until it is back."""
        self._is_away = True
        if self.fanout.state.rules.without_sequencer == "refuse":
            self.fanout.refuse()

    def sequencer_came_back(self) -> None:
        """It answers again: what we know is told again, then what happened meanwhile."""
        self._is_away = False
        if self.fanout.is_refused:
            self.fanout.grant()
        self.look()

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return self._task is not None

    async def settled(self) -> None:
        """Waits until nothing is."""
        while self._task is not None:
            await asyncio.wait([self._task])

    def _advance(self) -> None:
        while self._task is None and (self._requests or self._look):
            self._look = False
            turn, self._requests = (
                self._requests[:BATCHES_PER_TURN],
                self._requests[BATCHES_PER_TURN:],
            )
            if self._is_away:
                _fail(turn)
                continue
            fanout = self.fanout
            batches = [batch for batch, _ in turn]
            exchange = self._sequencer.exchange(fanout.key, fanout.delivered, batches)
            if isinstance(exchange, Exchange):
                self._settle(turn, exchange)
            else:
                self._task = asyncio.get_running_loop().create_task(self._wait(turn, exchange))

    async def _wait(self, turn: list[_Request], pending: Awaitable[Exchange]) -> None:
        try:
            self._settle(turn, await pending)
        except LogLost:
            await self._restore(turn)
        except SequencerUnavailable:
            _fail(turn)
        except Exception:
            logger.exception("Shared object %r: the sequencer failed", self.fanout.key.name)
            _fail(turn)
        self._task = None
        news, self._news = self._news, []
        self._take(news)
        self._look |= any(commit.sequence > self.fanout.delivered for commit in news)
        self._advance()
        if self._task is None:
            self._finished(self)

    async def _restore(self, turn: list[_Request]) -> None:
        """Starts anew from the sequencer's state, then asks again."""
        fanout = self.fanout
        try:
            state = await arrived(self._sequencer.restore(fanout.key, fanout.state))
        except SequencerUnavailable:
            _fail(turn)
            return
        logger.warning("Shared object %r: events were lost; all slots are told", fanout.key.name)
        self._news.clear()  # it may be of an object that Redis has lost
        fanout.resync(state)
        self._requests[:0] = turn

    def _settle(self, turn: Sequence[_Request], exchange: Exchange) -> None:
        for commit in exchange.missed:
            # Ours may be among them: decided on, but the answer was lost and we said "refused".
            self.fanout.deliver(commit, to_writer=True)
        commits = []
        for (_, told), outcome in zip(turn, exchange.outcomes, strict=True):
            if outcome.commit is not None:
                commits.append(outcome.commit)
                self.fanout.deliver(outcome.commit)
            told(outcome)
        if commits:
            self._committed(self, commits)


def _fail(turn: Sequence[_Request]) -> None:
    for _, told in turn:
        told(None)
