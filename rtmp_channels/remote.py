"""Which methods of a consumer clients may call."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from amf_remoting.exceptions import Fault, FaultCode

Function = TypeVar("Function", bound=Callable[..., Any])

_REMOTE_MARK = "_rtmp_remote"
_CONCURRENT_MARK = "_rtmp_concurrent"


@dataclass(frozen=True, slots=True)
class _Remote:
    name: str | None
    login_required: bool
    permission: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMethod:
    """One method that clients may call."""

    function: Callable[..., Awaitable[Any]]
    fewest: int
    """Arguments it needs."""
    most: int | None
    """Arguments it takes; None: any number."""
    login_required: bool
    permission: str | None
    concurrent: bool

    async def run(self, consumer: Any, arguments: Sequence[Any]) -> Any:
        """Calls it; Fault when the user may not, or the number of arguments is wrong."""
        if self.login_required or self.permission:
            await self._authorise(consumer.user)
        count = len(arguments)
        if count < self.fewest or (self.most is not None and count > self.most):
            raise Fault(FaultCode.BAD_ARGUMENTS, f"{self._wanted()} arguments, not {count}")
        return await self.function(consumer, *arguments)

    async def _authorise(self, user: Any) -> None:
        if user is None or not user.is_authenticated:
            raise Fault(FaultCode.AUTHENTICATION, "this method needs a login")
        if self.permission and not await user.ahas_perm(self.permission):
            raise Fault(FaultCode.AUTHORIZATION, "this method is not permitted to you")

    def _wanted(self) -> str:
        if self.most is None:
            return f"at least {self.fewest}"
        return str(self.most) if self.fewest == self.most else f"{self.fewest} to {self.most}"


@overload
def remote(function: Function) -> Function: ...
@overload
def remote(
    *,
    name: str | None = None,
    login_required: bool = False,
    permission: str | None = None,
) -> Callable[[Function], Function]: ...
def remote(
    function: Function | None = None,
    *,
    name: str | None = None,
    login_required: bool = False,
    permission: str | None = None,
) -> Any:
    """Lets clients call this method of a consumer, by its own name or by `name`."""

    def mark(function: Function) -> Function:
        setattr(function, _REMOTE_MARK, _Remote(name, login_required, permission))
        return function

    return mark if function is None else mark(function)


def concurrent(function: Function) -> Function:
    """Has a remote method run beside others of the same connection, in a task of its own.

    Without it the calls of one connection are answered one after the other, in their order.
    """
    setattr(function, _CONCURRENT_MARK, True)
    return function


def client_methods(consumer_class: type, *, are_async: bool = True) -> Mapping[str, ClientMethod]:
    """The remote methods of a consumer class by the name clients use, inherited ones included.

    TypeError if they are of the other kind than the class.
    """
    methods = {}
    for attribute, function in inspect.getmembers(consumer_class, inspect.isfunction):
        mark = getattr(function, _REMOTE_MARK, None)
        if mark is not None:
            if inspect.iscoroutinefunction(function) is not are_async:
                kind = "an async" if are_async else "a sync"
                raise TypeError(f"@remote belongs on {kind} method here: {function!r}")
            methods[mark.name or attribute] = _client_method(function, mark)
    return methods


def hears_layer(consumer_class: type, base: type) -> bool:
    """Whether a consumer class has a method that a channel-layer message could call.

    Counts every method that is neither remote nor one of `base`, so it may say yes too often.
    """
    for attribute, function in inspect.getmembers(consumer_class, inspect.isfunction):
        is_own = not hasattr(base, attribute) and not attribute.startswith("_")
        if attribute == "dispatch" and function is not getattr(base, "dispatch", None):
            return True
        if is_own and not hasattr(function, _REMOTE_MARK):
            return True
    return False


def _client_method(function: Callable[..., Awaitable[Any]], mark: _Remote) -> ClientMethod:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    takes_any = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return ClientMethod(
        function=function,
        fewest=sum(p.default is p.empty for p in positional),
        most=None if takes_any else len(positional),
        login_required=mark.login_required,
        permission=mark.permission,
        concurrent=getattr(function, _CONCURRENT_MARK, False),
    )
