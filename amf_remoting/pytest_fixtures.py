"""Fixtures: ``pytest_plugins = ["amf_remoting.pytest_fixtures"]`` in a conftest.py."""

from collections.abc import Iterator

import pytest

from .policy import policy
from .testing import AmfClient, AsyncAmfClient


@pytest.fixture
def amf_client() -> AmfClient:
    """An AmfClient that nobody has logged in."""
    return AmfClient()


@pytest.fixture
def async_amf_client() -> AsyncAmfClient:
    """The same for async tests."""
    return AsyncAmfClient()


@pytest.fixture
def fresh_policy() -> Iterator[None]:
    """The policy as a new process has it: nothing of the rows that another test rolled back."""
    policy.reset()
    yield
    policy.reset()
