"""A short run of the fuzzer with seeds that never change."""

import tracemalloc

from .fuzz import check, check_memory, corpus, inputs, run


def test_mutated_input_raises_nothing_but_amf_errors() -> None:
    for _, data in zip(range(3000), inputs(seed=1), strict=False):
        check(data)


def test_memory_stays_within_100_times_the_input() -> None:
    tracemalloc.start()
    try:
        for _, data in zip(range(500), inputs(seed=2), strict=False):
            check_memory(data)
        for level in (b"\x09\x01\x01", b"\x0a\x01", b"\x11\x01\x00", b"\x0d\x01\x00", b"\x07\x01"):
            head = (
                b"\x09\xff\xff\x7f\x01"
                if level != b"\x0a\x01"
                else b"\x09\xff\xff\x7f\x01\x0a\x03\x03A"
            )
            check_memory(head + level * 50_000)
        for level in (
            b"\x03\0\0\x09",
            b"\x10\0\0\0\0\x09",
            b"\x08\0\0\0\0\0\0\x09",
            b"\x0f\0\0\0\0",
        ):
            check_memory((b"\x0a\0\0\xc3\x50") + level * 50_000)
    finally:
        tracemalloc.stop()


def test_the_corpus_itself_is_fine() -> None:
    for data in corpus():
        check(data)


def test_the_fuzzer_runs_for_as_long_as_it_is_told() -> None:
    found = run(seconds=0.2, seed=3, measure_every=2)
    assert found.inputs > 0
    assert found.measured == (found.inputs + 1) // 2
    assert 0 < found.slowest < 1
