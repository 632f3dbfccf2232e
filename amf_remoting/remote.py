"""What an exposed service consists of: its remote methods, found without guessing."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Any

from .exceptions import ExposureError
from .rules import Rule
from .signature import Signature
from .throttle import Throttle

METHOD_MARK = "_remote_method_options"
SERVICE_MARK = "_remote_service_options"


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodOptions:
    """What ``@remote_method`` was told."""

    name: str | None = None
    """The name callers use, where it is not the function's own."""
    permission: str | None = None
    """A Django permission ("app_label.codename") the user must have."""
    login_required: bool = False
    throttle: str | None = None
    """How often one caller may call it ("10/s", "100/min")."""
    connection: bool = False
    """Needs a lasting connection: answers over RTMP and WebSocket only."""
    blocking: bool = True
    """A sync method that may wait (database, files): event loops call it in a thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOptions:
    """What ``@service`` was told; restrictions add to those of the methods."""

    name: str
    permission: str | None = None
    login_required: bool = False
    throttle: str | None = None
    """How often one caller may call any of its methods."""


@dataclass(frozen=True, slots=True)
class RemoteMethod:
    """One remote method of an exposed service, ready to be called."""

    service: str
    name: str
    """Empty where the service is a function: its target is the service's name."""
    target: str
    """"service.method"."""
    function: Callable[..., Any]
    """What was declared; describes itself (docstring, hints)."""
    resolve: Callable[[], Callable[..., Any]]
    """Gives the callable for one call: bound to a fresh object where the service is a class."""
    signature: Signature
    is_async: bool
    blocking: bool
    """A sync method that must not be called on an event loop."""
    rule: Rule
    """Who may call it by the word of the code; the admin's policy comes on top."""
    connection: bool


@dataclass(frozen=True, slots=True)
class Service:
    """An exposed service: a name, what stands behind it, its remote methods by name."""

    name: str
    source: object
    options: ServiceOptions
    methods: Mapping[str, RemoteMethod]
    from_settings: bool = False


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A function that a source itself defines; ``bound``: resolving fills its first parameter."""

    name: str
    function: Callable[..., Any]
    resolve: Callable[[], Callable[..., Any]]
    bound: bool


def describe_source(name: str, source: object, *, from_settings: bool = False) -> Service:
    """The service ``name`` made of a class, a module, a function or an object.

    ExposureError if nothing of it is remote. A function needs no mark: it was named itself.
    """
    options = service_options(name, source)
    methods: dict[str, RemoteMethod] = {}
    for candidate in _candidates(source):
        marked = getattr(candidate.function, METHOD_MARK, None)
        if candidate.name and not isinstance(marked, MethodOptions):
            continue
        method = _remote_method(candidate, options, marked or MethodOptions(), name)
        if method.name in methods:
            raise ExposureError(f"two methods answer {method.target!r}")
        methods[method.name] = method
    if not methods:
        raise ExposureError(f"{source!r} has no remote methods: name them by @remote_method")
    return Service(name, source, options, MappingProxyType(methods), from_settings)


def service_options(name: str, source: object) -> ServiceOptions:
    """What ``@service`` said of this very object; an inherited mark is no declaration."""
    options = getattr(source, "__dict__", {}).get(SERVICE_MARK)
    return options if isinstance(options, ServiceOptions) else ServiceOptions(name=name)


def _candidates(source: object) -> Iterator[_Candidate]:
    """What the source itself defines, never what it inherits or imports."""
    if inspect.isfunction(source):
        yield _Candidate("", source, _always(source), bound=False)
    elif isinstance(source, ModuleType):
        yield from _functions_of_module(source)
    elif isinstance(source, type):
        yield from _functions_of_class(source, source)
    else:
        yield from _functions_of_class(type(source), _always(source))
        for name, value in getattr(source, "__dict__", {}).items():
            if inspect.isfunction(value):
                yield _Candidate(name, value, _always(value), bound=False)


def _functions_of_module(module: ModuleType) -> Iterator[_Candidate]:
    for name, value in vars(module).items():
        if inspect.isfunction(value) and value.__module__ == module.__name__:
            yield _Candidate(name, value, _always(value), bound=False)


def _functions_of_class(defining_class: type, make: Callable[[], Any]) -> Iterator[_Candidate]:
    for name, value in vars(defining_class).items():
        function = value.__func__ if isinstance(value, staticmethod | classmethod) else value
        if inspect.isfunction(function):
            bound = not isinstance(value, staticmethod)
            yield _Candidate(name, function, _member(make, name), bound=bound)


def _always(value: Any) -> Callable[[], Any]:
    return lambda: value


def _member(make: Callable[[], Any], name: str) -> Callable[[], Any]:
    return lambda: getattr(make(), name)


def _remote_method(
    candidate: _Candidate, service: ServiceOptions, options: MethodOptions, service_name: str
) -> RemoteMethod:
    name = (options.name or candidate.name) if candidate.name else ""
    target = f"{service_name}.{name}" if name else service_name
    if name.startswith("_"):
        raise ExposureError(f"{target!r}: a name that begins with an underscore is never remote")
    is_async = inspect.iscoroutinefunction(candidate.function)
    return RemoteMethod(
        service=service_name,
        name=name,
        target=target,
        function=candidate.function,
        resolve=candidate.resolve,
        signature=Signature.of(candidate.function, bound=candidate.bound),
        is_async=is_async,
        blocking=options.blocking and not is_async,
        rule=rule_of(service, scope=service_name).and_also(rule_of(options, scope=target)),
        connection=options.connection,
    )


def rule_of(options: ServiceOptions | MethodOptions, *, scope: str) -> Rule:
    """What a decorator demands. ExposureError if its throttle is no rate."""
    try:
        throttles = (Throttle.parse(options.throttle, scope=scope),) if options.throttle else ()
    except ValueError as error:
        raise ExposureError(f"{scope}: {error}") from error
    return Rule(
        login_required=options.login_required,
        permissions=(options.permission,) if options.permission else (),
        throttles=throttles,
    )
