"""A short run of the fuzzer; the long one is `python -m tests.protocol.fuzz`."""

from __future__ import annotations

from collections import Counter

from .fuzz import run_case


def test_nothing_but_remote_protocol_errors_comes_out():
    endings = Counter(run_case(seed) for seed in range(400))
    assert endings["survived"] > 50
    assert len(endings) > 10
