"""Bodies that real clients sent, understood to their end."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from amf_remoting import amf
from amf_remoting.flex.messages import RemotingMessage
from amf_remoting.packet import Header, Packet, parse

CAPTURES = Path(__file__).parent.parent / "captures" / "amf"
NAMES = [
    "royale_array_collection",
    "royale_call",
    "royale_ping",
    "royale_typed_object",
    "ruffle_avm1",
    "ruffle_avm2",
]


def captured(name: str) -> Packet:
    return parse((CAPTURES / f"{name}.bin").read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_every_capture_is_understood_and_written_again(name: str) -> None:
    packet = captured(name)
    assert packet.messages
    assert all(message.error is None for message in packet.messages)
    assert parse(packet.serialize()) == packet


def test_no_capture_is_forgotten() -> None:
    assert sorted(path.stem for path in CAPTURES.glob("*.bin")) == NAMES


def test_ruffle_avm1_is_byte_exact() -> None:
    assert captured("ruffle_avm1").serialize() == (CAPTURES / "ruffle_avm1.bin").read_bytes()


def test_ruffle_avm1() -> None:
    packet = captured("ruffle_avm1")
    assert packet.headers == [Header("X-Test", False, "h")]
    assert [message.value for message in packet.messages] == [
        [amf.TypedObject("org.test.Person", {"name": "Bob", "age": 42})],
        ["str"],
        [1.5],
        [None],
        [True],
        [[1, "two"]],
        [1],
    ]


def test_ruffle_avm2() -> None:
    packet = captured("ruffle_avm2")
    assert packet.headers == [Header("X-Test", False, {"a": 1})]
    targets = [message.target_uri for message in packet.messages]
    assert targets == ["echo.echo"] * 14 + ["echo.fail", "echo.noresponder"]
    assert [message.value[0] for message in packet.messages] == [
        None,
        True,
        False,
        7,
        -5,
        3.25,
        10**15,
        "héllo 世界 😀",
        "",
        [1, "two", None, [3]],
        {"x": 1, "y": "z"},
        datetime(2009, 2, 13, 23, 31, 30, 123_000, tzinfo=UTC),
        amf.Undefined,
        {"age": 42, "name": "Zoë"},
        1,
        "x",
    ]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("royale_call", [3.25]),
        ("royale_array_collection", [amf.ArrayCollection([1, 2])]),
        ("royale_typed_object", [amf.TypedObject("org.test.Person", {"age": 42, "name": "Zoë"})]),
    ],
)
def test_royale(name: str, body: object) -> None:
    (message,) = captured(name).messages
    (call,) = message.value
    assert isinstance(call, RemotingMessage)
    assert (call.destination, call.operation, call.source) == ("echo", "echo", None)
    assert call.body == body
    assert call.header("DSEndpoint") is amf.Undefined
