"""From a Call to its value: find the method, ask the policy, bind, run.

Both functions raise nothing but Fault. ``dispatch`` is for threads (WSGI), ``adispatch`` for
event loops; each runs sync and async methods alike. Databases with ATOMIC_REQUESTS have each sync
method that may block in a transaction of its own; Django has none for async code.
"""

import asyncio
import logging
import threading
import traceback
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from asgiref.sync import async_to_sync, markcoroutinefunction
from django.db import connections, transaction

from . import conf
from .auth import aloaded, anonymous_user
from .call import Call
from .call_log import recorded
from .conf import remoting_settings
from .exceptions import Fault, FaultCode
from .policy import policy
from .pool import run_in_pool
from .registry import registry, unknown_method
from .remote import RemoteMethod
from .rules import Rule
from .throttling import throttle

__all__ = ["Call", "adispatch", "dispatch"]

logger = logging.getLogger(__name__)


def dispatch(call: Call) -> Any:
    """Answers the call in this thread."""
    if remoting_settings.current.call_log:
        with recorded(call):
            return _dispatch(call)
    return _dispatch(call)


@markcoroutinefunction
def adispatch(call: Call) -> Coroutine[Any, Any, Any]:
    """Answers the call on this loop: await it. A sync method that may block runs in the pool."""
    return _arecorded(call) if remoting_settings.current.call_log else _adispatch(call)


def guarded(name: str, function: Callable[[], Any]) -> Any:
    """The function's value. Whatever it raises becomes a Fault; ``name`` is for the log."""
    try:
        return function()
    except Fault:
        raise
    except BaseException as error:
        raise _fault_of(name, error) from error


def _dispatch(call: Call) -> Any:
    try:
        method = _open(call)
        rule = policy.current().rule_for(method)
        if not rule.is_open:
            _admit(call, rule)
            _permit(call, rule)
        if method.is_async:
            return async_to_sync(partial(_awaited, call, method))()
        return _run(call, method)
    except Fault:
        raise
    except BaseException as error:
        raise _fault_of(call.target, error) from error


async def _arecorded(call: Call) -> Any:
    with recorded(call):
        return await _adispatch(call)


async def _adispatch(call: Call) -> Any:
    try:
        method = _open(call)
        rule = (policy.if_fresh() or await policy.acurrent()).rule_for(method)
        if not rule.is_open:
            await _aadmit(call, rule, permit=not method.blocking)
        if method.blocking:
            return await run_in_pool(partial(_in_thread, call, method, rule))
        value = _run(call, method)
        return await value if method.is_async else value
    except Fault:
        raise
    except BaseException as error:
        raise _fault_of(call.target, error) from error


def _in_thread(call: Call, method: RemoteMethod, rule: Rule) -> Any:
    # Not all that a method can raise finds its way back to the loop.
    try:
        _permit(call, rule)
        return _run(call, method)
    except Fault:
        raise
    except BaseException as error:
        raise _fault_of(call.target, error) from error


async def _awaited(call: Call, method: RemoteMethod) -> Any:
    return await _run(call, method)


def _open(call: Call) -> RemoteMethod:
    method = registry.methods.get(call.target)
    if method is None:
        raise unknown_method(call.target)
    if method.connection and call.connection is None:
        raise Fault(
            FaultCode.CONNECTION_REQUIRED, f"{call.target} answers over RTMP and WebSocket only"
        )
    if call.user is None:
        call.user = anonymous_user()
    return method


def _admit(call: Call, rule: Rule) -> None:
    """What can be told at once: whether it is switched on, its throttles, whether a user calls."""
    if not rule.enabled:
        raise Fault(FaultCode.UNAVAILABLE, f"{call.target} is switched off")
    if rule.throttles:
        throttle(call, rule.throttles)
    if rule.needs_user and not call.user.is_authenticated:
        raise Fault(FaultCode.AUTHENTICATION, f"{call.target} needs a login")


async def _aadmit(call: Call, rule: Rule, *, permit: bool) -> None:
    """On a loop; ``permit``: no thread will look at the permissions later."""
    if rule.needs_user:
        await aloaded(call.user)
    _admit(call, rule)
    if permit and rule.permissions:
        await run_in_pool(partial(_permit, call, rule), "auth")


def _permit(call: Call, rule: Rule) -> None:
    """What is read from the database."""
    if rule.permissions and not call.user.has_perms(rule.permissions):
        raise Fault(FaultCode.AUTHORIZATION, f"{call.target} is not permitted to you")


def _run(call: Call, method: RemoteMethod) -> Any:
    """The value; of an async method the coroutine."""
    signature = method.signature
    arguments, keywords = signature.bind(
        call.arguments, call.keywords, max_values=remoting_settings.current.max_values
    )
    if signature.takes_call:
        arguments.insert(0, call)
    if method.blocking:
        return _atomic(partial(_resolved, method, arguments, keywords))()
    return method.resolve()(*arguments, **keywords)


def _resolved(method: RemoteMethod, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    # The service's object is made in the transaction, too.
    return method.resolve()(*arguments, **keywords)


def _atomic(run: Callable[[], Any]) -> Callable[[], Any]:
    for alias, options in connections.settings.items():
        if options["ATOMIC_REQUESTS"]:
            run = transaction.atomic(using=alias)(run)
    return run


def _fault_of(name: str, error: BaseException) -> Fault:
    """The fault that an error becomes, SystemExit included: no service ends the server.

    What is no method's doing is raised again.
    """
    if _concerns_us(error):
        raise error
    logger.error("%s failed", name, exc_info=error)
    if not conf.debug():
        return Fault(FaultCode.PROCESSING, f"{name} failed")
    text = "".join(traceback.format_exception(error))
    return Fault(
        FaultCode.PROCESSING, f"{type(error).__name__}: {error}", details={"traceback": text}
    )


def _concerns_us(error: BaseException) -> bool:
    """Whether this very task is being cancelled or closed, or somebody pressed Ctrl-C."""
    if isinstance(error, GeneratorExit):
        return True
    if isinstance(error, KeyboardInterrupt):
        return threading.current_thread() is threading.main_thread() and not _on_loop()
    return isinstance(error, asyncio.CancelledError) and _given_up()


def _given_up() -> bool:
    if not _on_loop():
        return False
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _on_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
