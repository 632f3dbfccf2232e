"""Mutated packets against the running demo site; `make fuzz-gateway` posts 10,000 of them."""

import pytest

from tests.support.demo_server import DemoServer

from .flood import ALLOWED_GROWTH, flood


@pytest.mark.timeout(240)
def test_nothing_but_faults_comes_back(demo_server: DemoServer) -> None:
    outcomes, growth = flood(demo_server, count=700, seed=4)
    assert min(outcomes[kind] for kind in ("Result", "Status", "400")) > 50
    assert growth < ALLOWED_GROWTH
