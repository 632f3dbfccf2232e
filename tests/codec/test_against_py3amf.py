"""Both directions against Py3AMF, an independent implementation.

Left out, because it is known to differ there: Vector and Dictionary (unknown to it), bytes in
AMF0 (sent as text), references in AMF0 (counted differently), references to text and dates in
AMF3 after its own faults, undefined inside of objects.
"""

from datetime import UTC, datetime
from typing import Any

import pyamf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amf_remoting import amf

from .strategies import plain

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
VERSIONS = pytest.mark.parametrize("version", [0, 3])


def aware(value: Any) -> Any:
    """Py3AMF's dates are naive, its objects dicts of their own."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    if isinstance(value, dict):
        return {key: aware(item) for key, item in value.items()}
    return [aware(item) for item in value] if isinstance(value, list) else value


def naive(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, dict):
        return {key: naive(item) for key, item in value.items()}
    return [naive(item) for item in value] if isinstance(value, list) else value


def has_its_faults(value: Any) -> bool:
    """Dates before 1970 lose their milliseconds; -0.0 its sign, harmlessly."""
    if isinstance(value, datetime):
        return value.year < 1971 or value.year > 2100
    if isinstance(value, dict):
        return any(map(has_its_faults, value.values()))
    return isinstance(value, list) and any(map(has_its_faults, value))


comparable = plain.filter(lambda value: not has_its_faults(value))


@VERSIONS
@given(value=comparable)
@settings(max_examples=60)
def test_it_reads_what_we_write(version: int, value: Any) -> None:
    (decoded,) = pyamf.decode(amf.dumps(value, version), encoding=version)
    assert aware(decoded) == value


@VERSIONS
@given(value=comparable)
@settings(max_examples=60)
def test_we_read_what_it_writes(version: int, value: Any) -> None:
    encoded = pyamf.encode(naive(value), encoding=version).getvalue()
    assert amf.loads(encoded, version) == value


@given(value=st.integers(-(2**28), 2**28 - 1))
def test_integers_are_the_same_bytes(value: int) -> None:
    assert amf.dumps(value) == pyamf.encode(value, encoding=pyamf.AMF3).getvalue()


@VERSIONS
@given(data=st.binary(max_size=60))
def test_what_both_read_is_the_same(version: int, data: bytes) -> None:
    """Random bytes seldom mean anything; where they do to both, they mean the same."""
    try:
        ours = amf.loads(data, version)
    except amf.AMFError:
        return
    if isinstance(ours, int | float | str | bool | None):
        try:
            (theirs,) = pyamf.decode(data, encoding=version)
        except Exception:  # anything: it does not check its input
            return
        assert repr(theirs) == repr(ours)
