"""The pools in which sync code runs when an async door needs it: methods, and who may call."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from typing import Any, Literal

from asgiref.sync import sync_to_async
from django.db import connections

from .conf import remoting_settings
from .exceptions import Fault, FaultCode


class BoundedThreadPool(ThreadPoolExecutor):
    """A thread pool whose queue has an end: beyond it, Fault "Server.Busy"."""

    def __init__(self, *, threads: int, max_waiting: int) -> None:
        super().__init__(max_workers=max(threads, 1), thread_name_prefix="amf-remoting")
        self._room = threading.BoundedSemaphore(max(threads, 1) + max_waiting)

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queues the function, or raises the Fault at once.

        A call that is cancelled while it waits keeps its place until its turn: clients that
        hang up cannot make the queue longer than it may be.
        """
        if not self._room.acquire(blocking=False):
            raise Fault(FaultCode.BUSY, "too many calls are waiting; try again")
        outcome: Future[Any] = Future()
        try:
            place = super().submit(_run, outcome, partial(function, *args, **kwargs))
        except BaseException:
            self._room.release()
            raise
        place.add_done_callback(lambda _: self._room.release())
        return outcome


def _run(outcome: Future[Any], function: Callable[[], Any]) -> None:
    if not outcome.set_running_or_notify_cancel():
        return
    try:
        outcome.set_result(function())
    except BaseException as error:
        outcome.set_exception(error)
        # The error's traceback holds this frame, and the outcome the error.
        del outcome


class _Aside(ThreadPoolExecutor):
    """One more thread, if need be, for what a function waits for that holds one of a pool.

    Code on the loop that such a function waits for (``async_to_sync``) may need a thread itself.
    Were it one of the pool's, all of them could be held by those who wait for one.
    """

    def __init__(self) -> None:
        super().__init__(max_workers=1, thread_name_prefix="amf-remoting-aside")
        self._ending = threading.Lock()
        self._has_ended = False

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As the pool's; to the pool once nobody waits with a thread in hand."""
        with self._ending:
            if not self._has_ended:
                return super().submit(function, *args, **kwargs)
        return thread_pool().submit(function, *args, **kwargs)

    def end(self) -> None:
        """The function has ended. What was begun is done nevertheless."""
        with self._ending:
            self._has_ended = True
        self.shutdown(wait=False)


_held: ContextVar[_Aside | None] = ContextVar("amf_remoting_held_thread", default=None)
"""Set in the threads of the pools, and so in what they wait for."""

Purpose = Literal["methods", "auth"]
"""Users and permissions are read by threads of their own: async methods that need them must not
wait behind slow sync ones."""

_lock = threading.Lock()
_pools: dict[Purpose, BoundedThreadPool] = {}


def thread_pool(purpose: Purpose = "methods") -> BoundedThreadPool:
    """The process's pool, made on first use from THREADS or AUTH_THREADS, and
    MAX_WAITING_CALLS."""
    with _lock:
        pool = _pools.get(purpose)
        if pool is None:
            settings = remoting_settings()
            threads = settings.threads if purpose == "methods" else settings.auth_threads
            pool = BoundedThreadPool(threads=threads, max_waiting=settings.max_waiting_calls)
            _pools[purpose] = pool
        return pool


async def run_in_pool(function: Callable[[], Any], purpose: Purpose = "methods") -> Any:
    """Runs a sync function in a pool; its database connections are closed as after a request.

    asgiref carries context variables over and lets ``async_to_sync`` in the function reach the
    caller's event loop, where hubs and connections live. What such a function waits for does not
    wait for the pool.
    """
    executor = _held.get() or thread_pool(purpose)
    return await sync_to_async(_tidy(function), thread_sensitive=False, executor=executor)()


def _tidy(function: Callable[[], Any]) -> Callable[[], Any]:
    def run() -> Any:
        _release_connections()
        aside = _Aside()
        held = _held.set(aside)
        try:
            return function()
        finally:
            _held.reset(held)
            aside.end()
            _release_connections()

    return run


def _release_connections() -> None:
    """Django's close_old_connections, which would open a connection to ask it for its state."""
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block:
            continue
        if connection.settings_dict["CONN_MAX_AGE"] == 0:
            connection.close()
        else:
            connection.close_if_unusable_or_obsolete()
