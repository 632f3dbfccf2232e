"""A loopback server for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from .server import LoopbackServer, loopback_server


@pytest.fixture
async def server() -> AsyncIterator[LoopbackServer]:
    async with loopback_server() as loopback:
        yield loopback
