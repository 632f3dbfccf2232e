"""From a Call to its value: find the method, ask the policy, bind, run.

Both functions raise nothing but Fault. ``dispatch`` is for threads (WSGI), ``adispatch`` for
event loops; each runs sync and async methods alike. Databases with ATOMIC_REQUESTS have each sync
method that may block in a transaction of its own; Django has none for async code.
"""

import asyncio
import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from asgiref.sync import async_to_sync
from django.db import connections, transaction

from . import conf
from .auth import anonymous_user
from .call import Call
from .call_log import recorded
from .conf import remoting_settings
from .exceptions import Fault, FaultCode
from .policy import policy
from .pool import run_in_pool
from .registry import registry
from .remote import RemoteMethod
from .rules import Rule
from .throttling import throttle

__all__ = ["Call", "adispatch", "dispatch"]

logger = logging.getLogger(__name__)


def dispatch(call: Call) -> Any:
    """Answers the call in this thread."""
    with recorded(call), faults(call.target):
        method = _open(call)
        _admit(call, policy.current().rule_for(method))
        run = _bind(call, method)
        return async_to_sync(run)() if method.is_async else run()


async def adispatch(call: Call) -> Any:
    """Answers the call on this loop; a sync method that may block runs in the bounded pool."""
    with recorded(call), faults(call.target):
        method = _open(call)
        rule = (await policy.acurrent()).rule_for(method)
        if rule.needs_user:
            # Permissions are read from the database.
            await run_in_pool(partial(_admit, call, rule))
        else:
            _admit(call, rule)
        run = _bind(call, method)
        if method.is_async:
            return await run()
        return await run_in_pool(run) if method.blocking else run()


@contextmanager
def faults(name: str) -> Iterator[None]:
    """Lets nothing but faults out; what else happens is logged as a failure of ``name``."""
    try:
        yield
    except Fault:
        raise
    except asyncio.CancelledError as error:
        if _given_up():
            raise
        raise _processing_fault(name, error) from error
    except Exception as error:
        raise _processing_fault(name, error) from error


def _given_up() -> bool:
    """Whether this task is being cancelled, not just something that its method awaited."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False
    return task is not None and task.cancelling() > 0


def _open(call: Call) -> RemoteMethod:
    method = registry.find(call.target)
    if method.connection and call.connection is None:
        raise Fault(
            FaultCode.CONNECTION_REQUIRED, f"{call.target} answers over RTMP and WebSocket only"
        )
    if call.user is None:
        call.user = anonymous_user()
    return method


def _admit(call: Call, rule: Rule) -> None:
    if not rule.enabled:
        raise Fault(FaultCode.UNAVAILABLE, f"{call.target} is switched off")
    if rule.throttles:
        throttle(call, rule.throttles)
    if rule.needs_user:
        _authorise(call, rule)


def _authorise(call: Call, rule: Rule) -> None:
    if not call.user.is_authenticated:
        raise Fault(FaultCode.AUTHENTICATION, f"{call.target} needs a login")
    if not call.user.has_perms(rule.permissions):
        raise Fault(FaultCode.AUTHORIZATION, f"{call.target} is not permitted to you")


def _bind(call: Call, method: RemoteMethod) -> Callable[[], Any]:
    arguments, keywords = method.signature.bind(
        call.arguments, call.keywords, max_values=remoting_settings().max_values
    )
    if method.signature.takes_call:
        arguments.insert(0, call)

    def run() -> Any:
        return method.resolve()(*arguments, **keywords)

    if method.is_async:
        return partial(_run_async, run)
    return _atomic(run) if method.blocking else run


def _atomic(run: Callable[[], Any]) -> Callable[[], Any]:
    for alias, options in connections.settings.items():
        if options["ATOMIC_REQUESTS"]:
            run = transaction.atomic(using=alias)(run)
    return run


async def _run_async(run: Callable[[], Any]) -> Any:
    return await run()


def _processing_fault(name: str, error: BaseException) -> Fault:
    logger.error("%s failed", name, exc_info=error)
    if not conf.debug():
        return Fault(FaultCode.PROCESSING, f"{name} failed")
    text = "".join(traceback.format_exception(error))
    return Fault(
        FaultCode.PROCESSING, f"{type(error).__name__}: {error}", details={"traceback": text}
    )
