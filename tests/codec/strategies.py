"""Hypothesis strategies for everything that AMF can carry."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from amf_remoting import amf

texts = st.text(max_size=20)
names = st.text(min_size=1, max_size=10)
integers = st.integers(-(2**53), 2**53)
floats = st.floats(allow_nan=False)
dates = st.datetimes(
    min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)
).map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    integers,
    floats,
    texts,
    dates,
    st.binary(max_size=30),
    st.just(amf.Undefined),
    st.builds(amf.XML, texts),
    st.builds(amf.XMLDocument, texts),
    st.builds(amf.Date, st.sampled_from([float("inf"), -1e20, 1e300])),
)
vectors = st.one_of(
    st.builds(
        amf.IntVector, st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4), fixed=st.booleans()
    ),
    st.builds(amf.UIntVector, st.lists(st.integers(0, 2**32 - 1), max_size=4), fixed=st.booleans()),
    st.builds(amf.DoubleVector, st.lists(floats, max_size=4), fixed=st.booleans()),
)


def members(values: st.SearchStrategy[Any], *, size: int = 4) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(names, values, max_size=size)


def containers(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(values, max_size=4)
    pairs = st.lists(st.tuples(values, values), max_size=3)
    named = st.dictionaries(names.map("n{}".format), values, min_size=1, max_size=4)
    return st.one_of(
        lists,
        members(values),
        # Names that look like indexes cannot be told from the dense part in AMF0.
        st.builds(amf.MixedArray, lists, named),
        st.builds(amf.TypedObject, names.map("test.{}".format), members(values)),
        st.builds(amf.Dictionary, pairs, weak=st.booleans()),
        st.builds(amf.ObjectVector, lists, texts, st.booleans()),
        st.builds(amf.ArrayCollection, lists),
        st.builds(amf.ObjectProxy, members(values)),
    )


values = st.recursive(scalars | vectors, containers, max_leaves=10)
"""Any value: it comes back equal from both versions."""

plain = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**28), 2**28 - 1), floats, texts, dates),
    lambda inner: st.lists(inner, max_size=4) | members(inner),
    max_leaves=10,
)
"""What every AMF library knows."""
