"""Which methods are remote.

Methods are named by ``@remote_method``, services declared by ``@service``; a service answers
only once it is exposed under a name, by the setting SERVICES or by ``registry.expose``.
Lookups are made in a dict of full targets: nothing a caller sends ever reaches ``getattr``.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

from .exceptions import ExposureError, Fault, FaultCode
from .remote import (
    METHOD_MARK,
    SERVICE_MARK,
    MethodOptions,
    RemoteMethod,
    Service,
    ServiceOptions,
    describe_source,
)

Declared = TypeVar("Declared")
Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(slots=True)
class Registry:
    """Declared services, and those that are exposed. The package uses one: ``registry``."""

    declared: dict[str, object] = field(default_factory=dict)
    """By the name given to ``@service``; not public by that alone."""
    _services: dict[str, Service] = field(default_factory=dict)
    methods: Mapping[str, RemoteMethod] = field(default_factory=dict)
    """What answers, by target."""

    def declare(self, name: str, source: object) -> None:
        """Called by ``@service``. ExposureError if another thing was declared by that name."""
        known = self.declared.get(name)
        # The same class again is a reloaded module, not a second service.
        if known is not None and _qualified_name(known) != _qualified_name(source):
            raise ExposureError(f"two services are declared as {name!r}: {known!r}, {source!r}")
        self.declared[name] = source

    def expose(self, name: str, source: object, *, from_settings: bool = False) -> Service:
        """Makes the remote methods of ``source`` answer as ``name.method``.

        ExposureError if the name is taken or malformed, or if nothing of ``source`` is remote.
        """
        if not all(part.isidentifier() for part in name.split(".")):
            raise ExposureError(f"{name!r} is no name for a service")
        if name in self._services:
            raise ExposureError(f"a service named {name!r} is already exposed")
        service = describe_source(name, source, from_settings=from_settings)
        added = {method.target: method for method in service.methods.values()}
        if taken := added.keys() & self.methods.keys():
            raise ExposureError(f"two services answer {min(taken)!r}")
        # New dicts, not changed ones: calls in other threads look them up meanwhile.
        self._services = {**self._services, name: service}
        self.methods = {**self.methods, **added}
        return service

    def withdraw(self, name: str) -> None:
        """Ends the exposure of a service; nothing happens if there is none."""
        self._services = {key: one for key, one in self._services.items() if key != name}
        self.methods = {key: one for key, one in self.methods.items() if one.service != name}

    def find(self, target: str) -> RemoteMethod:
        """The method behind "service.method". Fault "Client.MethodNotFound" if there is none."""
        method = self.methods.get(target)
        if method is None:
            raise unknown_method(target)
        return method

    def __contains__(self, name: object) -> bool:
        return name in self._services

    def __getitem__(self, name: str) -> Service:
        return self._services[name]

    def __iter__(self) -> Iterator[Service]:
        """The exposed services by name."""
        return iter([self._services[name] for name in sorted(self._services)])

    def __len__(self) -> int:
        return len(self._services)


registry = Registry()


def unknown_method(target: str) -> Fault:
    """The fault of a call whose target nothing answers."""
    return Fault(FaultCode.METHOD_NOT_FOUND, f"unknown method {target[:200]!r}")


def service(
    name: str,
    *,
    permission: str | None = None,
    login_required: bool = False,
    throttle: str | None = None,
) -> Callable[[Declared], Declared]:
    """Declares a class, an object or a function as the service ``name``.

    It becomes public when SERVICES exposes it: ``{"echo": "echo"}`` or by its dotted path.
    """
    options = ServiceOptions(
        name=name, permission=permission, login_required=login_required, throttle=throttle
    )

    def declare(source: Declared) -> Declared:
        setattr(source, SERVICE_MARK, options)
        registry.declare(name, source)
        return source

    return declare


@overload
def remote_method(function: Method) -> Method: ...
@overload
def remote_method(
    *,
    name: str | None = None,
    permission: str | None = None,
    login_required: bool = False,
    throttle: str | None = None,
    connection: bool = False,
    blocking: bool = True,
) -> Callable[[Method], Method]: ...
def remote_method(  # noqa: PLR0913 - a decorator's options, all of them named
    function: Any = None,
    *,
    name: str | None = None,
    permission: str | None = None,
    login_required: bool = False,
    throttle: str | None = None,
    connection: bool = False,
    blocking: bool = True,
) -> Any:
    """Names a function or method remote; used plain or with options.

    ``permission`` is a Django permission; ``throttle`` a rate for each caller ("10/s");
    ``connection`` refuses doors without a lasting connection. ``blocking=False`` says that a sync
    method never waits for anything (database, files, network): event loops call it themselves
    instead of in a thread. With staticmethod and classmethod it is the inner decorator.
    """
    options = MethodOptions(
        name=name,
        permission=permission,
        login_required=login_required,
        throttle=throttle,
        connection=connection,
        blocking=blocking,
    )

    def mark(function: Any) -> Any:
        if not inspect.isfunction(function):
            raise ExposureError(f"@remote_method belongs directly on a function: {function!r}")
        setattr(function, METHOD_MARK, options)
        return function

    return mark if function is None else mark(function)


def _qualified_name(source: object) -> tuple[str, str]:
    named: Any = source if hasattr(source, "__qualname__") else type(source)
    return named.__module__, named.__qualname__
