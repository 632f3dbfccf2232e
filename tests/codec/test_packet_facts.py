"""The packet as it is on the wire: what the specification leaves out and peers get wrong."""

import copy
import pickle
from typing import Any

import pytest

from amf_remoting import amf
from amf_remoting.amf import DecodeError, EncodeError, Limits, MixedArray
from amf_remoting.packet import Header, Lengths, Message, Packet, parse

from .bytes_of import hexadecimal, message, packet, string0, utf8

NULL_ARGUMENT = hexadecimal("0A 00000001 05")
BROKEN = hexadecimal("0A 00000001 FF")


@pytest.mark.fact(23)
@pytest.mark.parametrize("version", [0, 1, 3])
def test_versions_0_1_and_3(version: int) -> None:
    parsed = parse(packet(version=version))
    assert parsed == Packet(version)
    assert parsed.serialize() == packet(version=version)


@pytest.mark.fact(23)
@pytest.mark.parametrize("version", [2, 4, 0xFFFF])
def test_other_versions_are_refused(version: int) -> None:
    with pytest.raises(DecodeError, match="version"):
        parse(packet(version=version))


@pytest.mark.fact(23)
def test_counts_are_unsigned() -> None:
    many = Packet(0, [], [Message("a", "/1")] * 40_000)
    assert len(parse(many.serialize()).messages) == 40_000
    with pytest.raises(EncodeError, match="count"):
        Packet(0, [], [Message("a", "/1")] * 65_536).serialize()
    with pytest.raises(DecodeError, match="ends too early"):
        parse(hexadecimal("0000 FFFF"))


@pytest.mark.fact(24)
@pytest.mark.parametrize("length", [0xFFFFFFFF, 0, 1, 5, 7, 1000])
def test_a_length_is_never_trusted(length: int) -> None:
    calls = [message("a.b", f"/{n}", NULL_ARGUMENT, length) for n in (1, 2)]
    parsed = parse(packet(*calls))
    assert [(each.response_uri, each.value) for each in parsed.messages] == [
        ("/1", [None]),
        ("/2", [None]),
    ]


@pytest.mark.fact(24)
def test_a_right_length_isolates_a_broken_message() -> None:
    first, second, third = parse(
        packet(
            message("a", "/1", BROKEN),
            message("b", "/2", NULL_ARGUMENT),
            message("c", "/3", BROKEN),
        )
    ).messages
    assert isinstance(first.error, DecodeError)
    assert (first.target_uri, first.response_uri, first.value) == ("a", "/1", None)
    assert (second.error, second.value) == (None, [None])
    assert isinstance(third.error, DecodeError)


@pytest.mark.fact(24)
@pytest.mark.parametrize("length", [0, 0xFFFFFFFF, 3, 7, 8, 11])
def test_behind_a_broken_message_of_wrong_length_nothing_is_found(length: int) -> None:
    parsed = parse(packet(message("a", "/1", BROKEN, length), message("b", "/2", NULL_ARGUMENT)))
    assert [each.response_uri for each in parsed.messages] == ["/1"]
    assert parsed.messages[0].error is not None


TWO_OF_THREE = hexadecimal("0A 00000003 05 05")
"""Cut off: the next message's first bytes would be its third item, a number."""


@pytest.mark.fact(24)
@pytest.mark.parametrize(
    ("body", "error"),
    [
        (TWO_OF_THREE, "the body is longer than its length"),
        (b"", "the body is longer than its length"),
        (hexadecimal("0A 00000002 05 02 0004 61"), "longer than its length"),
        (hexadecimal("0A 00000001 0A 00000009 05"), "the data ends inside a value"),
    ],
    ids=["array", "nothing", "text", "array within"],
)
def test_a_body_that_was_cut_off_is_isolated(body: bytes, error: str) -> None:
    calls = [message("c.d", f"/{n}", NULL_ARGUMENT) for n in (2, 3)]
    first, *others = parse(packet(message("a.b", "/1", body), *calls)).messages
    assert (first.response_uri, first.value) == ("/1", None)
    assert error in str(first.error)
    assert [(each.response_uri, each.value, each.error) for each in others] == [
        ("/2", [None], None),
        ("/3", [None], None),
    ]


@pytest.mark.fact(24)
def test_bodies_that_were_cut_off_are_isolated_each() -> None:
    cut = [message("a.b", f"/{n}", TWO_OF_THREE) for n in (1, 2)]
    found = parse(packet(*cut, message("c.d", "/3", NULL_ARGUMENT))).messages
    assert [each.response_uri for each in found] == ["/1", "/2", "/3"]
    assert [each.error is None for each in found] == [False, False, True]


def test_lengths_are_followed_to_the_end_only_once() -> None:
    call = message("a.b", "/1", NULL_ARGUMENT)
    data, behind_the_first = packet(call, call, call), len(packet(call))
    assert Lengths(data).fit(behind_the_first, 2)
    lengths = Lengths(data)
    assert not lengths.fit(behind_the_first - 1, 2)
    assert not lengths.fit(behind_the_first, 2)


@pytest.mark.fact(24)
def test_what_follows_a_value_within_its_length_is_passed_over() -> None:
    longer = message("a.b", "/1", NULL_ARGUMENT + b"\0\1")
    parsed = parse(packet(longer, message("c.d", "/2", NULL_ARGUMENT)))
    assert [(each.response_uri, each.value) for each in parsed.messages] == [
        ("/1", [None]),
        ("/2", [None]),
    ]


@pytest.mark.fact(24)
def test_our_lengths_are_right() -> None:
    sent = Packet(0, [Header("h", True, 1)], [Message("a", "/1", [1]), Message("b", "/2", "x")])
    data = sent.serialize()
    assert data == (
        hexadecimal("0000 0001")
        + utf8("h")
        + hexadecimal("01 00000009 00 3FF0000000000000 0002")
        + message("a", "/1", hexadecimal("0A 00000001 00 3FF0000000000000"))
        + message("b", "/2", string0("x"))
    )
    assert parse(data) == sent


@pytest.mark.fact(25)
def test_avm_plus_is_accepted_in_an_amf0_packet() -> None:
    (call,) = parse(packet(message("a", "/1", hexadecimal("0A 00000001 11 04 05")))).messages
    assert (call.value, call.encoding) == ([5], 3)
    (call,) = parse(packet(message("a", "/1", NULL_ARGUMENT))).messages
    assert call.encoding == 0


@pytest.mark.fact(25)
def test_encoding_3_goes_out_behind_11() -> None:
    data = Packet(3, [], [Message("/1/onResult", "null", {"a": 1}, encoding=3)]).serialize()
    assert data.endswith(b"\x11" + amf.dumps({"a": 1}, 3))
    assert parse(data).messages[0].encoding == 3


@pytest.mark.fact(26)
def test_targets_and_response_uris() -> None:
    data = Packet(0, [], [Message("/1/onResult", value=1)]).serialize()
    (answer,) = parse(data).messages
    assert (answer.target_uri, answer.response_uri) == ("/1/onResult", "null")
    with pytest.raises(EncodeError):
        Packet(0, [], [Message("x" * 65_536)]).serialize()


@pytest.mark.fact(26)
def test_response_uris_may_repeat_or_be_empty() -> None:
    uris = ["/1", "/1", "null", "", "/1"]
    sent = Packet(0, [], [Message("a", uri, [n]) for n, uri in enumerate(uris)])
    assert [each.response_uri for each in parse(sent.serialize()).messages] == uris


@pytest.mark.fact(26)
def test_a_response_can_call_methods_of_the_client() -> None:
    sent = Packet(
        0,
        [Header("AppendToGatewayUrl", False, "?s=1")],
        [Message("onNews", "null", ["hello"])],
    )
    assert parse(sent.serialize()) == sent


@pytest.mark.fact(27)
@pytest.mark.parametrize(
    ("body", "value"),
    [
        (NULL_ARGUMENT, [None]),
        (hexadecimal("05"), None),
        (hexadecimal("08 00000000") + utf8("n") + hexadecimal("05 000009"), "ECMA"),
        (hexadecimal("11 09 03 01 04 05"), [5]),
        (string0("bare"), "bare"),
    ],
    ids=["strict array", "null", "ECMA array", "AMF3 array", "bare value"],
)
def test_bodies_of_every_kind(body: bytes, value: object) -> None:
    (call,) = parse(packet(message("a", "/1", body))).messages
    assert call.value == (MixedArray([], {"n": None}) if value == "ECMA" else value)


def test_headers_have_tables_and_lengths_like_messages() -> None:
    header = utf8("h") + b"\0" + b"\xff\xff\xff\xff" + hexadecimal("11 06 03 61")
    body = hexadecimal("0A 00000001 11 06 00")
    data = hexadecimal("0000 0001") + header + b"\0\1" + message("a", "/1", body)
    parsed = parse(data)
    assert parsed.headers == [Header("h", False, "a")]
    assert "no string has the index 0" in str(parsed.messages[0].error)


def test_a_broken_header_breaks_the_packet() -> None:
    with pytest.raises(DecodeError):
        parse(hexadecimal("0000 0001") + utf8("h") + hexadecimal("00 00000001 FF 0000"))


def test_the_budget_is_shared_by_all_messages() -> None:
    body = amf.dumps([0] * 600, 0)
    first, second = parse(
        packet(message("a", "/1", body), message("b", "/2", body)), limits=Limits(values=1000)
    ).messages
    assert first.error is None
    assert "more values than the limit" in str(second.error)


def test_an_error_leaves_the_full_depth_to_the_next_message() -> None:
    deep = hexadecimal("0A 00000001") * 60
    data = packet(message("a", "/1", deep), message("b", "/2", amf.dumps([[[[]]]], 0)))
    first, second = parse(data, limits=Limits(depth=50)).messages
    assert "nested deeper" in str(first.error)
    assert second.value == [[[[]]]]


def test_a_truncated_packet_is_an_error() -> None:
    data = packet(message("a", "/1", NULL_ARGUMENT))
    for end in range(len(data)):
        try:
            (call,) = parse(data[:end]).messages
        except DecodeError:
            continue
        assert call.error is not None


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_packets_from_every_kind_of_buffer(kind: Any) -> None:
    (parsed,) = parse(kind(Packet(3, [], [Message("a.b", "/1", [1])]).serialize())).messages
    assert parsed.value == [1]


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_packets_can_be_copied(copied: Any) -> None:
    packet = Packet(3, [Header("h", True, 1)], [Message("a.b", "/1", [1], encoding=3)])
    assert copied(packet) == packet
    assert copied(packet.headers[0]) == packet.headers[0]
    assert copied(packet.messages[0]) == packet.messages[0]
