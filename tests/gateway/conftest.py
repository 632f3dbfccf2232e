"""Services and a policy of their own for every test that asks for them."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client

from amf_remoting import pool
from amf_remoting.packet import Packet
from amf_remoting.policy import policy

from . import services


@pytest.fixture
def exposed(settings: Any) -> Any:
    """The test services, exposed by settings; gives the settings fixture."""
    settings.AMF_REMOTING = {
        "POLICY_FROM_DATABASE": False,
        "SERVICES": {
            "echo": services.EchoService,
            "staff": services.StaffService,
            "math": "tests.gateway.services",
        },
    }
    return settings


@pytest.fixture
def with_policy(exposed: Any) -> Iterator[Any]:
    """The same under the admin's policy, as a process that has just started holds it."""
    exposed.AMF_REMOTING = {
        **exposed.AMF_REMOTING,
        "POLICY_FROM_DATABASE": True,
        "POLICY_REFRESH_SECONDS": 1.0,
    }
    policy.reset()
    yield exposed
    policy.reset()


Post = Callable[..., Any]


@pytest.fixture(params=["wsgi", "asgi"])
def post(request: pytest.FixtureRequest, exposed: Any) -> Post:
    """Posts a body or a packet to the gateway through WSGI's and ASGI's handler; → response."""
    exposed.ROOT_URLCONF = "tests.gateway.urls"

    def send(
        body: bytes | Packet,
        *,
        path: str = "/gateway/",
        content_type: str = "application/x-amf",
        headers: dict[str, str] | None = None,
        method: str = "post",
    ) -> Any:
        data = body.serialize() if isinstance(body, Packet) else body
        if request.param == "wsgi":
            client: Any = Client()
            return getattr(client, method)(path, data, content_type, headers=headers)
        client = AsyncClient()
        call = async_to_sync(getattr(client, method))
        return call(path, data, content_type=content_type, headers=headers)

    return send


@pytest.fixture
def busy_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All threads of the methods are taken, and nobody may wait for one."""
    gate = threading.Event()
    full = pool.BoundedThreadPool(threads=1, max_waiting=0)
    full.submit(gate.wait, 30)
    monkeypatch.setitem(pool._pools, "methods", full)
    yield
    gate.set()
    full.shutdown()
