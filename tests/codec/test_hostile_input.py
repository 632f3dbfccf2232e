"""Input made to hurt: each is answered with an error, at once, without much memory."""

import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count

import pytest

from amf_remoting import amf
from amf_remoting.amf import AMFError, DecodeError, EncodeError, Limits
from amf_remoting.packet import parse

from .bytes_of import hexadecimal, message, packet

DEEP = 200_000


def fastest(work: Callable[[], object], *, error: type[AMFError] | None = None) -> float:
    """Processor seconds of the best of five runs, each of which must raise `error` if given."""
    times = []
    for _ in range(5):
        start = time.thread_time()
        with pytest.raises(error) if error else nullcontext():
            work()
        times.append(time.thread_time() - start)
    is_traced = sys.gettrace() is not None  # measuring coverage takes ten times as long
    return min(times) / (10 if is_traced else 1)


@contextmanager
def memory_below(size: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < size


@pytest.mark.parametrize(
    ("version", "level"),
    [
        (3, "09 03 01"),
        (3, "0A 0B 01 0361"),
        (3, "0A 13 01 01"),
        (3, "11 03 00"),
        (3, "10 03 00 01"),
        (3, "09 01 0361"),
        (3, "0A 07 43 666C65782E6D6573736167696E672E696F2E4172726179436F6C6C656374696F6E"),
        (0, "0A 00000001"),
        (0, "03 0001 61"),
        (0, "08 00000001 0001 61"),
        (0, "10 0001 41 0001 61"),
    ],
    ids=[
        "array",
        "object",
        "sealed",
        "dictionary",
        "vector",
        "mixed",
        "collection",
        "strict array",
        "object 0",
        "ECMA array",
        "typed object",
    ],
)
def test_200000_levels_are_refused_in_5_ms(version: int, level: str) -> None:
    data = hexadecimal(level) * DEEP
    assert fastest(lambda: amf.loads(data, version), error=DecodeError) < 0.005


def test_200000_levels_inside_of_a_packet() -> None:
    body = hexadecimal("11") + hexadecimal("09 03 01") * DEEP
    data = packet(message("a", "/1", body))
    assert fastest(lambda: parse(data)) < 0.005
    (call,) = parse(data).messages
    assert "nested deeper" in str(call.error)


@pytest.mark.parametrize("version", [0, 3])
@pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: {"a": v}, lambda v: (v,)])
def test_a_deep_graph_is_not_encoded(version: int, wrap: Callable[[object], object]) -> None:
    value: object = None
    for _ in range(DEEP):
        value = wrap(value)
    assert fastest(lambda: amf.dumps(value, version), error=EncodeError) < 0.005
    while value:  # or Python itself would free it by deep recursion
        value = value["a"] if isinstance(value, dict) else value[0]  # type: ignore[index]


@pytest.mark.parametrize("version", [0, 3])
def test_the_depth_limit_is_exact(version: int) -> None:
    value: object = 1
    for _ in range(10):
        value = [value]
    encoded = amf.dumps(value, version, limits=Limits(depth=10))
    assert amf.loads(encoded, version, limits=Limits(depth=10)) == value
    with pytest.raises(EncodeError, match="nested deeper"):
        amf.dumps(value, version, limits=Limits(depth=9))
    with pytest.raises(DecodeError, match="nested deeper"):
        amf.loads(encoded, version, limits=Limits(depth=9))


def test_depth_goes_through_the_switch_to_amf3() -> None:
    data = hexadecimal("0A 00000001") * 6 + b"\x11" + hexadecimal("09 03 01") * 6 + b"\x01"
    assert amf.loads(data, 0, limits=Limits(depth=12))
    with pytest.raises(DecodeError, match="nested deeper"):
        amf.loads(data, 0, limits=Limits(depth=11))
    value: object = amf.Dictionary([(1, amf.Dictionary([(1, 1)]))])
    with pytest.raises(EncodeError, match="nested deeper"):
        amf.dumps([[value]], 0, limits=Limits(depth=3))


@pytest.mark.parametrize("depth", [0, -1, 1001, 10**9])
def test_no_limit_allows_what_the_stack_cannot(depth: int) -> None:
    with pytest.raises(ValueError, match=r"Limits\.depth"):
        Limits(depth=depth)


@pytest.mark.parametrize("version", [0, 3])
def test_the_greatest_depth_is_safe(version: int) -> None:
    limits = Limits(depth=1000)
    value: object = None
    for _ in range(999):
        value = [value]
    level = hexadecimal("09 03 01" if version == 3 else "0A 00000001")
    data = level * 999 + (b"\x01" if version == 3 else b"\x05")
    # Interpreted, Python's own recursion limit comes first.
    with suppress(EncodeError):
        assert amf.dumps(value, version, limits=limits) == data
    with suppress(DecodeError):
        assert amf.loads(data, version, limits=limits)


@pytest.mark.parametrize("version", [0, 3])
def test_cyclic_graphs_are_written_once(version: int) -> None:
    items: list[object] = []
    names: dict[str, object] = {"items": items}
    items.append(names)
    assert len(amf.dumps(names, version)) < 30
    dictionary = amf.Dictionary()
    dictionary["self"] = dictionary
    assert len(amf.dumps(dictionary, version)) < 20


def test_string_references_do_not_explode_in_amf0() -> None:
    """85 KB of references to one text would be 655 MB."""
    data = amf.dumps(["x" * 16_000] + ["x" * 16_000] * 40_000)
    assert len(data) < 100_000
    value = amf.loads(data)
    with memory_below(20_000_000), pytest.raises(EncodeError, match="bytes of output"):
        amf.dumps(value, 0, limits=Limits(output_bytes=5_000_000))


@pytest.mark.parametrize("version", [0, 3])
@pytest.mark.parametrize(
    "value",
    [
        "x" * 2000,
        {"x" * 2000: 1},
        b"x" * 2000,
        amf.XML("x" * 2000),
        amf.XMLDocument("x" * 2000),
        amf.DoubleVector([0.0] * 300),
        [None] * 5000,
        [[]] * 5000,
        amf.ArrayCollection(["x" * 2000]),
        [amf.Date(0.0) for _ in range(500)],
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_output_budget(value: object, version: int) -> None:
    with pytest.raises(EncodeError, match="bytes of output"):
        amf.dumps([value, []], version, limits=Limits(output_bytes=1000))


@pytest.mark.parametrize("version", [0, 3])
def test_the_input_budget(version: int) -> None:
    data = amf.dumps(b"x" * 100, version)
    assert amf.loads(data, version, limits=Limits(input_bytes=len(data)))
    with pytest.raises(DecodeError, match="more than"):
        amf.loads(data, version, limits=Limits(input_bytes=len(data) - 1))


@pytest.mark.parametrize(
    ("version", "value"),
    [
        (3, [None] * 200),
        (3, {str(n): n for n in range(200)}),
        (3, amf.Dictionary([(n, n) for n in range(200)])),
        (3, amf.ObjectVector([None] * 200)),
        (3, amf.TypedObject("A", {str(n): n for n in range(200)})),
        (3, [[] for _ in range(100)]),
        (0, [None] * 200),
        (0, {str(n): n for n in range(200)}),
        (0, amf.MixedArray([], {f"k{n}": n for n in range(200)})),
        (0, [{} for _ in range(100)]),
        (0, amf.Dictionary([(n, n) for n in range(200)])),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_budget_of_values(version: int, value: object) -> None:
    data = amf.dumps(value, version)
    assert amf.loads(data, version, limits=Limits(values=1000)) == value
    with pytest.raises(DecodeError, match="more values than the limit"):
        amf.loads(data, version, limits=Limits(values=150))


@pytest.mark.parametrize(
    ("version", "data"),
    [
        (3, "09 FFFFFFFF 01"),
        (3, "09 FFFFFFFF 0361 01 01"),
        (3, "0F FFFFFFFF 00"),
        (3, "10 FFFFFFFF 00 01"),
        (3, "11 FFFFFFFF 00"),
        (3, "0C FFFFFFFF"),
        (3, "0A FFFFFFFB 01"),
        (0, "0A FFFFFFFF"),
        (0, "0C FFFFFFFF"),
        (0, "0F FFFFFFFF"),
        (0, "08 FFFFFFFF 000009"),
        (0, "02 FFFF"),
    ],
)
def test_counts_allocate_nothing(version: int, data: str) -> None:
    raw = hexadecimal(data)
    with memory_below(100_000), suppress(DecodeError):
        assert amf.loads(raw, version) == []


def test_a_byte_array_that_would_inflate_is_left_alone() -> None:
    bomb = hexadecimal("789C") + b"\0" * 1000
    with memory_below(20_000):
        assert amf.loads(b"\x0c" + hexadecimal("8F55") + bomb) == bomb


@pytest.mark.parametrize(
    "name", ["os.system", "builtins.object", "amf_remoting.amf.Limits", "dict"]
)
def test_class_names_construct_nothing(name: str) -> None:
    for version in (0, 3):
        value = amf.loads(amf.dumps(amf.TypedObject(name, {"a": 1}), version), version)
        assert type(value) is amf.TypedObject


def test_an_unknown_externalizable_class_is_an_error() -> None:
    with pytest.raises(DecodeError, match="'evil' is not registered"):
        amf.loads(hexadecimal("0A 07 09 6576696C 04 01"))


def test_xml_entities_stay_text() -> None:
    text = '<!DOCTYPE a [<!ENTITY b "' + "x" * 100 + '">]><a>&b;&b;</a>'
    for version in (0, 3):
        for cls in (amf.XML, amf.XMLDocument):
            assert amf.loads(amf.dumps(cls(text), version), version) == cls(text)


def test_an_endless_iterator_is_an_error() -> None:
    with pytest.raises(EncodeError, match="an iterator of more than"):
        amf.dumps(count())


@pytest.mark.parametrize("data", ["06 00", "0A 00", "09 02", "0A 01", "0A 0B 00", "0C 04", "08 02"])
def test_references_to_nothing(data: str) -> None:
    with pytest.raises(DecodeError, match=r"no (string|object|traits) ha(s|ve) the index"):
        amf.loads(hexadecimal(data))


@pytest.mark.parametrize("data", ["12", "FF", "0D", "04", "05 00", "06 05 41", "08 01 00", "0A 0B"])
def test_what_is_not_amf3(data: str) -> None:
    with pytest.raises(DecodeError):
        amf.loads(hexadecimal(data))


@pytest.mark.parametrize("version", [0, 3])
def test_no_bytes_and_too_many(version: int) -> None:
    with pytest.raises(DecodeError, match="ends inside"):
        amf.loads(b"", version)
    with pytest.raises(DecodeError, match="behind the value") as caught:
        amf.loads(amf.dumps(None, version) + b"\0", version)
    assert caught.value.offset == 1
    assert amf.loads_many(b"", version) == []


@pytest.mark.parametrize("version", [1, 2, 4, -1])
def test_there_is_no_other_version(version: int) -> None:
    for call in (amf.dumps, amf.loads):
        with pytest.raises(ValueError, match="versions 0 and 3"):
            call(b"", version)


@dataclass
class Tagged:
    tags: list[str] = field(default_factory=list)
    grid: list[list[int]] = field(default_factory=list)
    price: Decimal = Decimal(0)


@pytest.fixture
def tagged() -> Iterator[type[Tagged]]:
    amf.alias("test.Tagged")(Tagged)
    yield Tagged
    amf.registry.discard("test.Tagged")


def test_what_objects_share_is_converted_once(tagged: type[Tagged]) -> None:
    """20 KB that would be 2,000 lists of 5,000 items, and as many numbers of 4,000 digits."""
    tags, row, price = ["x"] * 5_000, [1.0] * 500, "1" * 4_000
    grid = [row] * 500
    people = [
        amf.TypedObject("test.Tagged", {"tags": tags, "grid": grid, "price": price})
        for _ in range(2_000)
    ]
    data = amf.dumps(people)
    start = time.thread_time()
    with memory_below(10_000_000):
        decoded = amf.loads(data)
    assert time.thread_time() - start < 2
    first, last = decoded[0], decoded[-1]
    assert first.tags == tags
    assert last.tags is first.tags
    assert first.grid[0] is first.grid[-1]
    assert first.price == Decimal(price)


def test_objects_with_defaults_only_cost_what_they_become(tagged: type[Tagged]) -> None:
    data = hexadecimal("09 8F51 01 0A 03 17 746573742E546167676564") + b"\x0a\x01" * 999
    assert len(amf.loads(data, limits=Limits(values=5_100))) == 1_000
    with pytest.raises(DecodeError, match="more values"):
        amf.loads(data, limits=Limits(values=4_900))
