"""One connection's dealings with one object: use, change, release, strictly one after the other."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from rtmp_channels.exceptions import WHATEVER_IS_RAISED
from rtmp_channels.protocol.shared_object import SharedObjectMessage
from rtmp_channels.shared_objects.encoding import ObjectEncoder, changes_of
from rtmp_channels.shared_objects.fanout import Fanout, Follower
from rtmp_channels.shared_objects.grants import Changed, Grant, UseRequest
from rtmp_channels.shared_objects.guard import refusals
from rtmp_channels.shared_objects.operations import (
    Answer,
    Batch,
    Commit,
    ObjectKey,
    Operation,
    Outcome,
    RemoveSlot,
    SetSlot,
    Verdict,
)
from rtmp_channels.shared_objects.refusals import (
    NO_READ_ACCESS,
    NO_WRITE_ACCESS,
    OBJECT_CREATION_FAILED,
    SequencerUnavailable,
    SharedObjectRefused,
)
from rtmp_channels.shared_objects.state import ObjectState
from rtmp_channels.shared_objects.steps import ChangeStep, Step, UseStep, steps_of

if TYPE_CHECKING:
    from rtmp_channels.shared_objects.port import SharedObjectPort

logger = logging.getLogger(__name__)


UNAVAILABLE = "the sequencer cannot be asked"
TOO_FAST = "too many changes per second"


class Link:
    """Takes the connection's messages for one object in order, waiting where it must.

    Only the application's grant makes it wait. What becomes of a change is told before `feed`
    returns with the memory sequencer, and soon, in order, with one that is elsewhere.
    """

    def __init__(self, port: SharedObjectPort, key: ObjectKey) -> None:
        self.key = key
        self._port = port
        self._hub = port.hub
        self._grant = Grant()
        self._fanout: Fanout | None = None
        self._follower: Follower | None = None
        self._waiting: deque[Step] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def is_idle(self) -> bool:
        """Whether the connection neither uses the object nor waits for it."""
        return self._fanout is None and self._task is None and not self._waiting

    def feed(self, message: SharedObjectMessage) -> None:
        """Takes one message of the client. Raises amf.EncodeError."""
        for step in steps_of(message):
            self._port.count_waiting(1, step.size)
            self._waiting.append(step)
        self._proceed()

    def close(self) -> None:
        """Ends the use, whatever is under way; harmless twice."""
        self._closed = True
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
        self._release()

    def _proceed(self) -> None:
        while self._waiting and self._task is None and not self._closed:
            step = self._waiting.popleft()
            if isinstance(step, ChangeStep):
                self._change(step)
                continue
            self._port.count_waiting(-1, -step.size)
            if isinstance(step, UseStep):
                self._use(step)
            else:
                self._release()
        if self.is_idle:
            self._port.forget(self)

    def _wait_for(self, work: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        self._task = asyncio.get_running_loop().create_task(self._finish(work, arguments))

    async def _finish(
        self, work: Callable[..., Awaitable[None]], arguments: tuple[Any, ...]
    ) -> None:
        try:
            await work(*arguments)
        except Exception:
            logger.exception("Shared object %r: a message could not be handled", self.key.name)
        self._task = None
        self._proceed()

    def _write(self, data: bytes) -> None:
        Follower(self._port.subscriber).write(data)

    def _refuse(self, code: str, step: UseStep | ChangeStep) -> None:
        persistent = isinstance(step, UseStep) and step.persistent
        self._write(ObjectEncoder(self.key.name, persistent).status(code, step.object_encoding))

    def _use(self, step: UseStep) -> None:
        if self._fanout is not None and self._follower is not None:
            if self._fanout.is_refused:
                self._refuse(NO_READ_ACCESS, step)
            else:
                self._fanout.follow(self._follower, known_version=step.known_version)
        else:
            self._wait_for(self._ask_and_open, step)

    async def _ask_and_open(self, step: UseStep) -> None:
        try:
            grant = await self._ask(step)
            fanout = await self._hub.open(
                self.key, holder=self, persistent=step.persistent, create=grant.create
            )
        except SharedObjectRefused as refusal:
            self._port.log_refusal("Shared object %r refused: %s", self.key.name, refusal)
            self._refuse(refusal.code, step)
        except SequencerUnavailable as error:
            logger.warning("Shared object %r refused: %s", self.key.name, error)
            self._refuse(OBJECT_CREATION_FAILED, step)
        else:
            self._grant, self._fanout = grant, fanout
            self._follower = Follower(
                self._port.subscriber, object_encoding=step.object_encoding, echo=step.echo
            )
            fanout.follow(self._follower, known_version=step.known_version)

    async def _ask(self, step: UseStep) -> Grant:
        try:
            grant = await self._port.authorise(UseRequest(self.key.name, step.persistent))
        except SharedObjectRefused:
            raise
        except Exception:
            logger.exception("Shared object %r: the application failed to answer", self.key.name)
            raise SharedObjectRefused(NO_READ_ACCESS, "the application failed") from None
        if not grant.read:
            raise SharedObjectRefused(NO_READ_ACCESS, "not granted")
        return grant

    def _release(self) -> None:
        fanout, self._fanout = self._fanout, None
        follower, self._follower = self._follower, None
        if fanout is not None and follower is not None:
            fanout.unfollow(follower)
        self._hub.release(self.key, holder=self)

    def _change(self, step: ChangeStep) -> None:
        if self._fanout is None or self._fanout.is_refused:
            self._port.count_waiting(-1, -step.size)
            self._refuse(NO_WRITE_ACCESS, step)
            return
        if self._port.may_change(len(step.requests)):
            limit = self._hub.rules.operations_per_message
            reasons = refusals(step.requests, self._grant, self._fanout.state, limit=limit)
        else:
            reasons = [TOO_FAST] * len(step.requests)
        granted = tuple(
            request.operation
            for request, reason in zip(step.requests, reasons, strict=True)
            if not reason
        )
        batch = Batch(self._port.subscriber.id, granted, step.known_version)
        self._hub.submit(self.key, batch, partial(self._told, step, reasons))

    def _told(self, step: ChangeStep, reasons: Sequence[str], outcome: Outcome | None) -> None:
        self._port.count_waiting(-1, -step.size)
        if self._fanout is None:
            return
        if outcome is None:
            reasons = [reason or UNAVAILABLE for reason in reasons]
            outcome = Outcome((), self._fanout.state.version, None)
        self._tell(step, reasons, outcome)
        if self._grant.on_change is not None and outcome.commit is not None:
            self._report(self._grant.on_change, outcome.commit)

    def _report(self, on_change: Callable[[Changed], None], commit: Commit) -> None:
        changed = changes_of(self.key.name, commit)
        if changed is None:
            return
        try:
            on_change(changed)
        except WHATEVER_IS_RAISED:
            logger.exception("Shared object %r: on_change failed", self.key.name)

    def _tell(self, step: ChangeStep, reasons: Sequence[str], outcome: Outcome) -> None:
        """Tells the writer what became of its requests."""
        fanout, follower = self._fanout, self._follower
        if fanout is None or follower is None:
            return
        answers = iter(outcome.answers)
        answered = []
        for request, reason in zip(step.requests, reasons, strict=True):
            operation = request.operation
            answer = _refused(operation, fanout.state, reason) if reason else next(answers)
            answer = follower.corrections.answer(
                operation, answer, known=step.known_version, before=outcome.version_before
            )
            answered.append((operation, answer))
        refused = {answer.reason for _, answer in answered if answer.verdict is Verdict.REFUSED}
        if refused:
            text = "Shared object %r: a change was refused: %s"
            self._port.log_refusal(text, self.key.name, "; ".join(sorted(refused)))
        data = fanout.encoder.answers(
            outcome.version,
            answered,
            echo=follower.echo,
            object_encoding=follower.object_encoding,
        )
        fanout.answer(follower, data)


def _refused(operation: Operation, state: ObjectState, reason: str) -> Answer:
    value = state.get(operation.key) if isinstance(operation, SetSlot | RemoveSlot) else None
    return Answer(Verdict.REFUSED, value, reason)
