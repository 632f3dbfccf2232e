"""The exposed services with what the code and the admin say of them, as rows of a table."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db.models import Avg, Count, Q, QuerySet
from django.utils import timezone

from .conf import remoting_settings
from .describe import docstring
from .models import CallRecord, ServicePolicy
from .registry import registry
from .remote import RemoteMethod, Service, rule_of
from .rules import Rule

FEW = 20
"""Services that a page shows without a search."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Logged calls of the last day."""

    calls: int
    errors: int
    milliseconds: float
    """Mean duration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A service (method "") or a method."""

    service: str
    method: str
    target: str
    summary: str
    """The first line of the docstring."""
    rule: Rule
    """All that must be met, service, method and code together."""
    policy: ServicePolicy | None
    """What the admin says of this very service or method."""
    exposed: bool = True
    statistics: Statistics | None = None

    @property
    def is_service(self) -> bool:
        """Whether it stands for all methods of a service."""
        return not self.method

    @property
    def own_enabled(self) -> bool:
        """Whether it is switched on itself; its service may be off nevertheless."""
        return self.policy is None or self.policy.enabled


def has_many() -> bool:
    """Whether so many services are exposed that people want to search them."""
    return len(registry) > FEW


def is_named(query: str, target: str) -> bool:
    """Whether ``target`` has ``query`` in it, in letters of any case."""
    return query.strip().lower() in target.lower()


def rows(query: str = "") -> list[Row]:
    """Services by name, each followed by its methods; policies of what is not exposed last.

    With ``query``, those that are named so.
    """
    policies = {(one.service, one.method): one for one in ServicePolicy.objects.all()}
    found = [row for service in registry for row in _rows_of(service, policies)]
    known = {(row.service, row.method) for row in found}
    orphans = [policy for key, policy in policies.items() if key not in known]
    found += [_orphan(policy) for policy in orphans]
    found = [row for row in found if is_named(query, row.target)]
    if not remoting_settings().call_log:
        return found
    counted = statistics()
    return [replace(row, statistics=counted.get((row.service, row.method))) for row in found]


def _rows_of(service: Service, policies: dict[tuple[str, str], ServicePolicy]) -> Iterator[Row]:
    policy = policies.get((service.name, ""))
    of_service = Rule() if policy is None else policy.rule
    options = rule_of(service.options, scope=service.name)
    single = service.methods.get("")
    yield Row(
        service=service.name,
        method="",
        target=service.name,
        summary=docstring(service.source).partition("\n")[0],
        rule=(options if single is None else single.rule).and_also(of_service),
        policy=policy,
    )
    for method in service.methods.values():
        if method.name:
            yield _row_of(method, of_service, policies.get((service.name, method.name)))


def _row_of(method: RemoteMethod, of_service: Rule, policy: ServicePolicy | None) -> Row:
    return Row(
        service=method.service,
        method=method.name,
        target=method.target,
        summary=docstring(method.function).partition("\n")[0],
        rule=method.rule.and_also(of_service).and_also(policy.rule if policy else None),
        policy=policy,
    )


def _orphan(policy: ServicePolicy) -> Row:
    return Row(
        service=policy.service,
        method=policy.method,
        target=str(policy),
        summary="",
        rule=policy.rule,
        policy=policy,
        exposed=False,
    )


def statistics() -> dict[tuple[str, str], Statistics]:
    """By (service, method), what the call log knows of the last day; two queries.

    Method "": all calls of the service, those of methods that it lacks among them. Callers can name
    what they like: what is not exposed is not counted one by one.
    """
    services = list(registry)
    methods = {name for service in services for name in service.methods}
    logged = CallRecord.objects.filter(
        called_at__gte=timezone.now() - timedelta(days=1),
        service__in=[service.name for service in services],
    )
    of_methods = _counted(logged.filter(method__in=methods), "service", "method")
    found = {(service, method): one for (service, method), one in of_methods}
    return found | {(service, ""): one for (service,), one in _counted(logged, "service")}


def _counted(
    logged: QuerySet[CallRecord], *names: str
) -> Iterator[tuple[tuple[str, ...], Statistics]]:
    numbers = {
        "calls": Count("pk"),
        "errors": Count("pk", filter=~Q(outcome="")),
        "mean": Avg("milliseconds"),
    }
    for row in logged.order_by().values(*names).annotate(**numbers):
        statistics = Statistics(row["calls"], row["errors"], row["mean"])
        yield tuple(row[name] for name in names), statistics
