"""Rates, per caller and scope."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User

from amf_remoting import throttle as throttle_module
from amf_remoting import throttling
from amf_remoting.dispatch import Call, adispatch, dispatch
from amf_remoting.exceptions import ExposureError, Fault
from amf_remoting.models import ServicePolicy
from amf_remoting.registry import Registry, registry, remote_method, service
from amf_remoting.testing import AmfClient
from amf_remoting.throttle import Buckets, Throttle, buckets


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [1000.0]
    monkeypatch.setattr(throttling.time, "monotonic", lambda: now[0])
    buckets.clear()
    yield now
    buckets.clear()


@pytest.mark.parametrize(
    ("rate", "calls", "seconds", "written"),
    [
        ("10/s", 10, 1, "10/s"), ("1/sec", 1, 1, "1/s"), ("100/min", 100, 60, "100/min"),
        ("5/10s", 5, 10, "5/10s"), (" 7 / h ", 7, 3600, "7/h"), ("1/2d", 1, 172800, "1/2d"),
        ("3/60s", 3, 60, "3/min"),
    ],
)  # fmt: skip
def test_rates(rate: str, calls: int, seconds: int, written: str) -> None:
    throttle = Throttle.parse(rate, scope="x")
    assert (throttle.calls, throttle.seconds, throttle.rate) == (calls, seconds, written)


@pytest.mark.parametrize("rate", ["", "10", "0/s", "10/0s", "-1/s", "10/week", "x/s", "1.5/s"])
def test_what_is_no_rate(rate: str) -> None:
    with pytest.raises(ValueError, match="is no rate"):
        Throttle.parse(rate, scope="x")


def test_a_bucket_empties_and_refills() -> None:
    mine, rate = Buckets(), Throttle("x", 3, 60)
    assert [mine.take(rate, "joe", now=0.0) for _ in range(5)] == [0, 0, 0, 20, 20]
    assert mine.wait(rate, "joe", now=15.0) == 5
    assert mine.take(rate, "eve", now=15.0) == 0
    assert mine.take(rate, "joe", now=20.0) == 0
    assert mine.take(rate, "joe", now=20.0) == 20
    assert [mine.take(rate, "joe", now=10_000.0) for _ in range(4)] == [0, 0, 0, 20]


def test_buckets_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle_module, "MAX_BUCKETS", 10)
    mine, rate = Buckets(), Throttle("x", 1, 60)
    for number in range(100):
        mine.take(rate, str(number), now=0.0)
    assert len(mine._levels) == 10
    assert mine.take(rate, "99", now=0.0) == 60


@pytest.fixture
def limited(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "declared", {})

    @service("limited", throttle="3/min")
    class Limited:
        @remote_method(throttle="2/min")
        def tight(self) -> str:
            return "ok"

        @remote_method
        async def loose(self) -> str:
            return "ok"

    registry.expose("limited", Limited)
    yield
    registry.withdraw("limited")


@pytest.mark.usefixtures("limited")
class TestCalls:
    def outcome(self, target: str, **keys: Any) -> Any:
        try:
            return dispatch(Call(target, **keys))
        except Fault as fault:
            return fault.details.get("retryAfter", fault.code)

    def test_of_a_method_and_of_its_service(self, clock: list[float]) -> None:
        assert [self.outcome("limited.tight") for _ in range(3)] == ["ok", "ok", 30]
        # The refused call took its service's last token.
        assert self.outcome("limited.loose") == 20
        clock[0] += 20
        assert self.outcome("limited.loose") == "ok"

    def test_callers_are_told_apart(self) -> None:
        joe, eve = (SimpleNamespace(is_authenticated=True, pk=pk) for pk in (1, 2))
        request = SimpleNamespace(META={"REMOTE_ADDR": "192.0.2.1"})
        connection = SimpleNamespace(scope={"client": ["192.0.2.2", 1935]})
        for keys in (
            {"user": joe},
            {"user": eve},
            {"request": request},
            {"connection": connection},
        ):
            assert [self.outcome("limited.tight", **keys) for _ in range(3)] == ["ok", "ok", 30]

    async def test_on_a_loop(self) -> None:
        for _ in range(3):
            assert await adispatch(Call("limited.loose")) == "ok"
        with pytest.raises(Fault) as caught:
            await adispatch(Call("limited.loose"))
        assert caught.value.information == {
            "level": "error",
            "code": "Client.Throttled",
            "description": "limited.loose is called too often; try again in 20 s",
            "retryAfter": 20,
        }


@pytest.mark.django_db
@pytest.mark.usefixtures("with_policy", "clock")
def test_the_admin_throttles() -> None:
    ServicePolicy.objects.create(service="math", throttle="1/min")
    ServicePolicy.objects.create(service="echo", throttle="nonsense")
    assert dispatch(Call("math.add", [1, 2])) == 3
    with pytest.raises(Fault, match="too often"):
        dispatch(Call("math.add", [1, 2]))
    assert [dispatch(Call("echo.echo", [n])) for n in range(3)] == [0, 1, 2]


def test_a_rate_that_is_none_cannot_be_exposed() -> None:
    @remote_method(throttle="often")
    def wrong() -> None: ...

    with pytest.raises(ExposureError, match="'often' is no rate"):
        Registry().expose("wrong", wrong)


@pytest.mark.django_db
def test_failed_logins_are_throttled(exposed: Any, clock: list[float]) -> None:
    exposed.ROOT_URLCONF = "tests.gateway.urls"
    exposed.AMF_REMOTING = {**exposed.AMF_REMOTING, "LOGIN_THROTTLE": "2/min"}
    User.objects.create_user("joe", password="secret")

    def log_in(password: str) -> Any:
        client = AmfClient()
        client.conversation.set_credentials("joe", password)
        try:
            return client.call("staff.whoami")
        except Fault as fault:
            return fault.code

    assert [log_in("secret") for _ in range(3)] == ["joe"] * 3
    assert [log_in("wrong") for _ in range(3)] == ["Client.Authentication"] * 2 + [
        "Client.Throttled"
    ]
    assert log_in("secret") == "Client.Throttled"
    clock[0] += 30
    assert log_in("secret") == "joe"
    exposed.AMF_REMOTING = {**exposed.AMF_REMOTING, "LOGIN_THROTTLE": ""}
    assert [log_in("wrong") for _ in range(4)] == ["Client.Authentication"] * 4
