"""Any value survives both versions; encoder and decoder agree about their tables."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amf_remoting import amf
from amf_remoting.packet import Header, Message, Packet, parse

from .strategies import names, texts, values


@pytest.mark.parametrize("version", [0, 3])
@given(value=values)
def test_any_value_survives(version: int, value: Any) -> None:
    encoded = amf.dumps(value, version)
    decoded = amf.loads(encoded, version)
    assert decoded == value
    assert amf.loads(amf.dumps(decoded, version), version) == value


@pytest.mark.parametrize("version", [0, 3])
@given(many=st.lists(values, max_size=3))
@settings(max_examples=40)
def test_any_sequence_survives(version: int, many: list[Any]) -> None:
    assert amf.loads_many(amf.dumps_many(many, version), version) == many


@given(many=st.lists(values, max_size=3), tables=st.sampled_from(["fresh", "shared"]))
@settings(max_examples=40)
def test_type_17_reads_the_same_either_way(many: list[Any], tables: Any) -> None:
    encoded = amf.dumps_many(many, avmplus=True)
    assert amf.loads_many(encoded, avmplus_tables=tables) == many


@pytest.mark.parametrize("version", [0, 3])
@given(first=values, second=values, rest=values)
@settings(max_examples=40)
def test_shared_values_stay_shared(version: int, first: Any, second: Any, rest: Any) -> None:
    """References count the same on both sides, whatever lies between."""
    one, two = [first], {"k": second}
    decoded = amf.loads(amf.dumps([one, two, rest, one, two], version), version)
    assert decoded == [one, two, rest, one, two]
    assert decoded[0] is decoded[3]
    assert decoded[1] is decoded[4]


@pytest.mark.parametrize("version", [0, 3])
@given(value=values)
@settings(max_examples=25)
def test_truncated_data_is_an_error(version: int, value: Any) -> None:
    encoded = amf.dumps(value, version)
    for end in range(len(encoded)):
        with pytest.raises(amf.DecodeError):
            amf.loads(encoded[:end], version)


@given(
    version=st.sampled_from([0, 1, 3]),
    headers=st.lists(st.builds(Header, texts, st.booleans(), values), max_size=1),
    calls=st.lists(st.builds(Message, names, texts, values, encoding=st.just(3)), max_size=2),
)
@settings(max_examples=40)
def test_packets_survive(version: int, headers: list[Header], calls: list[Message]) -> None:
    packet = Packet(version, headers, calls)
    assert parse(packet.serialize()) == packet
