"""Packets that are written message by message, as responses are."""

from decimal import Decimal

import pytest

from amf_remoting.amf import EncodeError, Limits, Policy
from amf_remoting.packet import Header, Message, PacketWriter, parse


class Refusing(dict):
    """Fails where it is read, as lazy values do."""

    def items(self) -> object:
        raise RuntimeError("no database here")


class Bottomless(dict):
    """As a value that is nested too deeply for the stack, not for the limit."""

    def items(self) -> object:
        raise RecursionError


def test_it_writes_what_packet_and_message_do() -> None:
    writer = PacketWriter(1)
    writer.write("/1/onResult", ["a", 2, None])
    writer.write("/2/onResult", {"ä": 1.5}, 3)
    headers = [Header("h", True, "v")]
    parsed = parse(writer.getvalue([header.serialize() for header in headers]))
    assert (parsed.version, parsed.headers) == (1, headers)
    assert parsed.messages == [
        Message("/1/onResult", "null", ["a", 2, None]),
        Message("/2/onResult", "null", {"ä": 1.5}, encoding=3),
    ]
    assert parsed.serialize() == writer.getvalue([header.serialize() for header in headers])


def test_a_packet_of_amf3_holds_amf3() -> None:
    writer = PacketWriter(3)
    writer.write("/1/onResult", 1)
    assert [message.encoding for message in parse(writer.getvalue([])).messages] == [3]


@pytest.mark.parametrize("encoding", [0, 3])
def test_what_cannot_be_encoded_leaves_nothing_behind(encoding: int) -> None:
    shared = ["shared"]
    writer = PacketWriter(limits=Limits(depth=3))
    for bad, error in (
        ([shared, [[[[]]]]], EncodeError),
        ([shared, object()], EncodeError),
        ([shared, Refusing(a=1)], RuntimeError),
    ):
        with pytest.raises(error):
            writer.write("/bad", bad, encoding)
    writer.write("/1", [shared, [[1]]], encoding)
    (message,) = parse(writer.getvalue([])).messages
    assert (message.target_uri, message.value) == ("/1", [shared, [[1]]])


def test_messages_share_no_references_and_keep_their_policy() -> None:
    writer = PacketWriter(policy=Policy(decimals="number"))
    value = [Decimal("1.5")]
    for target in ("/1", "/2"):
        writer.write(target, value)
    assert [message.value for message in parse(writer.getvalue([])).messages] == [[1.5], [1.5]]
    assert writer.getvalue([]).count(b"\x0a\0\0\0\1") == 2


@pytest.mark.parametrize("encoding", [0, 3])
def test_all_messages_share_one_budget(encoding: int) -> None:
    writer = PacketWriter(limits=Limits(output_bytes=1000))
    writer.write("/1", "x" * 600, encoding)
    with pytest.raises(EncodeError, match="1000 bytes"):
        writer.write("/2", "x" * 600, encoding)
    writer.write("/3", "x" * 200, encoding)
    writer.write_serialized(Message("/4", value="y" * 2000).serialize())
    sizes = [(one.target_uri, len(one.value)) for one in parse(writer.getvalue([])).messages]
    assert sizes == [("/1", 600), ("/3", 200), ("/4", 2000)]


def test_a_target_must_have_room_in_its_field() -> None:
    writer = PacketWriter()
    with pytest.raises(EncodeError, match="count"):
        writer.write("x" * 65_536, 1)
    assert parse(writer.getvalue([])).messages == []


@pytest.mark.parametrize(
    ("uri", "wanted"),
    [
        ("/1", True),
        ("null", False),
        ("", False),
        ("x" * (0xFFFF - 9), True),
        ("x" * (0xFFFF - 8), False),
        ("ä" * 32_764, False),
    ],
)
def test_an_answer_is_wanted_where_its_address_has_room(uri: str, wanted: bool) -> None:
    assert Message("a.b", uri).wants_answer is wanted


def test_deeper_than_the_stack_leaves_nothing_behind() -> None:
    writer = PacketWriter()
    with pytest.raises(EncodeError, match="nested deeper than the stack"):
        writer.write("/1/onResult", Bottomless(a=1))
    assert parse(writer.getvalue([])).messages == []


def test_messages_and_headers_are_counted_by_two_bytes() -> None:
    writer = PacketWriter()
    for _ in range(0xFFFF):
        writer.write_serialized(b"")
    assert writer.getvalue([]) == b"\0\0\0\0\xff\xff"
    assert writer.getvalue([b"h"]) == b"\0\0\0\1h\xff\xff"
    with pytest.raises(EncodeError, match="cannot count to 65536"):
        writer.getvalue([b""] * 65_536)
    writer.write_serialized(b"")
    with pytest.raises(EncodeError, match="cannot count to 65536"):
        writer.getvalue([])
    with pytest.raises(EncodeError, match="cannot count to 65536"):
        PacketWriter(65_536)
