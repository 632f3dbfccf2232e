"""Services and a policy of their own for every test that asks for them."""

from collections.abc import Iterator
from typing import Any

import pytest

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
